import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 as zlibCrc32 } from "node:zlib";
import { SnapshotNode, ZERO_STAT } from "@vivarium/protocol";
import { bornDigest } from "./born-digest.ts";
import { crc32, crc32OfView } from "./crc32.ts";
import { NONE, NodeStore, ROOT } from "./node-store.ts";

const rules = { extendedTypes: true, emulate353Ttl: false };
const encoder = new TextEncoder();

function store(): NodeStore {
  return new NodeStore({ rules, digest: true });
}

function add(nodes: NodeStore, path: string, data: string | null = "", zxid = 1, owner = 0n): number {
  const bytes = encoder.encode(path);
  const nameStart = bytes.lastIndexOf(0x2f) + 1;
  const content = data === null ? null : encoder.encode(data);
  const id = nodes.insert(nodes.find(bytes, 0, nameStart - 1), bytes, nameStart, bytes.length, content);
  nodes.born(id, { data: content }, -1, owner, { zxid, time: 1000 });
  return id;
}

test("crc32 equals zlib's for every length of some steps, whole and continued", () => {
  const bytes = Uint8Array.from({ length: 51 }, (_, i) => (i * 151) & 0xff);
  const view = new DataView(bytes.buffer);
  for (let end = 0; end <= bytes.length; end++) {
    const expected = zlibCrc32(bytes.subarray(0, end));
    assert.equal(crc32(bytes, 0, end, 0), expected);
    const half = end >> 1;
    assert.equal(crc32(bytes, half, end, crc32(bytes, 0, half, 0)), expected);
    assert.equal(crc32OfView(view, half, end, crc32OfView(view, 0, half, 0)) >>> 0, expected);
  }
});

test("the digest of a node as it was created is the checksum of its whole Stat", () => {
  for (const [prefix, czxid, ctime] of [
    [0, 0n, 0n],
    [0x9abcdef0, 0x1234_5678_9abcn, 0x0123_4567_89ab_cdefn],
    [1, -1n, 1_700_000_000_000n],
  ] as const) {
    const stat = new DataView(new ArrayBuffer(60));
    for (const place of [0, 8, 16]) stat.setBigInt64(place, czxid);
    for (const place of [24, 32]) stat.setBigInt64(place, ctime);
    const record = Int32Array.of(
      7,
      ...[czxid >> 32n, czxid, ctime >> 32n, ctime].map((n) => Number(BigInt.asIntN(32, n))),
    );
    assert.equal(bornDigest(prefix, record, 1, 3) >>> 0, zlibCrc32(new Uint8Array(stat.buffer), prefix));
  }
});

test("a new tree's digest is Apache's", () => {
  const nodes = store();
  nodes.load(SnapshotNode.of(encoder.encode("/zookeeper"), new Uint8Array(0), -1, ZERO_STAT));
  add(nodes, "/zookeeper/quota");
  assert.equal(nodes.treeDigest.toBigInt(), 1371985504n);
});

test("nodes are found by whole paths only", () => {
  const nodes = store();
  const a = add(nodes, "/a");
  const b = add(nodes, "/a/b");
  const umlaut = add(nodes, "/a/b/äöü");
  for (const [path, id] of [
    ["", ROOT],
    ["/", ROOT],
    ["/a", a],
    ["/a/b", b],
    ["/a/b/äöü", umlaut],
    ["a", NONE],
    ["/a/", NONE],
    ["//a", NONE],
    ["/b", NONE],
    ["/a/b/", NONE],
    ["/ab", NONE],
  ] as const) {
    assert.equal(nodes.findPath(path), id, path);
    if (id > ROOT) assert.equal(nodes.path(id), path);
  }
  assert.equal(nodes.name(umlaut), "äöü");
});

test("the Stat is what clients see", () => {
  const nodes = store();
  const a = add(nodes, "/a", "data", 0x1_0000_0007);
  const session = add(nodes, "/a/e", null, 9, 0x1000abcdef00001n);
  nodes.setChildrenChanged(a, 1, 9);
  const container = add(nodes, "/a/c", "", 10, -0x8000000000000000n);
  nodes.setChildrenChanged(a, 2, 10);
  assert.deepEqual(nodes.stat(a), {
    czxid: 0x1_0000_0007,
    mzxid: 0x1_0000_0007,
    ctime: 1000,
    mtime: 1000,
    version: 0,
    cversion: 2,
    aversion: 0,
    ephemeralOwner: 0n,
    dataLength: 4,
    numChildren: 2,
    pzxid: 10,
  });
  nodes.remove(container);
  nodes.setChildrenChanged(a, 2, 11);
  assert.equal(nodes.stat(a).cversion, 3);
  assert.equal(nodes.stat(session).ephemeralOwner, 0x1000abcdef00001n);
  assert.equal(nodes.owner(session), 0x1000abcdef00001n);
  assert.equal(nodes.dataLength(session), -1);
  assert.equal(nodes.data(session), null);
  const other = add(nodes, "/c", "", 10, -0x8000000000000000n);
  assert.equal(nodes.stat(other).ephemeralOwner, 0n);
  assert.equal(nodes.owner(other), -0x8000000000000000n);
  assert.equal(nodes.isNormalEphemeral(other), false);
});

// A plain Map says what must be found; the digest of what is left must be that of a store that never had the rest.
test("many creates, deletes and changes of every size leave what a map would", () => {
  const nodes = store();
  const expected = new Map<string, string>();
  let random = 12345;
  const next = (below: number) => {
    random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff;
    return (random >>> 8) % below;
  };
  for (let i = 0; i < 20_000; i++) {
    const path = `/n${next(3000)}`;
    const data = "x".repeat(next(20) === 0 ? next(10_000) : next(200));
    const id = nodes.findPath(path);
    assert.equal(id !== NONE, expected.has(path));
    if (id === NONE) {
      add(nodes, path, data, 5);
      expected.set(path, data);
    } else if (next(2) === 0) {
      nodes.remove(id);
      expected.delete(path);
    } else {
      nodes.setData(id, { data: encoder.encode(data) }, 0, 5, 1000);
      expected.set(path, data);
    }
  }
  const fresh = store();
  for (const [path, data] of expected) {
    add(fresh, path, data, 5);
    assert.equal(new TextDecoder().decode(nodes.data(nodes.findPath(path)) ?? undefined), data);
  }
  assert.equal(nodes.treeDigest.toBigInt(), fresh.treeDigest.toBigInt());
  assert.equal(nodes.size, expected.size + 2);
  assert.equal(nodes.approximateDataSize, fresh.approximateDataSize);
  const children = new Set<string>();
  for (let id = nodes.firstChild(ROOT); id !== NONE; id = nodes.nextSibling(id)) children.add(nodes.path(id));
  assert.deepEqual(children, new Set(expected.keys()));
});
