// How a server ends and comes back: what was proposed is kept, what was acknowledged is there again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateMode } from "@vivarium/protocol";
import { brief, dataOf } from "./testing/raw-client.ts";
import { create, exists, getData, setData } from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

test("stop: what was proposed reaches the disk and is answered, then connections end; nothing new is taken up", async () => {
  const bed = await TestBed.start();
  const [client, idle] = [await bed.client(), await bed.client()];
  bed.disk.syncDelayMs = 50;
  for (let i = 0; i < 10; i++) client.send(create(`/n${i}`));
  await bed.settle();
  const stopping = bed.running.stop();
  await bed.settle();
  client.send(create("/too-late"));
  const late = await bed.connect();
  await bed.clock.runUntil(stopping);
  await bed.settle();
  assert.deepEqual(
    brief(client.take()),
    Array.from({ length: 10 }, (_, i) => `#${i + 1} OK`),
  );
  assert.deepEqual([client.isClosed, idle.isClosed, late.isClosed], [true, true, true]);
  await bed.running.stopped;
  bed.disk.syncDelayMs = 0;
  await bed.start();
  const again = await bed.client();
  assert.equal(await again.outcome(exists("/n9")), "OK");
  assert.equal(await again.outcome(exists("/too-late")), "NONODE");
  await bed.stop();
});

test("stop twice is stop once, and nothing is left behind: no timer, no connection, no lock", async () => {
  const bed = await TestBed.start();
  await bed.client();
  const { running } = bed;
  assert.equal(running.stop(), running.stop());
  await bed.clock.runUntil(running.stopped);
  await bed.clock.run(10_000);
  assert.equal(bed.clock.nextDueMs(), null);
  await bed.start();
  await bed.stop();
});

test("sessions, their ephemerals, data and versions are there after a restart, and zxids go on from where they were", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  await client.call(create("/e", { mode: CreateMode.EPHEMERAL }));
  await client.call(create("/a", { data: "0" }));
  for (let i = 1; i <= 10; i++) await client.call(setData("/a", String(i)));
  const { lastProcessedZxid } = bed.server;
  const digest = bed.server.tree.digest;
  await bed.restart();
  assert.equal(bed.server.lastProcessedZxid, lastProcessedZxid);
  assert.deepEqual(bed.server.tree.digest, digest);
  const again = await bed.client(client.session);
  assert.equal(dataOf(await again.call(getData("/a"))), "10");
  assert.equal(await again.outcome(exists("/e")), "OK");
  const reply = await again.call(setData("/a", "11", 10));
  assert.deepEqual([reply.err, reply.zxid], [0, lastProcessedZxid + 1]);
  await bed.stop();
});

test("what was acknowledged is there after a kill at any moment, and nothing is half done", async () => {
  const bed = await TestBed.start({ snapCount: 10 });
  let written = -1;
  for (let round = 0; round < 30; round++) {
    const client = await bed.client();
    if (round === 0) await client.call(create("/a", { data: "-1" }));
    const found = Number(dataOf(await client.call(getData("/a"))));
    assert.ok(found >= written, `round ${round}: ${found} after ${written} was acknowledged`);
    written = found;
    client.take();
    bed.disk.syncDelayMs = 3;
    for (let i = 1; i <= 30; i++) client.send(setData("/a", String(found + i)));
    await bed.clock.run(round % 11);
    written = found + client.take().filter((packet) => packet.kind === "reply" && packet.err === 0).length;
    bed.disk.syncDelayMs = 0;
    if (round % 2 === 0) bed.kill();
    else bed.powerFailure();
    await bed.start();
  }
  await bed.stop();
});

test("an ephemeral without a session, such as a crash of an older version could leave, goes at the start", async () => {
  const bed = await TestBed.start({ snapCount: 4 });
  const [client, other] = [await bed.client(), await bed.client()];
  await client.call(create("/e", { mode: CreateMode.EPHEMERAL }));
  bed.server.tree.sessions.delete(client.session.sessionId);
  for (let i = 0; i < 10; i++) await other.call(create(`/n${i}`));
  await bed.restart();
  assert.equal(bed.server.tree.owned.ephemeralCount, 0);
  assert.ok(bed.said("warn").some((line) => line.includes("not on disk")));
  await bed.stop();
});
