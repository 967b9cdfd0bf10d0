// Every limit a server has on its clients, at and beyond its edge; who stays below it never notices.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventType } from "@vivarium/protocol";
import { OPEN_ACL_ID } from "@vivarium/tree";
import { brief, dataOf, type RawClient, type Reply } from "./testing/raw-client.ts";
import { create, exists, getData, ping, setData } from "./testing/requests.ts";
import { type Settings, TestBed } from "./testing/test-bed.ts";

const settled = async (bed: TestBed): Promise<void> => {
  bed.disk.syncDelayMs = 0;
  await bed.stop();
};

test("maxClientCnxns: further connections of one address are closed, others are welcome, a place becomes free", async () => {
  const bed = await TestBed.start({ maxClientCnxns: 3 });
  const clients = [await bed.client(), await bed.client(), await bed.client()];
  const refused = await bed.connect();
  assert.equal(refused.isClosed, true);
  assert.equal((await bed.connect("10.0.0.10")).isClosed, false);
  clients[1]?.connection.destroy();
  await bed.settle();
  assert.equal((await bed.connect()).isClosed, false);
  assert.match(await bed.word("mntr", "10.0.0.11"), /^zk_connection_rejected\t1$/m);
  const [line] = bed.logs.records.filter(({ level }) => level === "warn");
  assert.deepEqual(line?.fields, { address: "10.0.0.9", maxClientCnxns: 3 });
  await bed.stop();
});

test("maxCnxns: the limit for all addresses together", async () => {
  const bed = await TestBed.start({ maxCnxns: 2 });
  const [one, two] = [await bed.connect("10.0.0.10"), await bed.connect("10.0.0.11")];
  assert.equal((await bed.connect("10.0.0.12")).isClosed, true);
  two.connection.destroy();
  await bed.settle();
  assert.equal((await bed.connect("10.0.0.12")).isClosed, false);
  assert.equal(one.isClosed, false);
  await bed.stop();
});

for (const settings of [{ maxClientCnxns: 0 }, { maxClientCnxns: -1 }] as Settings[]) {
  test(`${JSON.stringify(settings)} is no limit`, async () => {
    const bed = await TestBed.start(settings);
    for (let i = 0; i < 100; i++) assert.equal((await bed.connect()).isClosed, false);
    await bed.stop();
  });
}

/** Sends many writes and reads while the disk is slow, and looks how many of them the server has taken up at most. */
async function press(bed: TestBed, client: RawClient, count: number): Promise<number> {
  let most = 0;
  for (let i = 0; i < count; i++) {
    client.send(setData("/a", String(i)));
    client.send(getData("/a"));
  }
  for (let ms = 0; ms < 3000 && client.packets.length < 2 * count; ms++) {
    await bed.clock.run(1);
    most = Math.max(most, bed.server.dispatcher.outstanding);
  }
  return most;
}

function assertAllInOrder(replies: readonly Reply[], count: number): void {
  assert.equal(replies.length, 2 * count, "nothing was dropped");
  assert.ok(
    replies.every(({ err }, i) => err === 0 && (i === 0 || replies[i]?.xid === (replies[i - 1]?.xid ?? 0) + 1)),
    "nothing was reordered",
  );
  assert.deepEqual(
    replies.filter((_, i) => i % 2 === 1).map(dataOf),
    Array.from({ length: count }, (_, i) => String(i)),
  );
}

test("globalOutstandingLimit: above it a connection is not read; nothing is dropped or reordered, others go on", async () => {
  const bed = await TestBed.start({ globalOutstandingLimit: 10 });
  const [client, other] = [await bed.client(), await bed.client()];
  await client.call(create("/a"));
  client.take();
  bed.disk.syncDelayMs = 5;
  for (let i = 0; i < 30; i++) client.send(setData("/a", "x"));
  await bed.clock.run(1);
  assert.ok(bed.server.dispatcher.outstanding > 10);
  assert.equal(await other.outcome(exists("/a")), "OK", "who has nothing outstanding is still read");
  await bed.clock.run(1000);
  assert.equal(client.take().length, 30);
  const most = await press(bed, client, 200);
  assert.ok(most <= 11, `${most} requests were taken up`);
  const replies = client.take() as Reply[];
  assertAllInOrder(replies, 200);
  assert.equal(bed.server.dispatcher.outstanding, 0);
  await settled(bed);
});

test("pings are not counted as outstanding", async () => {
  const bed = await TestBed.start({ globalOutstandingLimit: 2 });
  const client = await bed.client();
  await client.call(create("/a"));
  bed.disk.syncDelayMs = 20;
  client.send(setData("/a", "x"));
  for (let i = 0; i < 50; i++) client.send(ping);
  await bed.settle();
  assert.equal(bed.server.dispatcher.outstanding, 1);
  await bed.clock.run(50);
  assert.equal(client.take().length, 52);
  await settled(bed);
});

test("a connection that dies with requests outstanding gives them back", async () => {
  const bed = await TestBed.start({
    globalOutstandingLimit: 10,
    largeRequestThreshold: 100,
    largeRequestMaxBytes: 5000,
  });
  const [client, other] = [await bed.client(), await bed.client()];
  await client.call(create("/a"));
  bed.disk.syncDelayMs = 20;
  for (let i = 0; i < 20; i++) client.send(setData("/a", "x".repeat(200)));
  await bed.settle();
  client.connection.destroy();
  await bed.clock.run(100);
  assert.equal(bed.server.dispatcher.outstanding, 0);
  bed.disk.syncDelayMs = 0;
  assert.equal(await other.outcome(setData("/a", "y".repeat(4800))), "OK", "large bytes as well");
  await settled(bed);
});

test("request_throttle_max_requests: more are held back until the first are done", async () => {
  const bed = await TestBed.start({ request_throttle_max_requests: 5 });
  const client = await bed.client();
  await client.call(create("/a"));
  client.take();
  bed.disk.syncDelayMs = 5;
  const most = await press(bed, client, 50);
  assert.ok(most <= 5, `${most} requests were taken up`);
  assertAllInOrder(client.take() as Reply[], 50);
  await settled(bed);
});

test("throttled_op_wait_time: what was held back for longer is answered THROTTLEDOP in its turn, and not done", async () => {
  const bed = await TestBed.start({ request_throttle_max_requests: 1, throttled_op_wait_time: 100 });
  const client = await bed.client();
  await client.call(create("/a"));
  client.take();
  bed.disk.syncDelayMs = 150;
  client.sendTogether(setData("/a", "first"), setData("/a", "held back"), ping);
  await bed.clock.run(1000);
  assert.deepEqual(brief(client.take()), ["#2 OK", "#3 THROTTLEDOP", "#-2 OK"]);
  assert.equal(dataOf(await client.call(getData("/a"))), "first");
  await settled(bed);
});

test("request_stale_latency_check: a request older than its session's timeout is dropped with its connection", async () => {
  const settings = { request_throttle_max_requests: 1, request_stale_latency_check: true, tickTime: 100 };
  const bed = await TestBed.start(settings);
  const client = await bed.client({ timeOut: 200 });
  await client.call(create("/a"));
  client.take();
  bed.disk.syncDelayMs = 250;
  client.sendTogether(setData("/a", "first"), setData("/a", "stale"));
  await bed.clock.run(260);
  assert.equal(client.isClosed, true);
  bed.disk.syncDelayMs = 0;
  const other = await bed.client();
  assert.equal(dataOf(await other.call(getData("/a"))), "first");
  await settled(bed);
});

test("largeRequestMaxBytes: a large request beyond it ends its connection; small ones do not count", async () => {
  const bed = await TestBed.start({ largeRequestThreshold: 1000, largeRequestMaxBytes: 3000 });
  const [greedy, other, small] = [await bed.client(), await bed.client(), await bed.client()];
  await greedy.call(create("/a"));
  bed.disk.syncDelayMs = 20;
  greedy.send(setData("/a", "x".repeat(2000)));
  await bed.settle();
  other.send(setData("/a", "y".repeat(2000)));
  for (let i = 0; i < 10; i++) small.send(setData("/a", "z".repeat(900)));
  await bed.settle();
  assert.deepEqual([greedy.isClosed, other.isClosed, small.isClosed], [false, true, false]);
  await bed.clock.run(100);
  bed.disk.syncDelayMs = 0;
  assert.equal(await greedy.outcome(setData("/a", "x".repeat(2000))), "OK", "room again once it is answered");
  assert.ok(bed.said("warn").length === 1);
  await settled(bed);
});

test("connection throttle: without tokens connections are closed unanswered, until the bucket fills again", async () => {
  const settings = {
    connection_throttle_tokens: 2,
    connection_throttle_fill_time: 1000,
    connection_throttle_fill_count: 1,
  };
  const bed = await TestBed.start(settings);
  const greet = async () => (await bed.connect()).hello();
  assert.ok(await greet());
  assert.ok(await greet());
  assert.equal(await greet(), undefined);
  await bed.clock.run(1001);
  assert.ok(await greet());
  assert.equal(await greet(), undefined);
  assert.match(await bed.word("mntr"), /^zk_connection_rejected\t2$/m);
  await bed.stop();
});

test("a client that takes no replies is not read on, so that what waits for it stays bounded; it loses nothing", async () => {
  const bed = await TestBed.start();
  const [slow, other] = [await bed.client(), await bed.client()];
  const size = 100_000;
  await slow.call(create("/big", { data: new Uint8Array(size) }));
  slow.take();
  slow.connection.pause();
  for (let i = 0; i < 200; i++) slow.send(getData("/big"));
  await bed.clock.run(10);
  const [connection] = bed.server.listener.connections();
  assert.ok(connection);
  const waiting = connection.socket.bufferedBytes + connection.out.length;
  assert.ok(waiting > size && waiting < 2_000_000, `${waiting} bytes wait for it`);
  assert.equal(await other.outcome(exists("/big")), "OK", "others are served meanwhile");
  slow.connection.resume();
  await bed.clock.run(10);
  assert.equal(slow.take().length, 200);
  await bed.stop();
});

test("a client that takes no watch events is closed before they fill the memory", async () => {
  const bed = await TestBed.start();
  const [slow, other] = [await bed.client(), await bed.client()];
  await slow.call(exists("/a", true));
  slow.connection.pause();
  const connection = bed.server.connectionOf(slow.session.sessionId);
  assert.ok(connection);
  const packet = new Uint8Array(1 << 20);
  let events = 0;
  for (; connection.state === "open" && events < 1000; events++) {
    connection.process({ type: EventType.NodeDataChanged, path: "/a", zxid: 1, aclId: OPEN_ACL_ID, packet });
    bed.server.listener.flush();
  }
  assert.ok(events > 60 && events < 70, `closed after ${events} MiB`);
  await bed.settle();
  assert.equal(bed.server.tree.watches.size, 0);
  assert.equal(await other.outcome(create("/a")), "OK");
  await bed.stop();
});
