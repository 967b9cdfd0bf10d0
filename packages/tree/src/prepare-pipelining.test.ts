/**
 * However many transactions are outstanding when a request is judged, the outcome is the same to the byte, and every
 * predicted digest comes true.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "@vivarium/jute";
import { CreateMode, ErrorCode, type Id, OPEN_ACL_UNSAFE, OpCode, Perms, readTxn } from "@vivarium/protocol";
import fc from "fast-check";
import { DataTree } from "./data-tree.ts";
import { digestProvider, encodeRequest, type Fields, here, Workbench } from "./testing/workbench.ts";

interface Step {
  fields: Fields;
  sessionId: bigint;
  /** How many outstanding transactions to apply after this one. */
  apply: number;
}

const bob: Id = { scheme: "digest", id: digestProvider.digest("bob:secret") };
const acls = [OPEN_ACL_UNSAFE, [{ perms: Perms.ALL - Perms.DELETE, id: bob }], [{ perms: Perms.READ, id: here }]];

const path = fc.constantFrom(
  "/",
  "/a",
  "/b",
  "/a/x",
  "/a/y",
  "/b/x",
  "/a/x/deep",
  "/a/s0000000000",
  "/zookeeper/q",
  "/e/",
);
const version = fc.constantFrom(-1, -1, 0, 1);
const data = fc.constantFrom(null, "", "1", "some longer data");
const acl = fc.oneof({ arbitrary: fc.constant(acls[0]), weight: 8 }, fc.constantFrom(acls[1], acls[2]));

const create = fc.record({
  type: fc.constantFrom(OpCode.create, OpCode.create, OpCode.create2, OpCode.createContainer),
  path,
  data,
  acl,
  flags: fc.nat({ max: CreateMode.CONTAINER }),
});
const createTTL = fc.record({
  type: fc.constant(OpCode.createTTL),
  path,
  data,
  acl,
  flags: fc.constantFrom(CreateMode.PERSISTENT_WITH_TTL, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL),
  ttl: fc.constant(5n),
});
const others = [
  fc.record({ type: fc.constant(OpCode.delete), path, version }),
  fc.record({ type: fc.constant(OpCode.setData), path, data, version }),
];
const op = fc.oneof({ arbitrary: create, weight: 4 }, createTTL, ...others, ...others);
const check = fc.record({ type: fc.constant(OpCode.check), path, version });
const multi = fc.record({ type: fc.constant(OpCode.multi), ops: fc.array(fc.oneof(op, check), { maxLength: 4 }) });
const single = fc.oneof(
  { arbitrary: op, weight: 8 },
  { arbitrary: multi, weight: 3 },
  fc.record({ type: fc.constant(OpCode.setACL), path, acl, version }),
  fc.record({ type: fc.constant(OpCode.closeSession) }),
  fc.record({ type: fc.constant(OpCode.deleteContainer), path }),
);
const step: fc.Arbitrary<Step> = fc.record({
  type: fc.constant(0),
  fields: single as fc.Arbitrary<Fields>,
  sessionId: fc.constantFrom(1n, 2n),
  apply: fc.constantFrom(0, 0, 0, 1, 3, 100),
});

function run(steps: readonly Step[], apply: (step: Step) => number): { bench: Workbench; entries: Uint8Array[] } {
  const bench = new Workbench();
  const entries: Uint8Array[] = [];
  for (const each of steps) {
    const type = each.fields["type"] as number;
    const authInfo = each.sessionId === 1n ? [here, bob] : [here];
    const prepared = bench.decide(type, encodeRequest(type, each.fields), { sessionId: each.sessionId, authInfo });
    entries.push(prepared.entry);
    bench.apply(apply(each));
  }
  bench.apply();
  return { bench, entries };
}

test("the depth of the pipeline changes nothing", () => {
  let succeeded = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 25, maxLength: 60 }), (steps) => {
      const oneByOne = run(steps, () => 1);
      const pipelined = run(steps, (each) => each.apply);
      assert.deepEqual(pipelined.bench.digestMismatches, []);
      assert.deepEqual(oneByOne.bench.digestMismatches, []);
      assert.equal(pipelined.bench.prepare.outstandingChanges, 0);
      for (const [i, entry] of pipelined.entries.entries()) {
        const { body } = readTxn(new Reader(entry));
        if (body.type !== OpCode.error) succeeded++;
        // The order in which a session's nodes go is open.
        if (body.type !== OpCode.closeSession) assert.deepEqual(entry, oneByOne.entries[i]);
      }
      replay(pipelined.entries, pipelined.bench.tree);
    }),
    { numRuns: 80 },
  );
  assert.ok(succeeded > 500, "most requests must get somewhere for this to mean anything");
});

/** The log alone must lead to the same tree: nothing that counts is outside the transactions. */
function replay(entries: readonly Uint8Array[], expected: DataTree): void {
  const tree = new DataTree({ extendedTypes: true, emulate353Ttl: false, digest: true });
  for (const entry of entries) {
    const txn = readTxn(new Reader(entry));
    const { err } = tree.apply(txn);
    if (txn.body.type !== OpCode.error && txn.body.type !== OpCode.multi) assert.equal(err, ErrorCode.OK);
  }
  assert.equal(tree.digest(), expected.digest());
  assert.equal(tree.nodes.size, expected.nodes.size);
}

test("the memory of an entry is used again once its transaction is applied, and not before", () => {
  const bench = new Workbench({ releasesApplied: true });
  bench.do(OpCode.create, { path: "/n" });
  const writes = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const text = `${i}`.padStart(1000, "x");
      const { entry } = bench.decide(
        OpCode.setData,
        encodeRequest(OpCode.setData, { path: "/n", data: text, version: -1 }),
      );
      return { entry, text };
    });
  const outstanding = writes(1000);
  const memories = new Set(outstanding.map(({ entry }) => entry.buffer));
  assert.ok(memories.size > 10);
  for (const { entry, text } of outstanding) assert.ok(Buffer.from(entry).includes(text), "an entry was overwritten");
  bench.apply();
  const later = writes(1000);
  assert.ok(later.some(({ entry }) => memories.has(entry.buffer)));
  assert.ok(new Set([...memories, ...later.map(({ entry }) => entry.buffer)]).size <= memories.size + 1);
  bench.apply();
  assert.deepEqual(bench.digestMismatches, []);
  assert.equal(
    Buffer.from(bench.tree.nodes.data(bench.tree.nodes.findPath("/n")) ?? []).toString(),
    later.at(-1)?.text,
  );
});
