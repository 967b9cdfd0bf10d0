import assert from "node:assert/strict";
import { test } from "node:test";
import { OpCode } from "@vivarium/protocol";
import { LoadSession } from "./session.ts";
import { reply, startScripted } from "./testing/scripted-server.ts";

test("replies belong to their requests, refusals are errors", async () => {
  const { network, address } = await startScripted(6000, (xid, connection) =>
    connection.write(reply(xid, xid === 2 ? -101 : 0)),
  );
  const session = await LoadSession.open(network, address);
  assert.deepEqual([session.id, session.timeoutMs, session.password[0]], [0x1234n, 6000, 7]);
  const calls = [1, 2, 3].map(() => session.call(OpCode.sync, () => {}, "sync"));
  await calls[0];
  await assert.rejects(calls[1] ?? Promise.resolve(), /sync: the server answered NONODE/);
  await calls[2];
  assert.equal(session.inFlight, 0);
  session.drop();
});

test("a reply out of order ends the session", async () => {
  const { network, address } = await startScripted(6000, (xid, connection) => connection.write(reply(xid + 1, 0)));
  const session = await LoadSession.open(network, address);
  await assert.rejects(session.call(OpCode.sync), /reply 2 came where reply 1 was due/);
  assert.match(session.lost?.message ?? "", /reply 2 came/);
});

test("a session that has expired is an error", async () => {
  const { network, address } = await startScripted(0, () => {});
  await assert.rejects(LoadSession.open(network, address), /server:2181 says that the session has expired/);
});

test("a connection that is lost fails what waits for it, and tells", async () => {
  const { network, address } = await startScripted(6000, (_, connection) => connection.destroy());
  const session = await LoadSession.open(network, address);
  const told = new Promise<Error>((resolve) => (session.onLost = resolve));
  await assert.rejects(session.call(OpCode.sync));
  assert.match((await told).message, /closed the connection|reset/i);
  await assert.rejects(session.call(OpCode.sync), /server:2181 is lost/);
  await session.close();
});
