import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, Writer } from "@vivarium/jute";
import { CreateMode, ErrorCode, MultiResponse, type MultiResult, OpCode } from "@vivarium/protocol";
import { NONE } from "./node-store.ts";
import { encodeRequest, type Fields, Workbench } from "./testing/workbench.ts";
import { writeResult } from "./write-result.ts";

test("a refused write has a code and no body", () => {
  const bench = new Workbench();
  for (const type of [OpCode.create, OpCode.create2, OpCode.setData, OpCode.delete, OpCode.setACL]) {
    bench.err(type, { path: "/no/where" });
    const [result] = bench.apply();
    const writer = new Writer();
    assert.ok(result !== undefined);
    assert.equal(writeResult(writer, bench.tree.nodes, type, result), ErrorCode.NONODE);
    assert.equal(writer.length, 0);
  }
});

function multi(bench: Workbench, ops: Fields[]): { err: number; body: Uint8Array } {
  bench.decide(OpCode.multi, encodeRequest(OpCode.multi, { ops }));
  const [result] = bench.apply();
  const writer = new Writer();
  assert.ok(result !== undefined);
  const err = writeResult(writer, bench.tree.nodes, OpCode.multi, result);
  return { err, body: writer.copy() };
}

test("the parts of a multi show each node as it was at that step", () => {
  const { err, body } = multi(new Workbench(), [
    { type: OpCode.create2, path: "/x", data: "1" },
    { type: OpCode.setData, path: "/x", data: "22" },
    { type: OpCode.createContainer, path: "/x/c", flags: CreateMode.CONTAINER },
    { type: OpCode.delete, path: "/x/c" },
  ]);
  assert.equal(err, ErrorCode.OK);
  const seen = decode(MultiResponse, body).map((part: MultiResult) =>
    "stat" in part ? [part.type, part.stat.version, part.stat.dataLength] : [part.type],
  );
  assert.deepEqual(seen, [[OpCode.create2, 0, 1], [OpCode.setData, 1, 2], [OpCode.create2, 0, 0], [OpCode.delete]]);
});

test("a session that moved is no reply, also when only a part of a multi says so", () => {
  const bench = new Workbench();
  bench.session = () => ErrorCode.SESSIONMOVED;
  const { err, body } = multi(bench, [{ type: OpCode.create, path: "/x" }]);
  assert.deepEqual([err, body.length], [ErrorCode.SESSIONMOVED, 0]);
  const single = { type: OpCode.error, err: ErrorCode.SESSIONMOVED, node: NONE };
  assert.equal(writeResult(new Writer(), bench.tree.nodes, OpCode.create, single), ErrorCode.SESSIONMOVED);
});
