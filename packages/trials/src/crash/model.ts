/**
 * What one writer's part of the tree must look like after a given list of its operations: the rules of ZooKeeper for
 * creates, sets, deletes, multis, sequential names and ephemeral nodes, said once more in the plainest way. Writers do
 * not touch each other's parts, so a crash may leave each part only in a state that some prefix of its writer's
 * operations gives, and that prefix holds everything that was acknowledged.
 *
 * Rules: zookeeper-features.md 1.1 and 1.4; Stat.cversion counts creates and deletes of children.
 */
import { ErrorCode, type Stat } from "@vivarium/protocol";
import type { Action, Change, Operation, Stamp } from "./operation.ts";

export interface ModelNode {
  data: Uint8Array;
  version: number;
  /** Creates of children so far: the next sequential name, and half of cversion. */
  creates: number;
  readonly children: Set<string>;
  readonly owner: bigint;
  readonly created: Stamp;
  modified: Stamp;
  childrenChanged: Stamp;
}

/** What one change must be answered with. */
export type Outcome = { err: number } | { err: 0; path: string; node: ModelNode; numChildren: number };

/** What the reply to a whole operation must say: one outcome per change, in order. */
export interface Answer {
  /** The first error, or OK. */
  readonly err: number;
  readonly outcomes: Outcome[];
}

const OK: Outcome = { err: ErrorCode.OK };
const parentOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

export class Model {
  readonly root: string;
  #nodes = new Map<string, ModelNode>();

  /** @param root path of the writer's part, which exists already */
  constructor(root: string, stamp: Stamp) {
    this.root = root;
    this.#nodes.set(root, newNode(new Uint8Array(0), 0n, stamp));
  }

  clone(): Model {
    const copy = new Model(this.root, { zxid: undefined });
    copy.#nodes = this.#copyNodes();
    return copy;
  }

  get nodes(): ReadonlyMap<string, Readonly<ModelNode>> {
    return this.#nodes;
  }

  apply({ action, stamp, sessionId }: Operation): Answer {
    if (action.kind === "multi") return this.#multi(action, sessionId, stamp);
    if (action.kind === "closeSession") {
      for (const [path, node] of this.#nodes) if (node.owner === sessionId) this.#remove(path, stamp);
      return { err: ErrorCode.OK, outcomes: [] };
    }
    const outcome = this.#change(action, sessionId, stamp);
    return { err: outcome.err, outcomes: [outcome] };
  }

  #multi(action: Action & { kind: "multi" }, sessionId: bigint, stamp: Stamp): Answer {
    const before = this.#copyNodes();
    const outcomes: Outcome[] = [];
    for (const change of action.changes) {
      const outcome = this.#change(change, sessionId, stamp);
      outcomes.push(outcome);
      if (outcome.err === ErrorCode.OK) continue;
      this.#nodes = before;
      const failedAt = outcomes.length - 1;
      return {
        err: outcome.err,
        outcomes: action.changes.map((_, index) => {
          if (index < failedAt) return OK;
          return index === failedAt ? outcome : { err: ErrorCode.RUNTIMEINCONSISTENCY };
        }),
      };
    }
    return { err: ErrorCode.OK, outcomes };
  }

  #change(change: Change, sessionId: bigint, stamp: Stamp): Outcome {
    if (change.kind === "create") return this.#create(change, sessionId, stamp);
    const node = this.#nodes.get(change.path);
    if (node === undefined) return { err: ErrorCode.NONODE };
    if (change.version !== -1 && change.version !== node.version) return { err: ErrorCode.BADVERSION };
    if (change.kind === "setData") {
      node.data = change.data;
      node.version++;
      node.modified = stamp;
      return done(change.path, node);
    }
    if (change.kind === "delete") {
      if (node.children.size > 0) return { err: ErrorCode.NOTEMPTY };
      this.#remove(change.path, stamp);
    }
    return OK;
  }

  #create(change: Change & { kind: "create" }, sessionId: bigint, stamp: Stamp): Outcome {
    const parent = this.#nodes.get(parentOf(change.path));
    if (parent === undefined) return { err: ErrorCode.NONODE };
    const path = change.sequential ? change.path + String(parent.creates).padStart(10, "0") : change.path;
    if (this.#nodes.has(path)) return { err: ErrorCode.NODEEXISTS };
    if (parent.owner !== 0n) return { err: ErrorCode.NOCHILDRENFOREPHEMERALS };
    parent.creates++;
    parent.childrenChanged = stamp;
    parent.children.add(nameOf(path));
    const node = newNode(change.data, change.ephemeral ? sessionId : 0n, stamp);
    this.#nodes.set(path, node);
    return done(path, node);
  }

  #remove(path: string, stamp: Stamp): void {
    this.#nodes.delete(path);
    const parent = this.#nodes.get(parentOf(path));
    if (parent === undefined) return;
    parent.children.delete(nameOf(path));
    parent.childrenChanged = stamp;
  }

  #copyNodes(): Map<string, ModelNode> {
    const copy = new Map<string, ModelNode>();
    for (const [path, node] of this.#nodes) copy.set(path, { ...node, children: new Set(node.children) });
    return copy;
  }
}

function newNode(data: Uint8Array, owner: bigint, stamp: Stamp): ModelNode {
  return {
    data,
    version: 0,
    creates: 0,
    children: new Set(),
    owner,
    created: stamp,
    modified: stamp,
    childrenChanged: stamp,
  };
}

/** The node as it was at this moment: later operations go on changing the model's own. */
function done(path: string, node: ModelNode): Outcome {
  return { err: ErrorCode.OK, path, node: { ...node }, numChildren: node.children.size };
}

/** Stamps learnt from a Stat; they count only if everything else agrees too. */
export type Learnt = Map<Stamp, number>;

/**
 * Compares a Stat with what a node must have.
 * @returns the first difference in words, or undefined; `learnt` takes the zxids that were not known before
 */
export function statDifference(stat: Stat, node: ModelNode, numChildren: number, learnt: Learnt): string | undefined {
  const expected = {
    version: node.version,
    cversion: 2 * node.creates - numChildren,
    aversion: 0,
    ephemeralOwner: node.owner,
    dataLength: node.data.length,
    numChildren,
  };
  for (const [name, value] of Object.entries(expected)) {
    const seen = stat[name as keyof typeof expected];
    if (seen !== value) return `${name} is ${seen}, expected ${value}`;
  }
  if (stat.mtime < stat.ctime) return `mtime ${stat.mtime} is before ctime ${stat.ctime}`;
  const zxids = { czxid: node.created, mzxid: node.modified, pzxid: node.childrenChanged };
  for (const [name, stamp] of Object.entries(zxids)) {
    const seen = stat[name as keyof typeof zxids];
    const known = stamp.zxid ?? learnt.get(stamp);
    if (known === undefined) learnt.set(stamp, seen);
    else if (seen !== known) return `${name} is 0x${seen.toString(16)}, expected 0x${known.toString(16)}`;
  }
  return undefined;
}
