// What one session may rely on: its requests are answered in order, its reads see its own writes, nobody else waits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brief, createdPath, dataOf, type Reply } from "./testing/raw-client.ts";
import {
  auth,
  create,
  exists,
  getChildren,
  getData,
  multi,
  ping,
  type Request,
  remove,
  setData,
  sync,
} from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

const SLOW_SYNC_MS = 50;

/** A server whose disk takes its time, and clients that are already connected. */
async function slowBed(clients: number) {
  const bed = await TestBed.start();
  const connected = [];
  for (let i = 0; i < clients; i++) connected.push(await bed.client());
  bed.disk.syncDelayMs = SLOW_SYNC_MS;
  return { bed, clients: connected };
}

async function stop(bed: TestBed): Promise<void> {
  bed.disk.syncDelayMs = 0;
  await bed.stop();
}

test("reads and writes sent in one breath are answered in order, and each read sees the writes before it", async () => {
  const { bed, clients } = await slowBed(1);
  const [client] = clients;
  assert.ok(client);
  const requests: Request[] = [create("/a", { data: "0" })];
  for (let i = 1; i <= 20; i++) requests.push(getData("/a"), setData("/a", String(i)), ping, sync("/a"));
  const xids = requests.map((request) => client.send(request));
  await bed.settle();
  assert.deepEqual(client.take(), [], "nothing is answered before it is on disk");
  await bed.clock.run(10 * SLOW_SYNC_MS);
  const replies = client.take() as Reply[];
  assert.deepEqual(
    replies.map(({ xid }) => xid),
    xids,
  );
  assert.deepEqual(
    replies.filter((_, i) => i % 4 === 1).map(dataOf),
    Array.from({ length: 20 }, (_, i) => String(i)),
  );
  const zxids = replies.map(({ zxid }) => zxid);
  assert.deepEqual(
    zxids,
    zxids.toSorted((a, b) => a - b),
    "zxids never go back",
  );
  await stop(bed);
});

test("a failed write takes its turn like any other, and its reply carries the zxid it used up", async () => {
  const { bed, clients } = await slowBed(1);
  const [client] = clients;
  assert.ok(client);
  const before = bed.server.lastProcessedZxid;
  for (const request of [create("/a"), create("/a"), remove("/none"), exists("/a"), create("/a/b")])
    client.send(request);
  await bed.clock.run(10 * SLOW_SYNC_MS);
  const replies = client.take() as Reply[];
  assert.deepEqual(brief(replies), ["#1 OK", "#2 NODEEXISTS", "#3 NONODE", "#4 OK", "#5 OK"]);
  assert.deepEqual(
    replies.map(({ zxid }) => zxid - before),
    [1, 2, 3, 3, 4],
  );
  await stop(bed);
});

test("reads of one session do not wait for another's writes, and do not see them before they are on disk", async () => {
  const { bed, clients } = await slowBed(2);
  const [writer, reader] = clients;
  assert.ok(writer && reader);
  writer.send(create("/a"));
  assert.equal(await reader.outcome(exists("/a")), "NONODE");
  assert.deepEqual(writer.take(), []);
  await bed.clock.run(2 * SLOW_SYNC_MS);
  assert.equal(await reader.outcome(exists("/a")), "OK");
  assert.deepEqual(brief(writer.take()), ["#1 OK"]);
  await stop(bed);
});

test("many writers share one fsync: what arrives during it rides on the next", async () => {
  const { bed, clients } = await slowBed(20);
  const before = bed.server.tree.nodes.size;
  let syncs = 0;
  bed.disk.fault = (operation) => {
    if (operation === "datasync") syncs++;
    return null;
  };
  clients[0]?.send(create("/first"));
  await bed.settle();
  for (const [i, client] of clients.entries()) for (let n = 0; n < 5; n++) client.send(create(`/n-${i}-${n}`));
  await bed.clock.run(2 * SLOW_SYNC_MS);
  assert.equal(bed.server.tree.nodes.size - before, 1 + 100);
  assert.equal(syncs, 2);
  await stop(bed);
});

test("auth is answered at once, ahead of the writes before it", async () => {
  const { bed, clients } = await slowBed(1);
  const [client] = clients;
  assert.ok(client);
  client.send(create("/a"));
  client.send(auth("digest", "user:secret"));
  await bed.settle();
  const [reply] = client.take() as Reply[];
  assert.deepEqual([reply?.xid, reply?.err, reply?.zxid], [-4, 0, 0]);
  await bed.clock.run(2 * SLOW_SYNC_MS);
  assert.deepEqual(brief(client.take()), ["#1 OK"]);
  await stop(bed);
});

test("writes prepared on top of each other succeed or fail as if each had waited for the one before", async () => {
  const { bed, clients } = await slowBed(2);
  const [one, two] = clients;
  assert.ok(one && two);
  const steps = [
    [one, create("/a")],
    [two, create("/a/b")],
    [one, remove("/a")],
    [two, remove("/a/b")],
    [one, remove("/a")],
    [two, multi({ type: 13, path: "/a", version: -1 })],
  ] as const;
  for (const [client, request] of steps) {
    client.send(request);
    await bed.settle();
  }
  assert.deepEqual(one.take(), [], "all of them were prepared before any was on disk");
  await bed.clock.run(10 * SLOW_SYNC_MS);
  assert.deepEqual(brief(one.take()), ["#1 OK", "#2 NOTEMPTY", "#3 OK"]);
  assert.deepEqual(brief(two.take()), ["#1 OK", "#2 OK", "#3 OK"]);
  await stop(bed);
});

test("sequential nodes of many sessions get numbers without gaps or repeats", async () => {
  const { bed, clients } = await slowBed(8);
  for (let n = 0; n < 10; n++) for (const client of clients) client.send(create("/n-", { mode: 2 }));
  await bed.clock.run(10 * SLOW_SYNC_MS);
  const paths = clients.flatMap((client) => (client.take() as Reply[]).map(createdPath)).sort();
  const first = Number(paths[0]?.slice(-10));
  assert.deepEqual(
    paths,
    Array.from({ length: 80 }, (_, i) => `/n-${String(first + i).padStart(10, "0")}`),
  );
  await stop(bed);
});

test("a reply far larger than the socket takes at once arrives whole, in its place", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  await client.call(create("/big", { data: new Uint8Array(1_000_000).fill(7) }));
  client.take();
  for (let i = 0; i < 5; i++) {
    client.send(getData("/big"));
    client.send(getChildren("/"));
  }
  await bed.clock.run(10);
  const replies = client.take() as Reply[];
  assert.deepEqual(
    replies.map(({ body }) => body.length > 1_000_000),
    [true, false, true, false, true, false, true, false, true, false],
  );
  await bed.stop();
});
