// What clients may not send: the connection that does is answered as Apache ZooKeeper answers, or closed, with one line
// in the log, and no other connection notices.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "@vivarium/jute";
import { CreateMode, CreateRequest, ErrorCode, OpCode } from "@vivarium/protocol";
import { brief, framed, type RawClient, type Reply, requestFrame } from "./testing/raw-client.ts";
import {
  check,
  create,
  createBody,
  createContainer,
  deleteContainer,
  exists,
  getData,
  raw,
} from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

/** A server with two clients, one of which will misbehave. */
async function twoClients(settings = {}) {
  const bed = await TestBed.start(settings);
  const [bad, good] = [await bed.client(), await bed.client()];
  await good.call(create("/good"));
  good.take();
  return { bed, bad, good };
}

async function assertUnharmed(bed: TestBed, good: RawClient): Promise<void> {
  assert.equal(await good.outcome(exists("/good")), "OK");
  assert.equal(good.isClosed, false);
  const fresh = await bed.client();
  assert.equal(await fresh.outcome(exists("/good")), "OK");
  await bed.stop();
}

for (const { name, request } of [
  { name: "an unknown op", request: raw(99) },
  { name: "an unknown negative op", request: raw(-42) },
  { name: "check outside of a multi", request: check("/good") },
  { name: "a notification", request: raw(OpCode.notification) },
  { name: "error", request: raw(OpCode.error, Uint8Array.of(0, 0, 0, 0)) },
  { name: "createSession", request: raw(OpCode.createSession, Uint8Array.of(0, 0, 0x27, 0x10)) },
  { name: "deleteContainer", request: deleteContainer("/good") },
]) {
  test(`${name}: UNIMPLEMENTED with zxid -1, then the connection ends`, async () => {
    const { bed, bad, good } = await twoClients();
    const zxid = bed.server.lastProcessedZxid;
    bad.send(request);
    bad.send(create("/after"));
    await bed.settle();
    const [reply, ...others] = bad.take() as Reply[];
    assert.deepEqual([reply?.xid, reply?.zxid, reply?.err], [1, -1, ErrorCode.UNIMPLEMENTED]);
    assert.deepEqual(others, []);
    assert.equal(bad.isClosed, true);
    assert.equal(bed.server.lastProcessedZxid, zxid, "nothing was done");
    assert.equal(bed.said("warn").length, 1);
    await assertUnharmed(bed, good);
  });
}

test("deleteContainer does not take anybody's nodes: not those without children, not even containers", async () => {
  const { bed, bad, good } = await twoClients();
  await good.call(createContainer("/container"));
  bad.send(deleteContainer("/container"));
  await bed.settle();
  assert.equal(await good.outcome(exists("/container")), "OK");
  await assertUnharmed(bed, good);
});

const utf8Path = encode(CreateRequest, createBody("/a__b", { mode: CreateMode.PERSISTENT }));
utf8Path.set([0xc3, 0x28], 4 + 2);

/** Each of them ends the connection without an answer, once its session is there. */
const nonsense: readonly { name: string; bytes: Uint8Array }[] = [
  { name: "a negative length", bytes: Uint8Array.of(0xff, 0xff, 0xff, 0xff) },
  { name: "the most negative length", bytes: Uint8Array.of(0x80, 0, 0, 0) },
  { name: "a length over jute.maxbuffer", bytes: Uint8Array.of(0, 0x10, 0, 0) },
  { name: "the largest length there is", bytes: Uint8Array.of(0x7f, 0xff, 0xff, 0xff) },
  { name: "an empty frame", bytes: Uint8Array.of(0, 0, 0, 0) },
  { name: "a frame without room for a header", bytes: framed(Uint8Array.of(0, 0, 0, 1, 0, 0, 0)) },
  { name: "a SASL request without a token", bytes: requestFrame(raw(OpCode.sasl, new Uint8Array(4).fill(255)), 1) },
  { name: "an auth packet that is cut off", bytes: requestFrame(raw(OpCode.auth, Uint8Array.of(0, 0, 0, 0)), -4) },
];

for (const { name, bytes } of nonsense) {
  test(`${name} ends the connection without an answer, with one line in the log`, async () => {
    const { bed, bad, good } = await twoClients();
    bad.sendBytes(bytes);
    bad.send(create("/after"));
    await bed.settle();
    assert.deepEqual(bad.take(), []);
    assert.equal(bad.isClosed, true);
    assert.equal(bed.said("warn").length, 1);
    assert.equal(await good.outcome(exists("/after")), "NONODE");
    await assertUnharmed(bed, good);
  });
}

for (const { name, bytes } of [
  { name: "a length that no ConnectRequest has", bytes: Uint8Array.of(0x7f, 0xff, 0xff, 0xff) },
  { name: "a negative length", bytes: Uint8Array.of(0xff, 0xff, 0xff, 0xff) },
  { name: "HTTP", bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n") },
  { name: "TLS", bytes: Buffer.from("1603010200010001fc0303", "hex") },
  { name: "a ConnectRequest that is cut off", bytes: framed(new Uint8Array(20)) },
  { name: "an empty frame", bytes: framed(new Uint8Array(0)) },
]) {
  test(`instead of a ConnectRequest, ${name}: closed, with one line in the log`, async () => {
    const { bed, good } = await twoClients();
    const bad = await bed.connect();
    bad.sendBytes(bytes);
    await bed.settle();
    assert.equal(bad.text, "");
    assert.equal(bad.isClosed, true);
    assert.equal(bed.said("warn").length, 1);
    await assertUnharmed(bed, good);
  });
}

for (const { name, request, answer, zxids = 0 } of [
  { name: "a write whose record is cut off", request: raw(OpCode.create, Uint8Array.of(0, 0, 0, 9, 47)) },
  { name: "a path that is no UTF-8", request: raw(OpCode.create, utf8Path), answer: "#1 BADARGUMENTS", zxids: 1 },
  { name: "a read without its record", request: raw(OpCode.getData) },
  { name: "a multi without an end", request: raw(OpCode.multi, Uint8Array.of(0, 0, 0, 13, 0)), zxids: 1 },
  { name: "a vector of two thousand million", request: raw(OpCode.setWatches, new Uint8Array(12).fill(0x7f)) },
]) {
  test(`${name} gets the answer and uses the zxids that it would at Apache ZooKeeper, and harms nobody`, async () => {
    const { bed, bad, good } = await twoClients();
    const zxid = bed.server.lastProcessedZxid;
    bad.send(request);
    await bed.settle();
    assert.deepEqual(brief(bad.take()), [answer ?? "#1 MARSHALLINGERROR"]);
    assert.equal(bed.server.lastProcessedZxid - zxid, zxids);
    await assertUnharmed(bed, good);
  });
}

test("a frame that hangs half-sent takes no more memory than has arrived, and ends with its session", async () => {
  const { bed, bad, good } = await twoClients();
  bad.sendBytes(Uint8Array.of(0, 0x0f, 0xff, 0xff, 0, 0, 0, 1));
  await bed.settle();
  const [connection] = bed.server.listener.connections();
  assert.ok(connection);
  assert.ok(connection.frames.bytes.length < 100);
  for (let i = 0; i < 12; i++) {
    await bed.clock.run(1000);
    await good.call(exists("/good"));
  }
  assert.equal(bad.isClosed, true);
  await assertUnharmed(bed, good);
});

test("a request that arrives byte by byte is a request", async () => {
  const { bed, bad } = await twoClients();
  for (const byte of requestFrame(getData("/good"), 7)) {
    bad.sendBytes(Uint8Array.of(byte));
    await bed.settle();
  }
  assert.deepEqual(brief(bad.take()), ["#7 OK"]);
  await bed.stop();
});

test("bytes after a request's record are ignored, as Apache ZooKeeper ignores them", async () => {
  const { bed, bad } = await twoClients();
  const { type, record } = getData("/good");
  assert.equal(await bad.outcome(raw(type, Buffer.concat([record, Buffer.alloc(30, 255)]))), "OK");
  await bed.stop();
});

test("jute.maxbuffer is the largest frame that is taken, to the byte", async () => {
  const limit = 4096;
  const { bed, bad, good } = await twoClients({ "jute.maxbuffer": limit });
  const overhead = requestFrame(create("/x"), 1).length - 4;
  assert.equal(await bad.outcome(create("/x", { data: new Uint8Array(limit - overhead) })), "OK");
  bad.send(create("/y", { data: new Uint8Array(limit - overhead + 1) }));
  await bed.settle();
  assert.equal(bad.isClosed, true);
  assert.equal(await good.outcome(exists("/y")), "NONODE");
  const [line] = bed.logs.records.filter(({ level }) => level === "warn");
  assert.match(String(line?.fields["problem"]), /4097 bytes.*jute\.maxbuffer.*4096/);
  await assertUnharmed(bed, good);
});

test("a client that closes its half of the connection gets its answers first", async () => {
  const { bed, bad } = await twoClients();
  bad.send(getData("/good"));
  bad.connection.end();
  await bed.settle();
  assert.deepEqual(brief(bad.take()), ["#1 OK"]);
  assert.equal(bad.isClosed, true);
  await bed.stop();
});
