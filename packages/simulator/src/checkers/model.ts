/**
 * The tree as it should be: the committed transactions carried out by code that shares nothing with the server's, and
 * every state that each node has had, so that what a client read can be looked for in it.
 */
import { OpCode, type Zxid, zxidHex } from "@vivarium/protocol";
import type { Committed, Effect } from "./committed.ts";
import { type Report, violation } from "./violation.ts";

export interface ModelNode {
  readonly data: string;
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly version: number;
  readonly cversion: number;
  readonly owner: bigint;
  readonly childCount: number;
}

/** A node's state from a zxid on, until the next one's; null: there is no node. */
export interface State {
  readonly from: Zxid;
  readonly node: ModelNode | null;
}

interface ChildChange {
  readonly zxid: Zxid;
  readonly name: string;
  readonly isThere: boolean;
}

export interface ModelSession {
  readonly id: bigint;
  readonly openedAt: Zxid;
  closedAt: Zxid | null;
  /** World time at which it was closed. */
  closedMs: number;
  /** True: the server ended it on its own account. */
  expired: boolean;
}

const NOT_THERE: readonly State[] = [{ from: 0, node: null }];
/** What every tree has, and how many children; they were made without transactions, which shows in the cversion. */
const FIRST_NODES = { "/": 1, "/zookeeper": 2, "/zookeeper/config": 0, "/zookeeper/quota": 0 };

export class Model {
  readonly nodes = new Map<string, ModelNode>();
  readonly sessions = new Map<bigint, ModelSession>();
  readonly #states = new Map<string, State[]>();
  readonly #children = new Map<string, ChildChange[]>();
  readonly #owned = new Map<bigint, Set<string>>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
    for (const [path, childCount] of Object.entries(FIRST_NODES)) {
      this.nodes.set(path, { ...newNode({ zxid: 0, data: "", owner: 0n }), childCount, cversion: -childCount });
    }
  }

  /** States of a node, oldest first. */
  states(path: string): readonly State[] {
    return this.#states.get(path) ?? NOT_THERE;
  }

  /** Names of a node's children at a zxid, sorted. */
  childrenAt(path: string, zxid: Zxid): string[] {
    const names = new Set<string>();
    for (const change of this.#children.get(path) ?? []) {
      if (change.zxid > zxid) break;
      if (change.isThere) names.add(change.name);
      else names.delete(change.name);
    }
    return [...names].sort();
  }

  ephemeralsOf(sessionId: bigint): string[] {
    return [...(this.#owned.get(sessionId) ?? [])].sort();
  }

  apply(txn: Committed): void {
    if (txn.type === OpCode.createSession) this.#openSession(txn);
    for (const effect of txn.effects) this.#applyEffect(effect, txn);
    if (txn.type === OpCode.closeSession) this.#closeSession(txn);
  }

  #openSession({ sessionId: id, zxid }: Committed): void {
    if (this.sessions.has(id)) {
      this.#wrong("session ids are unique", `session 0x${hex(id)} is opened again at 0x${zxidHex(zxid)}`, hex(id));
    }
    this.sessions.set(id, { id, openedAt: zxid, closedAt: null, closedMs: 0, expired: false });
  }

  #closeSession({ sessionId, zxid, closes, cxid, atMs }: Committed): void {
    const session = this.sessions.get(sessionId);
    if (session !== undefined && session.closedAt === null) {
      session.closedAt = zxid;
      session.closedMs = atMs;
      session.expired = cxid === 0;
    }
    for (const path of this.ephemeralsOf(sessionId)) {
      if (!closes.includes(path)) {
        const what = `closeSession of 0x${hex(sessionId)} at 0x${zxidHex(zxid)} does not name its ephemeral ${path}`;
        this.#wrong("a session takes its ephemerals with it", what, path, hex(sessionId));
      }
      this.#delete(path, zxid);
    }
  }

  #applyEffect(effect: Effect, { zxid }: Committed): void {
    if (effect.kind === "create") this.#create(effect, zxid);
    else if (effect.kind === "setData") this.#setData(effect, zxid);
    else this.#delete(effect.path, zxid);
  }

  #create({ path, data, owner }: Effect & { kind: "create" }, zxid: Zxid): void {
    const parent = this.nodes.get(parentOf(path));
    if (this.nodes.has(path)) return this.#impossible(`create of ${path}, which exists`, zxid, path);
    if (parent === undefined) return this.#impossible(`create of ${path} without a parent`, zxid, path);
    if (owner !== 0n) this.#own(owner, path, zxid);
    this.nodes.set(path, newNode({ zxid, data, owner }));
    this.#changeChild(path, zxid, true);
    this.#note(path, zxid);
  }

  #own(owner: bigint, path: string, zxid: Zxid): void {
    const session = this.sessions.get(owner);
    if (session === undefined || session.closedAt !== null) {
      const what = `${path} is created at 0x${zxidHex(zxid)} by session 0x${hex(owner)}, which is not open`;
      this.#wrong("a closed session creates nothing", what, path, hex(owner));
    }
    const owned = this.#owned.get(owner) ?? new Set();
    owned.add(path);
    this.#owned.set(owner, owned);
  }

  #setData({ path, data, version }: Effect & { kind: "setData" }, zxid: Zxid): void {
    const node = this.nodes.get(path);
    if (node === undefined) return this.#impossible(`setData of ${path}, which does not exist`, zxid, path);
    if (version !== node.version + 1) {
      return this.#impossible(`setData of ${path} from version ${node.version} to ${version}`, zxid, path);
    }
    this.nodes.set(path, { ...node, data, version, mzxid: zxid });
    this.#note(path, zxid);
  }

  #delete(path: string, zxid: Zxid): void {
    const node = this.nodes.get(path);
    if (node === undefined) return this.#impossible(`delete of ${path}, which does not exist`, zxid, path);
    if (node.childCount > 0) return this.#impossible(`delete of ${path}, which has children`, zxid, path);
    this.nodes.delete(path);
    this.#owned.get(node.owner)?.delete(path);
    this.#changeChild(path, zxid, false);
    this.#note(path, zxid);
  }

  #changeChild(path: string, zxid: Zxid, isThere: boolean): void {
    const parentPath = parentOf(path);
    const parent = this.nodes.get(parentPath) as ModelNode;
    const childCount = parent.childCount + (isThere ? 1 : -1);
    this.nodes.set(parentPath, { ...parent, childCount, cversion: parent.cversion + 1, pzxid: zxid });
    const changes = this.#children.get(parentPath) ?? [];
    changes.push({ zxid, name: path.slice(path.lastIndexOf("/") + 1), isThere });
    this.#children.set(parentPath, changes);
    this.#note(parentPath, zxid);
  }

  #note(path: string, from: Zxid): void {
    const states = this.#states.get(path) ?? [...NOT_THERE];
    if (states.at(-1)?.from === from) states.pop();
    states.push({ from, node: this.nodes.get(path) ?? null });
    this.#states.set(path, states);
  }

  #impossible(what: string, zxid: Zxid, path: string): void {
    this.#wrong("committed transactions can be carried out", `0x${zxidHex(zxid)} is a ${what}`, path);
  }

  #wrong(rule: string, what: string, ...about: string[]): void {
    this.#report(violation(rule, what, ...about));
  }
}

function newNode({ zxid, data, owner }: { zxid: Zxid; data: string; owner: bigint }): ModelNode {
  return { data, czxid: zxid, mzxid: zxid, pzxid: zxid, version: 0, cversion: 0, owner, childCount: 0 };
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

export function hex(sessionId: bigint): string {
  return BigInt.asUintN(64, sessionId).toString(16);
}
