// What the server does on its own account: empty containers, TTL nodes whose time is over, quotas that it only watches.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createContainer, createTTL, exists, remove, setData } from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

const CHECK_MS = 60_000;
/** Longer than any test, so that sessions do not end in the middle of it. */
const LONG = { tickTime: 1000, maxSessionTimeout: 10 * CHECK_MS };

test("a container goes at the next look after its last child has gone, not before it had one", async () => {
  const bed = await TestBed.start(LONG);
  const client = await bed.client({ timeOut: 10 * CHECK_MS });
  await client.call(createContainer("/used"));
  await client.call(createContainer("/never"));
  await client.call(create("/used/child"));
  await bed.clock.run(CHECK_MS + 1000);
  assert.equal(await client.outcome(exists("/used")), "OK", "it has a child");
  await client.call(remove("/used/child"));
  assert.equal(await client.outcome(exists("/used", true)), "OK");
  client.take();
  await bed.clock.run(CHECK_MS + 1000);
  assert.deepEqual(
    client.take().map((packet) => (packet.kind === "event" ? [packet.type, packet.path] : packet)),
    [[2, "/used"]],
  );
  assert.equal(await client.outcome(exists("/never")), "OK", "it may still be meant for use");
  await bed.stop();
});

test("znode.container.maxNeverUsedIntervalMs: then containers that never had a child go too", async () => {
  const bed = await TestBed.start({ ...LONG, "znode.container.maxNeverUsedIntervalMs": 90_000 });
  const client = await bed.client({ timeOut: 10 * CHECK_MS });
  await client.call(createContainer("/never"));
  await bed.clock.run(CHECK_MS + 1000);
  assert.equal(await client.outcome(exists("/never")), "OK");
  await bed.clock.run(CHECK_MS);
  assert.equal(await client.outcome(exists("/never")), "NONODE");
  await bed.stop();
});

test("a TTL node goes once it has been childless and unchanged for its time", async () => {
  const bed = await TestBed.start({ ...LONG, extendedTypesEnabled: true });
  const client = await bed.client({ timeOut: 10 * CHECK_MS });
  await client.call(createTTL("/quiet", 50_000));
  await client.call(createTTL("/busy", 50_000));
  await client.call(createTTL("/parent", 50_000));
  await client.call(create("/parent/child"));
  await bed.clock.run(40_000);
  await client.call(setData("/busy", "still here"));
  await bed.clock.run(21_000);
  const after = async (path: string) => client.outcome(exists(path));
  assert.deepEqual([await after("/quiet"), await after("/busy"), await after("/parent")], ["NONODE", "OK", "OK"]);
  await client.call(remove("/parent/child"));
  await bed.clock.run(CHECK_MS);
  assert.deepEqual([await after("/busy"), await after("/parent")], ["NONODE", "NONODE"]);
  await bed.stop();
});

test("a TTL node that is forgotten while the server is down goes after it is back", async () => {
  const bed = await TestBed.start({ ...LONG, extendedTypesEnabled: true });
  const client = await bed.client();
  await client.call(createTTL("/a", 5000));
  await bed.stop();
  await bed.clock.run(3_600_000);
  await bed.start();
  await bed.clock.run(CHECK_MS + 1000);
  const other = await bed.client();
  assert.equal(await other.outcome(exists("/a")), "NONODE");
  await bed.stop();
});

test("znode.container.maxPerMinute spreads the work over time", async () => {
  const bed = await TestBed.start({ ...LONG, extendedTypesEnabled: true, "znode.container.maxPerMinute": 1200 });
  const client = await bed.client({ timeOut: 10 * CHECK_MS });
  const before = bed.server.tree.nodes.size;
  for (let i = 0; i < 100; i++) client.send(createTTL(`/n${i}`, 1000));
  await bed.settle();
  await bed.clock.run(CHECK_MS - (bed.clock.monotonicMs() % CHECK_MS) + 1000);
  const left = bed.server.tree.nodes.size - before;
  assert.ok(left > 70 && left < 100, `${left} are left one second after the look began`);
  await bed.clock.run(10_000);
  assert.equal(bed.server.tree.nodes.size, before);
  await bed.stop();
});

for (const { enforceQuota, limits, outcome, lines } of [
  { enforceQuota: false, limits: "count=2,bytes=-1", outcome: "OK", lines: 0 },
  { enforceQuota: true, limits: "count=2,bytes=-1", outcome: "OK", lines: 1 },
  {
    enforceQuota: true,
    limits: "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2",
    outcome: "QUOTAEXCEEDED",
    lines: 1,
  },
]) {
  test(`a quota of ${limits} with enforceQuota=${enforceQuota}: ${outcome}, ${lines} lines in the log`, async () => {
    const bed = await TestBed.start({ enforceQuota });
    const client = await bed.client();
    await client.call(create("/q"));
    await client.call(create("/zookeeper/quota/q"));
    await client.call(create("/zookeeper/quota/q/zookeeper_limits", { data: limits }));
    await client.call(create("/zookeeper/quota/q/zookeeper_stats", { data: "count=1,bytes=0" }));
    assert.equal(await client.outcome(create("/q/1")), "OK");
    assert.equal(await client.outcome(create("/q/2")), outcome);
    const warnings = bed.logs.records.filter(({ level }) => level === "warn");
    assert.equal(warnings.length, lines);
    for (const { fields } of warnings) assert.deepEqual(fields, { path: "/q" });
    await bed.stop();
  });
}
