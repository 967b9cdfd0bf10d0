// Sessions against a server that says what the test wants, in virtual time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameBuffer, Writer } from "@vivarium/jute";
import { OpCode } from "@vivarium/protocol";
import { type Connection, MemoryNetwork, NodeClock } from "@vivarium/runtime";
import { LoadSession } from "./session.ts";

const PORT = 2181;

/** A server that answers with what `answer` gives for each frame after the first, which gets a session. */
async function start(timeOut: number, answer: (xid: number, connection: Connection) => void) {
  const network = new MemoryNetwork({ clock: new NodeClock() });
  await network.host("server").listen({ host: "server", port: PORT }, (connection) => {
    const frames = new FrameBuffer(1 << 20);
    let isGreeted = false;
    connection.onData = (chunk) => {
      frames.append(chunk);
      while (frames.next()) {
        if (isGreeted)
          answer(new DataView(frames.bytes.buffer, frames.bytes.byteOffset).getInt32(frames.start), connection);
        else connection.write(greeting(timeOut));
        isGreeted = true;
      }
    };
  });
  return { network: network.host("client"), address: { host: "server", port: PORT } };
}

function greeting(timeOut: number): Uint8Array {
  const writer = new Writer();
  writer.int(37);
  writer.int(0);
  writer.int(timeOut);
  writer.long(0x1234n);
  writer.buffer(new Uint8Array(16).fill(7));
  writer.bool(false);
  return writer.copy();
}

function reply(xid: number, err: number): Uint8Array {
  const writer = new Writer();
  writer.int(16);
  writer.int(xid);
  writer.number(1);
  writer.int(err);
  return writer.copy();
}

test("replies belong to their requests, refusals are errors", async () => {
  const { network, address } = await start(6000, (xid, connection) =>
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
  const { network, address } = await start(6000, (xid, connection) => connection.write(reply(xid + 1, 0)));
  const session = await LoadSession.open(network, address);
  await assert.rejects(session.call(OpCode.sync), /reply 2 came where reply 1 was due/);
  assert.match(session.lost?.message ?? "", /reply 2 came/);
});

test("a session that has expired is an error", async () => {
  const { network, address } = await start(0, () => {});
  await assert.rejects(LoadSession.open(network, address), /server:2181 says that the session has expired/);
});

test("a connection that is lost fails what waits for it, and tells", async () => {
  const { network, address } = await start(6000, (_, connection) => connection.destroy());
  const session = await LoadSession.open(network, address);
  const told = new Promise<Error>((resolve) => (session.onLost = resolve));
  await assert.rejects(session.call(OpCode.sync));
  assert.match((await told).message, /closed the connection|reset/i);
  await assert.rejects(session.call(OpCode.sync), /server:2181 is lost/);
  await session.close();
});
