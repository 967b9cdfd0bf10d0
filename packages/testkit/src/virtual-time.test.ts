/** Virtual time: long waits in no time, the same in every run. */
import assert from "node:assert/strict";
import { CreateMode, type SessionEvent, type ZooKeeper } from "@vivarium/client";
import { TestServer } from "./index.ts";
import { serverTest } from "./node-test.ts";

const test = serverTest({ time: "virtual", settings: { extendedTypesEnabled: true } });
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function expired(client: ZooKeeper): Promise<SessionEvent> {
  return new Promise((resolve) => client.onSessionEvent((event) => event.type === "expired" && resolve(event)));
}

test("a session of 30 s expires in no wall time", async ({ server }) => {
  const client = await server.connect({ sessionTimeoutMs: 30_000 });
  await client.create("/e", null, { mode: CreateMode.EPHEMERAL });
  const wallMs = performance.now();
  server.pause();
  await server.advance(29_000);
  assert.deepEqual(Object.keys(server.dump()), ["/e"]);
  await server.advance(5000);
  assert.deepEqual(server.dump(), {});
  server.resume();
  await server.advanceUntil(expired(client));
  assert.ok(performance.now() - wallMs < 5000);
});

test("a session that pings does not expire", async ({ server, client }) => {
  await client.create("/e", null, { mode: CreateMode.EPHEMERAL });
  await server.advance(HOUR_MS);
  assert.deepEqual(Object.keys(server.dump()), ["/e"]);
  assert.equal(client.state, "connected");
  assert.ok(client.counters.pings > 300, `${client.counters.pings} pings`);
});

test("a TTL node goes when its time is over", async ({ server, client }) => {
  await client.create("/t", null, { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 10 * MINUTE_MS });
  await server.advance(9 * MINUTE_MS);
  assert.deepEqual(Object.keys(server.dump()), ["/t"]);
  await server.advance(3 * MINUTE_MS);
  assert.deepEqual(server.dump(), {});
});

test("a container goes some time after its last child", async ({ server, client }) => {
  await client.create("/c", null, { mode: CreateMode.CONTAINER });
  await client.create("/c/child");
  await server.advance(HOUR_MS);
  assert.deepEqual(Object.keys(server.dump()), ["/c", "/c/child"]);
  await client.delete("/c/child");
  await server.advance(2 * MINUTE_MS);
  assert.deepEqual(server.dump(), {});
});

test("time stands still until it is moved", async ({ server, client }) => {
  const { clock } = server.clientOptions;
  const nowMs = clock.monotonicMs();
  for (let i = 0; i < 100; i++) await client.exists("/");
  assert.equal(clock.monotonicMs(), nowMs);
  await server.advance(1234);
  assert.equal(clock.monotonicMs(), nowMs + 1234);
  const { stat } = await client.create("/a");
  assert.equal(stat.ctime, clock.wallMs());
});

test("sessions get their full timeout after a restart", async ({ server }) => {
  const client = await server.connect({ sessionTimeoutMs: 10_000 });
  await client.create("/e", null, { mode: CreateMode.EPHEMERAL });
  await server.kill();
  await server.advance(5000);
  await server.restart();
  server.pause();
  await server.advance(9000);
  assert.deepEqual(Object.keys(server.dump()), ["/e"]);
  await server.advance(5000);
  assert.deepEqual(server.dump(), {});
});

test("advanceUntil gives what the promise gives", async ({ server, client }) => {
  const { clock } = server.clientOptions;
  const later = new Promise<string>((resolve) => clock.setTimer(7000, () => resolve("done")));
  assert.equal(await server.advanceUntil(later), "done");
  assert.equal(clock.monotonicMs(), 7000);
  await assert.rejects(server.advanceUntil(client.getData("/no")), /NONODE/);
});

test("advanceUntil gives up in virtual time", async ({ server }) => {
  await assert.rejects(server.advanceUntil(new Promise(() => {})), /3600000 ms of virtual time/);
  await assert.rejects(server.advanceUntil(new Promise(() => {}), { limitMs: 10 }), /10 ms of virtual time/);
});

test("time does not go back", async ({ server }) => {
  await assert.rejects(server.advance(-1), /advance\(-1\)/);
});

test("the same test takes the same course every time", async () => {
  const courses = [await course(), await course()];
  assert.deepEqual(courses[0], courses[1]);
  assert.ok((courses[0]?.length ?? 0) > 10);
});

async function course(): Promise<string[]> {
  const server = await TestServer.start({ time: "virtual" });
  const { clock } = server.clientOptions;
  const told: string[] = [];
  const tell = (event: SessionEvent): void => void told.push(`${clock.monotonicMs()} ${event.type}`);
  const client = await server.connect({ sessionTimeoutMs: 8000, renewSession: true, onSessionEvent: tell });
  for (let round = 0; round < 5; round++) {
    server.disconnect();
    await server.advance(700);
    await server.kill();
    await server.advance(3000 * round);
    await server.restart();
    const call = client.create("/n-", null, { mode: CreateMode.PERSISTENT_SEQUENTIAL });
    told.push(
      await server.advanceUntil(
        call.then(
          ({ path }) => path,
          ({ name }) => name,
        ),
      ),
    );
    told.push(`${clock.monotonicMs()} 0x${client.session.id.toString(16)} ${Object.keys(server.dump())}`);
  }
  await server.stop();
  return told;
}
