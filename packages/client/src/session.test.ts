import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionLossError, RequestTimeoutError, type SessionEvent, SessionExpiredError } from "./index.ts";
import { startBench } from "./testing/bench.ts";
import { ScriptedServer } from "./testing/scripted-server.ts";

const last = (events: SessionEvent[]) => events.at(-1);

test("a session is asked for with zxid 0, id 0 and the timeout, and granted", async () => {
  const { server, events, zk } = await startBench();
  assert.equal(server.connects.length, 1);
  const { passwd, ...asked } = server.connects[0] as (typeof server.connects)[0];
  assert.deepEqual(asked, { protocolVersion: 0, lastZxidSeen: 0, timeOut: 6000, sessionId: 0n });
  assert.equal(passwd?.length, 16);
  assert.deepEqual(events, [
    { type: "connected", sessionId: 0x100000000000001n, timeoutMs: 6000, server: "10.0.0.1:2181", resumed: false },
  ]);
  assert.equal(zk.state, "connected");
});

test("an idle session pings after each third of its timeout", async () => {
  const { server, run } = await startBench();
  await run(6100);
  assert.equal(server.pings, 3);
});

test("requests stand in for pings", async () => {
  const { server, run, zk } = await startBench();
  for (let i = 0; i < 6; i++) {
    await run(1000);
    await Promise.all([zk.exists("/"), run(1)]);
  }
  assert.equal(server.pings, 0);
});

test("a silent server is left after two thirds of the timeout, and the session resumed", async () => {
  const { server, run, events } = await startBench();
  server.answersPings = false;
  await run(3990);
  assert.deepEqual(
    events.map((event) => event.type),
    ["connected"],
  );
  await run(100);
  assert.deepEqual(
    events.map((event) => event.type),
    ["connected", "suspended", "connected"],
  );
  assert.equal(server.connects[1]?.sessionId, 0x100000000000001n);
  const resumed = last(events);
  assert.equal(resumed?.type === "connected" && resumed.resumed, true);
});

test("the session may be gone one timeout after the last answered packet was sent, and is given up at four thirds", async () => {
  const { server, run, events, zk } = await startBench();
  await run(2005); // The ping of 2000 was answered.
  server.greets = "closes";
  server.answersPings = false;
  server.last.close();
  await run(5900);
  const suspended = events.find((event) => event.type === "suspended");
  const remainingMs = suspended?.type === "suspended" ? suspended.remainingMs : 0;
  assert.ok(remainingMs > 5980 && remainingMs <= 6000, `${remainingMs}`);
  assert.equal(zk.state, "suspended");
  await run(150);
  assert.equal(zk.state, "maybeExpired");
  assert.ok(zk.sessionRemainingMs < 0);
  await run(2000);
  assert.equal(zk.state, "expired");
  assert.deepEqual(last(events), { type: "expired", sessionId: 0x100000000000001n, by: "client" });
});

test("an expired session is the end unless renewed", async () => {
  const { server, run, events, zk } = await startBench();
  server.greets = "expires";
  server.last.close();
  await run(200);
  assert.deepEqual(last(events), { type: "expired", sessionId: 0x100000000000001n, by: "server" });
  await assert.rejects(zk.getData("/a"), SessionExpiredError);
  await run(60_000);
  assert.equal(server.connects.length, 2);
});

test("a renewed session is a new one, with zxid 0, because it may meet an ensemble that knows less", async () => {
  const { server, run, events, zk } = await startBench({ renewSession: true });
  server.zxid = 7;
  await Promise.all([zk.exists("/"), run(1)]);
  let greeted = 0;
  zk.onSessionEvent((event) => {
    if (event.type === "expired") server.greets = "grants";
    greeted++;
  });
  server.greets = "expires";
  server.last.close();
  await run(1000);
  assert.ok(greeted > 0);
  assert.deepEqual(
    server.connects.map(({ sessionId, lastZxidSeen }) => [sessionId, lastZxidSeen]),
    [
      [0n, 0],
      [0x100000000000001n, 7],
      [0n, 0],
    ],
  );
  assert.equal(last(events)?.type, "connected");
});

test("a server that restarted empty, and so is behind the session, is left alone until the session is given up", async () => {
  const { server, run, events, zk } = await startBench({ renewSession: true });
  server.zxid = 7;
  await Promise.all([zk.exists("/"), run(1)]);
  server.zxid = 0;
  server.greets = "closesBehind";
  server.last.close();
  await run(20_000);
  assert.equal(zk.state, "connected");
  const refused = events.filter((event) => event.type === "connectFailed");
  assert.ok(refused.length > 2 && refused.length < 20, `${refused.length} attempts`);
  for (const event of refused) assert.match(event.error.message, /behind zxid 0x7/);
  assert.ok(events.some((event) => event.type === "expired" && event.by === "client"));
  assert.deepEqual([last(events)?.type, server.connects.at(-1)?.lastZxidSeen], ["connected", 0]);
});

test("a session is resumed by id and password, not below its zxid", async () => {
  const session = { id: 5n, password: new Uint8Array(16).fill(3), lastZxid: 9 };
  const { server, events } = await startBench({ session });
  const { passwd, lastZxidSeen, sessionId } = server.connects[0] ?? {};
  assert.deepEqual([lastZxidSeen, sessionId, Buffer.from(passwd ?? [])], [9, 5n, Buffer.from(session.password)]);
  const first = events[0];
  assert.equal(first?.type === "connected" && first.resumed, true);
});

const badServers = [
  { greets: "closes", says: /closed the connection before granting a session: .* zxid 0x/ },
  { greets: "hangs", says: /no session granted within 2000 ms \(hostTimeoutMs\)/ },
  { greets: "garbage", says: /frame of \d+ bytes; the limit \(maxReplyBytes\)/ },
] as const;
for (const { greets, says } of badServers) {
  test(`a server that ${greets} is named, left for another, and not tried in a hot loop`, async () => {
    const bench = await startBench({
      prepare: (server) => {
        server.greets = greets;
      },
    });
    await bench.run(60_000);
    assert.ok(bench.server.connects.length > 4 && bench.server.connects.length < 40, `${bench.server.connects.length}`);
    for (const event of bench.events) {
      assert.ok(event.type === "connectFailed" && says.test(event.error.message), JSON.stringify(event));
      assert.equal(event.type === "connectFailed" && event.server, "10.0.0.1:2181");
      assert.ok(event.type === "connectFailed" && event.retryInMs > 0);
    }
    bench.server.greets = "grants";
    await bench.run(12_000);
    assert.equal(bench.zk.state, "connected");
  });
}

test("each server of the list is tried before the first back-off", async () => {
  const others: ScriptedServer[] = [];
  const bench = await startBench({
    connectString: "10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181",
    prepare: async (server, network) => {
      server.greets = "closes";
      for (const address of ["10.0.0.2", "10.0.0.3"]) others.push(await ScriptedServer.start({ network, address }));
      for (const other of others) other.greets = "closes";
    },
  });
  await bench.run(0);
  assert.deepEqual(
    [bench.server, ...others].map((server) => server.connects.length),
    [1, 1, 1],
  );
  const waits = bench.events.map((event) => (event.type === "connectFailed" ? event.retryInMs > 0 : undefined));
  assert.deepEqual(waits, [false, false, true]);
});

test("a process that was stopped hears of the possible loss before any answer that came meanwhile", async () => {
  const { server, run, clock, events, zk } = await startBench();
  const order: string[] = [];
  zk.onSessionEvent((event) => order.push(event.type));
  server.answers = false;
  const read = zk.getData("/a").then(() => order.push("answer"));
  await run(1);
  const { xid } = server.received[0] as { xid: number };
  server.last.reply(xid, 0, (writer) => {
    writer.buffer(null);
    for (let i = 0; i < 17; i++) writer.int(0);
  });
  // The machine's next wake-up comes far too late, with the answer still unread.
  stop(clock, 7000);
  await run(1);
  await read;
  assert.equal(order[0], "maybeExpired");
  assert.ok(order.indexOf("maybeExpired") < order.indexOf("answer"));
  assert.equal(events.filter((event) => event.type === "maybeExpired").length, 1);
});

test("a process that was stopped with calls not yet sent hears of the possible loss before they leave", async () => {
  const { server, run, clock, zk } = await startBench();
  let sentBefore = -1;
  zk.onSessionEvent((event) => {
    if (event.type === "maybeExpired") sentBefore = server.received.length;
  });
  const write = zk.setData("/a", "");
  stop(clock, 7000);
  await run(1);
  await write;
  assert.equal(sentBefore, 0);
  assert.equal(server.received.length, 1);
});

/** Lets time pass as for a process whose event loop is blocked: no timer and no packet is served meanwhile. */
function stop(clock: { monotonicMs(): number }, ms: number): void {
  const now = clock.monotonicMs.bind(clock);
  clock.monotonicMs = () => now() + ms;
}

test("a call waits for a connection, but not past its deadline", async () => {
  const { server, run, zk } = await startBench();
  server.greets = "closes";
  server.last.close();
  await run(1);
  const calls = [zk.getData("/a", { timeoutMs: 500 }), zk.setData("/a", "", { timeoutMs: 500 })];
  const outcomes = Promise.allSettled(calls);
  await run(600);
  for (const outcome of await outcomes) {
    const error = outcome.status === "rejected" ? outcome.reason : undefined;
    assert.ok(error instanceof RequestTimeoutError);
    assert.equal(error.mayHaveHappened, false);
    assert.match(error.message, /not sent/);
  }
});

test("connect gives up after connectTimeoutMs and says why, per server", async () => {
  const { clock, zk, run } = await startBench({
    connectTimeoutMs: 3000,
    prepare: (server) => {
      server.greets = "closes";
    },
  });
  const caller = async () => await zk.connected();
  const outcome = caller().catch((error: unknown) => error);
  await run(3100);
  const error = await outcome;
  assert.ok(error instanceof ConnectionLossError);
  assert.match(error.message, /no session within 3000 ms .*10\.0\.0\.1:2181: the server closed/);
  assert.match(error.stack ?? "", /async caller/);
  assert.equal(zk.state, "closed");
  assert.equal(clock.nextDueMs(), null);
});

test("close answers what was asked before, ends the session and leaves no timer", async () => {
  const { server, run, zk, clock } = await startBench();
  const outcome = Promise.all([zk.exists("/"), zk.close()]);
  await run(1);
  await outcome;
  assert.deepEqual(server.ops, ["exists", "closeSession"]);
  assert.equal(zk.state, "closed");
  assert.equal(clock.nextDueMs(), null);
});
