/**
 * A tree, the transactions that it has applied, and a snapshot that is written in the midst of them, a node at a time.
 *
 *   write … begin ─► take("/p") ─► write … ─► reload: the rest of the nodes, a new tree from them, all transactions since
 *
 * Our own walk never meets a child that is younger than what it has written of the parent. Apache's does, and we start
 * from its snapshots: `take` writes a node when the play says so.
 */
import assert from "node:assert/strict";
import { Reader, Writer } from "@vivarium/jute";
import {
  type ACL,
  OPEN_ACL_UNSAFE,
  OpCode,
  SnapshotNode,
  type SnapshotSource,
  StatPersisted,
  type TxnBody,
} from "@vivarium/protocol";
import { DataTree, NONE, SnapshotLoader } from "@vivarium/tree";

const OPTIONS = { extendedTypes: true, emulate353Ttl: false, digest: true };

export type CreateType = typeof OpCode.create | typeof OpCode.createContainer | typeof OpCode.createTTL;

export class FuzzySnapshot {
  readonly tree = new DataTree(OPTIONS);
  readonly #txns: { zxid: number; sessionId: bigint; body: TxnBody }[] = [];
  #zxid = 0;
  #source: SnapshotSource | null = null;
  readonly #taken = new Map<string, NodeRecord>();
  readonly #nodes = new Writer();

  write(body: TxnBody, sessionId = 1n): void {
    const txn = { zxid: ++this.#zxid, sessionId, body };
    this.#txns.push(txn);
    applyTo(this.tree, txn);
  }

  create(path: string, { acl = OPEN_ACL_UNSAFE, owner = 0n, type = OpCode.create as CreateType } = {}): void {
    this.write(this.creation(path, { acl, type, ephemeral: owner !== 0n }), owner === 0n ? 1n : owner);
  }

  /** As the leader makes it: it says how many creates the parent has seen with this one. */
  creation(
    path: string,
    { acl = OPEN_ACL_UNSAFE as ACL[], type = OpCode.create as CreateType, ephemeral = false } = {},
  ): TxnBody {
    const parent = this.tree.nodes.findPath(path.slice(0, path.lastIndexOf("/")));
    const common = { path, data: new Uint8Array([1]), acl, parentCVersion: this.tree.nodes.cversion(parent) + 1 };
    if (type === OpCode.createContainer) return { ...common, type };
    if (type === OpCode.createTTL) return { ...common, type, ttl: 1000 };
    return { ...common, type, ephemeral };
  }

  delete(path: string): void {
    this.write({ type: OpCode.delete, path });
  }

  begin(): void {
    this.#source = this.tree.snapshotSource();
  }

  /** The walk comes to this node now. */
  take(path: string): void {
    const source = this.tree.snapshotSource();
    const nodes = new Writer();
    while (source.writeNodes(nodes, nodes.length + 1));
    source.close();
    const record = [...recordsIn(nodes)].find((record) => record.path === path);
    assert.ok(record !== undefined, `no ${path}`);
    this.#taken.set(path, record);
  }

  /** Writes all nodes that are left. */
  finish(): SnapshotSource {
    const source = this.#source;
    assert.ok(source !== null);
    while (source.writeNodes(this.#nodes, this.#nodes.length + 1));
    return source;
  }

  /** The tree that a server has after a restart. */
  reload(): DataTree {
    const source = this.finish();
    const { zxid } = source;
    const loader = new SnapshotLoader(OPTIONS, zxid);
    for (const [id, timeoutMs] of source.sessions) loader.session(id, timeoutMs);
    for (const [id, acl] of source.acls) loader.acl(id, [...acl]);
    const others = [...recordsIn(this.#nodes)].filter(({ path }) => !this.#taken.has(path));
    for (const { bytes, data, aclId, stat } of [...others.slice(0, 1), ...this.#taken.values(), ...others.slice(1)]) {
      loader.node(SnapshotNode.of(bytes, data, aclId, stat));
    }
    const tree = loader.finish();
    for (const txn of this.#txns) if (txn.zxid > zxid) applyTo(tree, txn);
    return tree;
  }

  /** The reloaded tree is the one that has lived on, each Stat, ACL and session included. */
  mustReload(): DataTree {
    const reloaded = this.reload();
    assert.deepEqual(contentOf(reloaded), contentOf(this.tree), "the same tree after a restart");
    assert.equal(reloaded.digest(), this.tree.digest(), "the same digest after a restart");
    return reloaded;
  }
}

function applyTo(tree: DataTree, { zxid, sessionId, body }: { zxid: number; sessionId: bigint; body: TxnBody }): void {
  tree.apply({ header: { clientId: sessionId, cxid: zxid, zxid, time: zxid, type: body.type }, body, digest: null });
}

interface NodeRecord {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly data: Uint8Array | null;
  readonly aclId: number;
  readonly stat: StatPersisted;
}

function* recordsIn(nodes: Writer): Generator<NodeRecord> {
  const reader = new Reader(nodes.copy());
  while (reader.remaining > 0) {
    const bytes = reader.bufferView() ?? new Uint8Array();
    const data = reader.bufferView();
    const path = new TextDecoder().decode(bytes);
    yield { path, bytes, data, aclId: reader.number(), stat: StatPersisted.read(reader) };
  }
}

function contentOf(tree: DataTree) {
  const { nodes } = tree;
  const found: Record<string, unknown> = {};
  for (let id = 0; id !== NONE; id = nodes.nextInSubtree(id, 0)) {
    const acl = [...tree.acls.get(nodes.aclId(id))];
    found[nodes.path(id)] = { stat: nodes.stat(id), data: nodes.data(id), acl };
  }
  return { nodes: found, sessions: new Map(tree.sessions), zxid: tree.lastProcessedZxid };
}
