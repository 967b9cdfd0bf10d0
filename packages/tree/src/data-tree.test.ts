import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@vivarium/jute";
import {
  type ACL,
  digestFromBigInt,
  ErrorCode,
  OpCode,
  SnapshotNode,
  type SnapshotSink,
  Stat,
  type Txn,
  type TxnBody,
  ZERO_STAT,
} from "@vivarium/protocol";
import { DataTree, type DataTreeOptions } from "./data-tree.ts";
import { NONE, ROOT } from "./node-store.ts";
import { SnapshotLoader } from "./snapshot-loader.ts";
import { ApacheDirectory, type Expected, type ExpectedNode, readNodes } from "./testing/apache-files.ts";

const options: DataTreeOptions = {
  extendedTypes: true,
  emulate353Ttl: false,
  digest: true,
  onDigestMismatch: (zxid, expected, actual) => {
    throw new assert.AssertionError({ message: `digest at zxid ${zxid}`, expected, actual });
  },
};
const OPEN: ACL[] = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];

function described(tree: DataTree, path: string): ExpectedNode {
  const { nodes } = tree;
  const id = nodes.findPath(path);
  assert.notEqual(id, NONE, path);
  const data = nodes.data(id);
  const children: string[] = [];
  for (let child = nodes.firstChild(id); child !== NONE; child = nodes.nextSibling(child)) {
    children.push(nodes.name(child));
  }
  const stat = Object.entries(nodes.stat(id)).map(([key, value]) => [key, textOf(key, value)]);
  return {
    data: data === null ? null : Buffer.from(data).toString("hex"),
    acl: tree.acls.get(nodes.aclId(id)).map(({ perms, id }) => ({ perms, scheme: `${id.scheme}`, id: `${id.id}` })),
    children: children.sort(),
    stat: Object.fromEntries(stat),
  };
}

/** 64-bit fields are decimal strings in the expectations. */
function textOf(key: string, value: number | bigint): string | number {
  return /zxid|time|Owner/.test(key) ? `${value}` : Number(value);
}

function assertIs(tree: DataTree, expected: Expected): void {
  for (const [path, node] of Object.entries(expected.tree)) {
    const actual = described(tree, path);
    assert.deepEqual(actual, { ...node, children: [...node.children].sort() }, path);
  }
  assert.equal(tree.nodes.size, Object.keys(expected.tree).length + 1);
  assert.equal(`${tree.lastProcessedZxid}`, expected.lastProcessedZxid);
  const sessions = expected.sessions.map(({ sessionId, timeoutMs }) => [BigInt(sessionId), timeoutMs] as const);
  assert.deepEqual(tree.sessions, new Map(sessions));
}

const directories = ["standalone", "rolled", "no-digest", "no-digest-no-close-paths", "snapshot-none", "snapshot-gz"];

for (const name of [...directories, "snapshot-no-zxid-section", "ensemble"]) {
  const directory = new ApacheDirectory(name);
  for (const snapshot of directory.snapshots()) {
    test(`${name}: snapshot ${snapshot} and the log after it give Apache's tree, and the digest of each transaction`, () => {
      const zxid = Number.parseInt(snapshot, 16);
      const loader = new SnapshotLoader(options, zxid);
      directory.readSnapshot(snapshot, loader);
      const tree = loader.finish();
      for (const txn of directory.txns(zxid + 1)) tree.apply(txn);
      assertIs(tree, directory.expected);
    });
  }
}

test("every snapshot taken on the way, replayed to the end, is the same tree", () => {
  const directory = new ApacheDirectory("standalone");
  const txns = directory.txns(1);
  const live = new DataTree(options);
  for (let i = 0; i <= txns.length; i++) {
    const copy = reloaded(live);
    assert.equal(copy.digest(), live.digest());
    for (const txn of txns.slice(i)) copy.apply(txn);
    assertIs(copy, directory.expected);
    if (i < txns.length) live.apply(txns[i] as Txn);
  }
});

// The cursor moves a node at a time, and transactions are applied between any two of its steps.
test("a fuzzy snapshot of every transaction in between, replayed to the end, is the same tree", () => {
  const directory = new ApacheDirectory("standalone");
  const txns = directory.txns(1);
  for (let from = 0; from < txns.length; from++) {
    for (const nodesPerTxn of [1, 2, 3]) {
      const live = new DataTree(options);
      for (const txn of txns.slice(0, from)) live.apply(txn);
      const snapshot = new FuzzySnapshot(live);
      for (const txn of txns.slice(from)) {
        for (let i = 0; i < nodesPerTxn; i++) snapshot.step();
        live.apply(txn);
      }
      const copy = snapshot.load();
      for (const txn of txns.slice(from)) copy.apply(txn);
      assertIs(copy, directory.expected);
    }
  }
});

// Few paths, so that nodes come and go again under the cursor, with ACLs that come and go as well.
test("fuzzy snapshots under random transactions, replayed to the end, are the same tree", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const below = randomInts(seed);
    const live = new DataTree(options);
    const apply = applier(live);
    const txns: Txn[] = [];
    let snapshot: FuzzySnapshot | undefined;
    let from = 0;
    for (let i = 0; i < 200; i++) {
      if (i === 50) {
        from = txns.length;
        snapshot = new FuzzySnapshot(live);
      }
      const body = randomBody(live, below);
      txns.push(apply.txn(body));
      apply(body);
      if (i % 5 === 0) snapshot?.step();
    }
    assert.ok(snapshot);
    const copy = snapshot.load();
    for (const txn of txns.slice(from)) copy.apply(txn);
    assert.deepEqual(everything(copy), everything(live), `seed ${seed}`);
    assert.equal(copy.digest(), live.digest());
    assert.equal(copy.acls.size, live.acls.size);
    assert.deepEqual(new Set(copy.ephemerals(7n)), new Set(live.ephemerals(7n)));
  }
});

function randomInts(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

/** A transaction that a leader could have made of this state. */
function randomBody(tree: DataTree, below: (n: number) => number): TxnBody {
  const parent = ["", "/a", "/b", "/a/a", "/a/b"][below(5)] as string;
  const path = `${parent}/${"abc"[below(3)]}`;
  const acl = [{ perms: below(8) + 1, id: { scheme: "ip", id: "1.2.3.4" } }];
  const { nodes } = tree;
  const node = nodes.findPath(path);
  if (nodes.findPath(parent) === NONE) return { type: OpCode.error, err: ErrorCode.NONODE };
  if (node === NONE) {
    const parentCVersion = nodes.cversion(nodes.findPath(parent)) + 1;
    return create(path, { data: "x".repeat(below(9)), acl, parentCVersion, ephemeral: path.endsWith("c") });
  }
  switch (below(4)) {
    case 0:
      return { type: OpCode.setData, path, data: Buffer.from(`${below(1000)}`), version: nodes.version(node) + 1 };
    case 1:
      return { type: OpCode.setACL, path, acl, version: nodes.aversion(node) + 1 };
    default:
      if (nodes.numChildren(node) > 0) return { type: OpCode.closeSession, paths2Delete: tree.ephemerals(7n) };
      return { type: OpCode.delete, path };
  }
}

function everything(tree: DataTree): [string, ExpectedNode][] {
  const all: [string, ExpectedNode][] = [];
  for (let id = ROOT; id !== NONE; id = tree.nodes.nextInSubtree(id, ROOT)) {
    all.push([tree.nodes.path(id), described(tree, tree.nodes.path(id))]);
  }
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}

class FuzzySnapshot {
  readonly #source;
  readonly #writer = new Writer();
  constructor(tree: DataTree) {
    this.#source = tree.snapshotSource();
  }
  step(): boolean {
    return this.#source.writeNodes(this.#writer, this.#writer.length + 1);
  }
  load(): DataTree {
    while (this.step()) {}
    const loader = new SnapshotLoader(options, this.#source.zxid);
    for (const [id, timeoutMs] of this.#source.sessions) loader.session(id, timeoutMs);
    for (const [id, acl] of this.#source.acls) loader.acl(id, acl);
    const known = new Set([-1, ...Array.from(this.#source.acls, ([id]) => id)]);
    readNodes(new Reader(this.#writer.written()), checkingAcls(loader, known));
    const digest = this.#source.digest();
    if (digest !== null) loader.digest(digest);
    this.#source.close();
    return loader.finish();
  }
}

function checkingAcls(sink: SnapshotSink, known: ReadonlySet<number>): SnapshotSink {
  return {
    session: () => undefined,
    acl: () => undefined,
    digest: () => undefined,
    node(node) {
      assert.ok(known.has(node.aclId), `ACL ${node.aclId} of ${Buffer.from(node.path)} is not in the snapshot's table`);
      sink.node(node);
    },
  };
}

function reloaded(tree: DataTree): DataTree {
  return new FuzzySnapshot(tree).load();
}

/** Applies bodies as the next transactions of one session. */
function applier(tree: DataTree, clientId = 7n) {
  const txn = (body: TxnBody): Txn => {
    const zxid = tree.lastProcessedZxid + 1;
    return { header: { clientId, cxid: zxid, zxid, time: 1000 * zxid, type: body.type }, body, digest: null };
  };
  return Object.assign((body: TxnBody) => tree.apply(txn(body)), { txn });
}

function create(path: string, more: { data?: string; ephemeral?: boolean; acl?: ACL[]; parentCVersion?: number } = {}) {
  const { data = "", ephemeral = false, acl = OPEN, parentCVersion = -1 } = more;
  return { type: OpCode.create, path, data: Buffer.from(data), acl, ephemeral, parentCVersion };
}

test("a new tree is Apache's", () => {
  const tree = new DataTree(options);
  assert.equal(tree.digest(), 1371985504n);
  assert.equal(tree.nodes.size, 5);
  assert.equal(tree.nodes.approximateDataSize, "".length + "/".length + 10 + 16 + 17);
  assert.deepEqual(
    [...tree.acls.get(tree.nodes.aclId(tree.nodes.findPath("/zookeeper/config")))],
    [{ perms: 1, id: { scheme: "world", id: "anyone" } }],
  );
  assert.equal(tree.nodes.stat(0).cversion, -1);
});

test("transactions on what is not there say so and change nothing but the parent's pzxid", () => {
  const tree = new DataTree(options);
  const apply = applier(tree);
  assert.equal(apply(create("/no/such")).err, ErrorCode.NONODE);
  assert.equal(apply({ type: OpCode.setData, path: "/no", data: null, version: 1 }).err, ErrorCode.NONODE);
  assert.equal(apply({ type: OpCode.setACL, path: "/no", acl: OPEN, version: 1 }).err, ErrorCode.NONODE);
  assert.equal(tree.digest(), 1371985504n);
  assert.equal(apply({ type: OpCode.delete, path: "/no" }).err, ErrorCode.NONODE);
  assert.equal(tree.nodes.pzxid(0), 4);
});

test("a failed multi changes nothing and says which part failed", () => {
  const tree = new DataTree(options);
  const apply = applier(tree);
  const error = { type: OpCode.error, err: ErrorCode.NODEEXISTS };
  const result = apply({ type: OpCode.multi, txns: [create("/a"), error, create("/b")] });
  assert.deepEqual(
    result.results?.map(({ type, err }) => [type, err]),
    [
      [OpCode.error, ErrorCode.OK],
      [OpCode.error, ErrorCode.NODEEXISTS],
      [OpCode.error, ErrorCode.RUNTIMEINCONSISTENCY],
    ],
  );
  assert.equal(tree.digest(), 1371985504n);
  assert.equal(tree.lastProcessedZxid, 1);
});

test("a multi's parts report the Stat of their own moment", () => {
  const tree = new DataTree(options);
  const setData = (version: number) => ({ type: OpCode.setData, path: "/a", data: null, version });
  const { results = [] } = applier(tree)({ type: OpCode.multi, txns: [create("/a"), setData(1), setData(2)] });
  const versions = results.map(({ stat }) => new DataView((stat as Uint8Array).buffer).getInt32(32));
  assert.deepEqual(versions, [0, 1, 2]);
});

test("closing a session deletes what the transaction lists and what is left here", () => {
  const tree = new DataTree(options);
  const apply = applier(tree);
  apply({ type: OpCode.createSession, timeOut: 4000 });
  for (const path of ["/e1", "/e2"]) apply(create(path, { ephemeral: true }));
  assert.deepEqual(new Set(tree.ephemerals(7n)), new Set(["/e1", "/e2"]));
  assert.equal(tree.owned.ephemeralCount, 2);
  apply({ type: OpCode.closeSession, paths2Delete: ["/e1", "/gone"] });
  assert.equal(tree.nodes.size, 5);
  assert.equal(tree.owned.ephemeralCount, 0);
  assert.deepEqual([...tree.owned.sessions()], []);
  assert.equal(tree.sessions.size, 0);
  assert.equal(tree.nodes.pzxid(0), 4);
});

test("ephemerals whose session is not known are removed on request", () => {
  const tree = new DataTree(options);
  applier(tree, 1n)(create("/orphan", { ephemeral: true }));
  applier(tree, 2n)({ type: OpCode.createSession, timeOut: 4000 });
  applier(tree, 2n)(create("/kept", { ephemeral: true }));
  tree.removeOrphanedEphemerals();
  assert.equal(tree.nodes.findPath("/orphan"), NONE);
  assert.notEqual(tree.nodes.findPath("/kept"), NONE);
});

test("containers and TTL nodes come up for reaping by ContainerManager's rules", () => {
  const tree = new DataTree(options);
  const apply = applier(tree);
  const container = (path: string) => {
    const { data, acl, parentCVersion } = create(path);
    return { type: OpCode.createContainer, path, data, acl, parentCVersion };
  };
  const { data, acl, parentCVersion } = create("");
  apply(container("/unused"));
  apply(container("/used"));
  apply(container("/busy"));
  apply(create("/used/child"));
  apply(create("/busy/child"));
  apply({ type: OpCode.delete, path: "/used/child" });
  apply({ type: OpCode.createTTL, path: "/ttl", data, acl, parentCVersion, ttl: 500 });
  const at = (nowMs: number, maxNeverUsedMs = 0) => tree.reapCandidates(nowMs, { maxNeverUsedMs }).sort();
  assert.deepEqual(at(7500), ["/used"]);
  assert.deepEqual(at(7501), ["/ttl", "/used"]);
  assert.deepEqual(at(7501, 6501), ["/ttl", "/used"]);
  assert.deepEqual(at(7502, 6501), ["/ttl", "/unused", "/used"]);
  assert.deepEqual(reloaded(tree).reapCandidates(7501, { maxNeverUsedMs: 0 }).sort(), ["/ttl", "/used"]);
});

test("the nearest quota above a change keeps count of it", () => {
  const tree = new DataTree(options);
  const apply = applier(tree);
  const stats = (path: string) => `${Buffer.from(tree.nodes.data(tree.nodes.findPath(path)) ?? "")}`;
  for (const path of ["/a", "/a/b", "/zookeeper/quota/a", "/zookeeper/quota/a/zookeeper_limits"]) {
    apply(create(path, { data: "four" }));
  }
  const created = apply(create("/zookeeper/quota/a/zookeeper_stats", { data: "as it was created" }));
  assert.equal(created.stat && Stat.read(new Reader(created.stat)).dataLength, 17);
  const ofA = "/zookeeper/quota/a/zookeeper_stats";
  assert.equal(stats(ofA), "count=2,bytes=8");
  apply(create("/a/b/c", { data: "seven77" }));
  assert.equal(stats(ofA), "count=3,bytes=15");
  apply({ type: OpCode.setData, path: "/a/b/c", data: null, version: 1 });
  assert.equal(stats(ofA), "count=3,bytes=8");
  for (const path of ["/zookeeper/quota/a/b", "/zookeeper/quota/a/b/zookeeper_limits"]) apply(create(path));
  apply(create("/zookeeper/quota/a/b/zookeeper_stats"));
  apply({ type: OpCode.delete, path: "/a/b/c" });
  assert.equal(stats(ofA), "count=3,bytes=8");
  assert.equal(stats("/zookeeper/quota/a/b/zookeeper_stats"), "count=1,bytes=4");
  apply({ type: OpCode.delete, path: "/zookeeper/quota/a/b/zookeeper_limits" });
  apply(create("/a/b/d", { data: "1" }));
  assert.equal(stats(ofA), "count=4,bytes=9");
  const loaded = reloaded(tree);
  assert.equal(loaded.quotas.prefixOf("/a/b/d"), "/a");
  assert.equal(`${Buffer.from(loaded.nodes.data(loaded.nodes.findPath(ofA)) ?? "")}`, "count=3,bytes=9");
});

test("an ACL lives as long as a node uses it", () => {
  const tree = new DataTree(options);
  const apply = applier(tree);
  const acl = [{ perms: 1, id: { scheme: "digest", id: "bob:x" } }];
  apply(create("/a", { acl }));
  apply(create("/b", { acl }));
  assert.equal(tree.acls.size, 2);
  assert.equal(tree.nodes.aclId(tree.nodes.findPath("/a")), tree.nodes.aclId(tree.nodes.findPath("/b")));
  apply({ type: OpCode.delete, path: "/a" });
  apply({ type: OpCode.setACL, path: "/b", acl: OPEN, version: 1 });
  assert.equal(tree.acls.size, 1);
  assert.equal(tree.nodes.aversion(tree.nodes.findPath("/b")), 1);
});

test("a snapshot's node whose ACL is not in its table can be used by nobody until it gets one", () => {
  const loader = new SnapshotLoader(options, 1);
  for (const path of ["", "/a"]) loader.node(SnapshotNode.of(Buffer.from(path), null, 17, ZERO_STAT));
  const tree = loader.finish();
  assert.equal(tree.acls.get(17)[0]?.perms, 0);
  applier(tree)(create("/b", { acl: [{ perms: 1, id: { scheme: "ip", id: "::1" } }] }));
  assert.equal(tree.nodes.aclId(tree.nodes.findPath("/b")), 18);
});

test("a damaged snapshot is refused", () => {
  const loader = new SnapshotLoader(options, 1);
  assert.throws(() => loader.finish(), /no root/);
  const add = (path: string) => loader.node(SnapshotNode.of(Buffer.from(path), null, -1, ZERO_STAT));
  for (const path of ["", "/c", "/c/d"]) add(path);
  for (const path of ["/a/b", "a", "/c/", "//c", "/c/d/", "/c//e", "c/d"]) {
    assert.throws(() => add(path), new RegExp(`has ${path} but not its parent`));
  }
});

test("the children of several parents may come in any order, but none of them twice", () => {
  const stat = { ...ZERO_STAT, czxid: 2, mzxid: 3, ctime: 4, mtime: 5, version: 6, aversion: 7, pzxid: 9 };
  const load = (paths: readonly string[]) => {
    const loader = new SnapshotLoader(options, 1);
    for (const path of paths) loader.node(SnapshotNode.of(Buffer.from(path), Buffer.from(`of ${path}`), -1, stat));
    return loader.finish().nodes;
  };
  const paths = ["", "/a", "/b", "/a/1", "/b/1", "/a/2", "/a/1/x", "/b/2", "/a/1/1"];
  const nodes = load(paths);
  assert.equal(nodes.size, paths.length + 1);
  for (const path of paths) {
    const id = nodes.findPath(path);
    assert.equal(nodes.path(id), path || "/");
    assert.equal(Buffer.from(nodes.data(id) ?? []).toString(), `of ${path}`);
    const numChildren = paths.filter((child) => child !== "" && child.slice(0, child.lastIndexOf("/")) === path).length;
    const seen = { ...stat, cversion: 0 - numChildren, dataLength: 3 + path.length, numChildren };
    assert.deepEqual(nodes.stat(id), seen);
  }
  assert.throws(() => load([...paths, "/b/1"]), /two nodes of one path/);
  assert.throws(() => load(["", "/a", "/b", "/b/1", "/a/1", "/a", "/a/1"]), /two nodes of one path/);
});

test("replay of a delete takes along what a fuzzy snapshot already has below it", () => {
  const tree = new DataTree(options);
  const apply = applier(tree);
  for (const path of ["/a", "/a/b", "/a/b/c"]) apply(create(path));
  assert.equal(apply({ type: OpCode.delete, path: "/a" }).err, ErrorCode.OK);
  assert.equal(tree.nodes.size, 5);
});

test("a mismatch is told with both digests", () => {
  const told: unknown[] = [];
  const tree = new DataTree({ ...options, onDigestMismatch: (...mismatch) => told.push(mismatch) });
  const header = { clientId: 1n, cxid: 1, zxid: 1, time: 1, type: OpCode.createSession };
  const body = { type: OpCode.createSession, timeOut: 1 };
  tree.apply({ header, body, digest: digestFromBigInt(1371985504n) });
  assert.deepEqual(told, []);
  tree.apply({ header: { ...header, zxid: 2 }, body, digest: digestFromBigInt(5n) });
  assert.deepEqual(told, [[2, 5n, 1371985504n]]);
});

const unsettledCases: { name: string; digests: (bigint | "settled")[]; told: number[] }[] = [
  { name: "nothing is told before the first match", digests: [5n, 6n, 1371985504n], told: [] },
  { name: "after a match everything is told", digests: [5n, 1371985504n, 6n], told: [3] },
  { name: "once it is settled everything is told", digests: [5n, "settled", 6n], told: [3] },
];
for (const { name, digests, told } of unsettledCases) {
  test(`a snapshot without a digest: ${name}`, () => {
    const zxids: number[] = [];
    const loader = new SnapshotLoader({ ...options, onDigestMismatch: (zxid) => zxids.push(zxid) }, 0);
    const source = new DataTree(options).snapshotSource();
    const writer = new Writer();
    source.writeNodes(writer, Number.POSITIVE_INFINITY);
    source.close();
    readNodes(new Reader(writer.written()), loader);
    const tree = loader.finish();
    assert.equal(tree.digests.isUnsettled, true);
    const walk = tree.snapshotSource();
    assert.deepEqual(walk.digest(), { zxid: 0, treeDigest: 0n });
    walk.close();
    const header = { clientId: 1n, cxid: 1, time: 1, type: OpCode.createSession };
    const body = { type: OpCode.createSession, timeOut: 1 };
    for (const [index, treeDigest] of digests.entries()) {
      if (treeDigest === "settled") tree.digests.settled();
      else tree.apply({ header: { ...header, zxid: index + 1 }, body, digest: digestFromBigInt(treeDigest) });
    }
    assert.deepEqual(zxids, told);
  });
}

test("every 128th digest is remembered", () => {
  const tree = new DataTree(options);
  const apply = applier(tree);
  for (let i = 0; i < 300; i++) apply({ type: OpCode.createSession, timeOut: 1 });
  assert.deepEqual(
    tree.digests.history.map(({ zxid }) => zxid),
    [128, 256],
  );
});

test("a snapshot of a tree that is still ahead of what was replayed says up to where it is", () => {
  const told: unknown[] = [];
  const load = (source: DataTree, digest: { zxid: number; treeDigest: bigint }, zxid: number): DataTree => {
    const loader = new SnapshotLoader({ ...options, onDigestMismatch: (...mismatch) => told.push(mismatch) }, zxid);
    const walk = source.snapshotSource();
    const writer = new Writer();
    walk.writeNodes(writer, Number.POSITIVE_INFINITY);
    walk.close();
    readNodes(new Reader(writer.written()), loader);
    loader.digest(digest);
    return loader.finish();
  };
  const header = { clientId: 1n, cxid: 1, zxid: 3, time: 1, type: OpCode.create };
  const body: TxnBody = { type: OpCode.create, path: "/a", data: null, acl: [], ephemeral: false, parentCVersion: 1 };
  const later = new DataTree(options);
  later.apply({ header, body, digest: null });
  // The log was lost from zxid 2 on; the snapshot, named 1, has all up to 3.
  const ahead = load(later, { zxid: 3, treeDigest: later.digest() }, 1);
  const walk = ahead.snapshotSource();
  assert.deepEqual(walk.digest(), { zxid: 3, treeDigest: later.digest() });
  walk.close();
  const again = load(ahead, { zxid: 3, treeDigest: later.digest() }, 1);
  const error: TxnBody = { type: OpCode.error, err: -101 };
  again.apply({ header: { ...header, zxid: 2, type: OpCode.error }, body: error, digest: digestFromBigInt(5n) });
  again.apply({ header, body, digest: digestFromBigInt(later.digest()) });
  assert.deepEqual(told, []);
  const settled = again.snapshotSource();
  assert.deepEqual(settled.digest(), { zxid: 3, treeDigest: later.digest() });
  settled.close();
});
