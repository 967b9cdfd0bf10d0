/**
 * What a million nodes of 100 bytes cost: memory, speed of inserting, finding and copying, and the longest pause.
 *
 *   node --expose-gc packages/tree/dist/testing/measure-node-store.js [nodes]
 */
import { crc32 as zlibCrc32 } from "node:zlib";
import { Writer } from "@vivarium/jute";
import { OpCode, SnapshotNode, type Txn, ZERO_STAT } from "@vivarium/protocol";
import { DataTree } from "../data-tree.ts";
import { NONE } from "../node-store.ts";
import { SnapshotLoader } from "../snapshot-loader.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const data = new Uint8Array(100).fill(0x78);
const acl = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
const options = { extendedTypes: false, emulate353Ttl: false, digest: process.env["DIGEST"] !== "0" };
const tree = new DataTree(
  process.env["ZLIB"] ? { ...options, crc32: (b, s, e, seed) => zlibCrc32(b.subarray(s, e), seed) } : options,
);
const rssBefore = rss();

function rss(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

function create(path: string, zxid: number): Txn {
  const header = { clientId: 1n, cxid: zxid, zxid, time: zxid, type: OpCode.create };
  const body = { type: OpCode.create, path, data, acl, ephemeral: false, parentCVersion: -1 };
  return { header, body, digest: null };
}

/** Runs `step` so often and reports its mean CPU time, and the longest that sixteen took by the clock. */
function measure(what: string, times: number, step: (i: number) => void): void {
  let longest = 0;
  const cpu = process.cpuUsage();
  let before = performance.now();
  for (let i = 0; i < times; i++) {
    step(i);
    if ((i & 15) !== 0) continue;
    const now = performance.now();
    if (now - before > longest) longest = now - before;
    before = now;
  }
  const { user, system } = process.cpuUsage(cpu);
  const perStep = ((user + system) * 1000) / times;
  console.log(`${what}: ${perStep.toFixed(0)} ns each, longest 16 together ${longest.toFixed(2)} ms`);
}

const pathOf = (i: number) => `/p${i % 1000}/node-${`${i}`.padStart(10, "0")}`;
let zxid = 0;
for (let i = 0; i < 1000; i++) tree.apply(create(`/p${i}`, ++zxid));
measure("create", count, (i) => tree.apply(create(pathOf(i), ++zxid)));
const rssAfter = rss();
const perNode = (rssAfter - rssBefore) / count;
console.log(
  `RSS ${(rssAfter / 1e6).toFixed(0)} MB, ${perNode.toFixed(0)} bytes per node; heap ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB`,
);
console.log(`held for nodes: ${(tree.nodes.memoryBytes / count).toFixed(0)} bytes per node`);

const { nodes } = tree;
const paths = Array.from({ length: 4096 }, (_, i) => Buffer.from(pathOf((i * 7919 * 31) % count)));
const out = new Uint8Array(4096);
const outView = new DataView(out.buffer);
let found = 0;
measure("find", count, (i) => {
  const path = paths[(i * 13) & 4095] as Uint8Array;
  if (nodes.find(path, 0, path.length) !== NONE) found++;
});
if (found !== count) throw new Error(`found ${found} of ${count}`);
measure("find, copy Stat and data", count, (i) => {
  const path = paths[(i * 13) & 4095] as Uint8Array;
  const id = nodes.find(path, 0, path.length);
  nodes.copyData(id, out, outView, 0);
  nodes.copyStat(id, outView, 100);
});
const other = new Uint8Array(100).fill(0x79);
measure("setData", count, (i) => {
  const body = { type: OpCode.setData, path: pathOf((i * 7919) % count), data: other, version: i };
  const header = { clientId: 1n, cxid: i, zxid: ++zxid, time: i, type: OpCode.setData };
  tree.apply({ header, body, digest: null });
});
const source = tree.snapshotSource();
const writer = new Writer(1 << 20);
const start = performance.now();
let bytes = 0;
for (let more = true; more; ) {
  writer.reset();
  more = source.writeNodes(writer, 64 * 1024);
  bytes += writer.length;
}
source.close();
console.log(`snapshot: ${(bytes / 1e6).toFixed(0)} MB in ${(performance.now() - start).toFixed(0)} ms`);
const loader = new SnapshotLoader(options, zxid);
loader.node(SnapshotNode.of(new Uint8Array(0), null, -1, ZERO_STAT));
for (let i = 0; i < 1000; i++) loader.node(SnapshotNode.of(Buffer.from(`/p${i}`), data, -1, ZERO_STAT));
measure("load", count, (i) => loader.node(SnapshotNode.of(Buffer.from(pathOf(i)), data, -1, ZERO_STAT)));
measure("delete", count, (i) => {
  const body = { type: OpCode.delete, path: pathOf(i) };
  tree.apply({ header: { clientId: 1n, cxid: i, zxid: ++zxid, time: i, type: OpCode.delete }, body, digest: null });
});
console.log(`RSS at the end ${(rss() / 1e6).toFixed(0)} MB`);
