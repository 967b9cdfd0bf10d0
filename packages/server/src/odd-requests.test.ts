// Requests that no client library sends, answered as Apache answers them. All of these were found by the differential
// test (interop/differential).

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@vivarium/jute";
import { AuthPacket, ErrorCode, OpCode, SaslToken } from "@vivarium/protocol";
import { brief, type Reply } from "./testing/raw-client.ts";
import { create, exists, ping, raw, setData } from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

test("a write that cannot be decoded is refused in its turn, takes no zxid and leaves no record", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  const before = bed.server.lastProcessedZxid;
  client.sendTogether(create("/a"), raw(OpCode.setData, new Uint8Array(3)), exists("/a"), setData("/a", "x"));
  await bed.settle();
  const replies = client.take() as Reply[];
  assert.deepEqual(brief(replies), ["#1 OK", "#2 MARSHALLINGERROR", "#3 OK", "#4 OK"]);
  assert.deepEqual(
    replies.map(({ zxid }) => zxid - before),
    [1, 1, 1, 2],
  );
  await bed.stop();
});

test("a SASL request without a token closes the connection", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  client.send(raw(OpCode.sasl, encode(SaslToken, { token: null })));
  await bed.settle();
  assert.deepEqual(client.take(), []);
  assert.ok(client.isClosed);
  await bed.stop();
});

const unprovable = {
  "no data": { scheme: "digest", auth: null },
  "no scheme": { scheme: null, auth: new Uint8Array(1) },
};
for (const [what, packet] of Object.entries(unprovable)) {
  test(`auth with ${what} is AUTHFAILED, and the connection closes behind it`, async () => {
    const bed = await TestBed.start();
    const client = await bed.client();
    const reply = await client.call({ ...raw(OpCode.auth, encode(AuthPacket, { type: 0, ...packet })), xid: -4 });
    assert.equal(reply.err, ErrorCode.AUTHFAILED);
    await bed.settle();
    assert.ok(client.isClosed);
    await bed.stop();
  });
}

test("pings do not count as a client's last request", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  const lastCxids = () => [...bed.server.listener.connections()].map(({ lastCxid }) => lastCxid);
  assert.deepEqual(lastCxids(), [0]);
  await client.call(exists("/a"));
  await client.call(exists("/b"));
  await client.call(ping);
  assert.deepEqual(lastCxids(), [2]);
  await bed.stop();
});
