import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, OpCode } from "@vivarium/protocol";
import { dataOf } from "./bodies.ts";
import { createMany } from "./bulk.ts";
import { LoadSession } from "./session.ts";
import { reply, startScripted } from "./testing/scripted-server.ts";

const COUNT = 2500;
const pathOf = (index: number) => `/n${index}`;

/** A server that refuses the requests for which `errOf` has an error; counts what it was asked. */
async function session(errOf: (xid: number) => number) {
  const asked: number[] = [];
  const { network, address } = await startScripted(6000, (xid, connection) => {
    asked.push(xid);
    connection.write(reply(xid, errOf(xid)));
  });
  return { asked, session: await LoadSession.open(network, address) };
}

test("every node is asked for once; one that exists is as good as made", async () => {
  const { asked, session: one } = await session((xid) => (xid === 7 ? ErrorCode.NODEEXISTS : 0));
  const seen: number[] = [];
  await createMany(one, COUNT, pathOf, { data: dataOf(1), onProgress: (done) => seen.push(done) });
  assert.equal(asked.length, COUNT);
  assert.equal(new Set(asked).size, COUNT);
  assert.ok(seen.length > 1 && seen.every((done, at) => at === 0 || done >= (seen[at - 1] ?? 0)));
  one.drop();
});

test("a refusal ends it early, when nothing is in flight any more, so that the session can go on", async () => {
  const { asked, session: one } = await session((xid) => (xid >= 7 && xid < 50 ? ErrorCode.NONODE : 0));
  await assert.rejects(createMany(one, COUNT, pathOf, { data: dataOf(1) }), /request 7 of 2500: .*NONODE/);
  assert.equal(one.inFlight, 0);
  assert.ok(asked.length < COUNT);
  await one.call(OpCode.sync);
  one.drop();
});

test("large values are few at a time", async () => {
  let most = 0;
  let open = 0;
  const { network, address } = await startScripted(6000, (xid, connection) => {
    most = Math.max(most, ++open);
    setImmediate(() => {
      open--;
      connection.write(reply(xid, 0));
    });
  });
  const one = await LoadSession.open(network, address);
  await createMany(one, 20, pathOf, { data: dataOf(1_000_000) });
  assert.ok(most <= 4, `${most} at once`);
  one.drop();
});
