/** What every call has in common, and how a client is held. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Stat } from "@vivarium/protocol";
import { AbortError, NoNodeError, RequestTimeoutError } from "./index.ts";
import { startBench } from "./testing/bench.ts";
import { type ScriptedServer, someStat } from "./testing/scripted-server.ts";

test("helpers and addAuth obey a deadline and a signal", async () => {
  const { zk, server, run } = await startBench();
  server.answers = false;
  server.on("auth", () => undefined);
  const calls = (options: { timeoutMs?: number; signal?: AbortSignal }) => [
    zk.ensurePath("/a/b", options),
    zk.listSubtree("/a", options),
    zk.deleteSubtree("/a", options),
    zk.addAuth("digest", "a:b", options),
    zk.multi().delete("/a").commit(options),
    zk.getConfig(options),
  ];
  const late = Promise.allSettled(calls({ timeoutMs: 100 }));
  await run(200);
  for (const call of await late) assert.ok(call.status === "rejected" && call.reason instanceof RequestTimeoutError);
  const controller = new AbortController();
  const aborted = Promise.allSettled(calls({ signal: controller.signal }));
  controller.abort();
  for (const call of await aborted) assert.ok(call.status === "rejected" && call.reason instanceof AbortError);
});

test("addAuth and connected that fail say where they were called", async () => {
  const prepare = (server: ScriptedServer): void => {
    server.greets = "closes";
  };
  const { zk, server, run } = await startBench({ prepare });
  server.on("auth", () => undefined);
  const controller = new AbortController();
  const callers = {
    async late() {
      await zk.addAuth("digest", "a:b", { timeoutMs: 100 });
    },
    async aborted() {
      await zk.connected({ signal: controller.signal });
    },
  };
  const outcomes = Object.entries(callers).map(async ([name, call]) => [name, await call().catch((e) => e)] as const);
  await run(200);
  controller.abort();
  for (const [name, error] of await Promise.all(outcomes)) {
    assert.match(error.stack, new RegExp(`async .*${name}`));
    assert.ok(error instanceof (name === "late" ? RequestTimeoutError : AbortError));
  }
});

test("a call made right after a reconnect has all of its time, however long the client was idle", async () => {
  const { zk, server, run } = await startBench({ auth: [{ scheme: "digest", auth: "a:b" }] });
  server.on("auth", (_, connection) => connection.reply(-4));
  await run(120_000);
  let read: Promise<unknown> | undefined;
  zk.onSessionEvent((event) => {
    // By then the identity lies in the output, and waits for the turn to end.
    if (event.type === "connected") queueMicrotask(() => (read = zk.exists("/")));
  });
  server.last.close();
  await run(1000);
  assert.deepEqual(await read, someStat);
});

test("the deadline of a helper is that of the whole, not of each step", async () => {
  const { zk, server, run, clock } = await startBench();
  // Each step takes 80 ms, and no parent is there.
  server.on("create2", ({ xid }, connection) => void clock.setTimer(80, () => connection.reply(xid, -101)));
  const call = assert.rejects(zk.ensurePath("/a".repeat(50), { timeoutMs: 100 }), RequestTimeoutError);
  await run(300);
  await call;
  assert.equal(server.ops.length, 2);
});

test("ensurePath below a chroot that is missing says so, and does not ask again and again", async () => {
  const { zk, server, run } = await startBench({ connectString: "10.0.0.1:2181/missing" });
  server.on("create2", ({ xid }, connection) => connection.reply(xid, -101));
  const call = assert.rejects(zk.ensurePath("/a/b"), NoNodeError);
  for (let turn = 0; turn < 10; turn++) await run(0);
  await run(1);
  await call;
  assert.equal(server.ops.length, 2);
});

test("an identity whose call was given up is not proven on the next connection", async () => {
  const { zk, server, run } = await startBench();
  server.on("auth", () => undefined);
  const call = assert.rejects(zk.addAuth("digest", "a:b", { timeoutMs: 50 }), RequestTimeoutError);
  await run(60);
  await call;
  server.last.close();
  await run(500);
  assert.equal(server.ops.filter((op) => op === "auth").length, 1);
});

test("session events are kept from the call on", async () => {
  const { zk, server, run } = await startBench();
  const events = zk.sessionEvents();
  server.last.close();
  await run(500);
  await Promise.all([zk.close(), run(10)]);
  const seen: string[] = [];
  for await (const event of events) seen.push(event.type);
  assert.deepEqual(seen, ["suspended", "connected", "closed"]);
});

test("await using ends the session, and a watch at the server", async () => {
  const { zk, server, run } = await startBench();
  const set = zk.addWatch("/a");
  await run(1);
  const watch = await set;
  // What `await using` compiles to; the syntax itself needs Node.js 24.
  await Promise.all([watch[Symbol.asyncDispose](), run(1)]);
  assert.deepEqual([watch.closed, server.ops.at(-1)], [true, "removeWatches"]);
  await Promise.all([zk[Symbol.asyncDispose](), run(1)]);
  assert.deepEqual([zk.state, server.ops.at(-1)], ["closed", "closeSession"]);
});

test("64-bit ids and zxids come back bit by bit", async () => {
  const id = 0x8765432112345678n - (1n << 64n);
  const { zk, server, run } = await startBench({ session: { id, password: new Uint8Array(16) } });
  assert.deepEqual([server.connects[0]?.sessionId, zk.session.id], [id, id]);
  const far = { ...someStat, czxid: 0x1f_ffff_ffff_ffff, mzxid: 0x1_0000_0001, ephemeralOwner: id };
  server.on("exists", ({ xid }, connection) => connection.reply(xid, 0, (writer) => Stat.write(writer, far)));
  const call = zk.exists("/a");
  await run(1);
  assert.deepEqual(await call, far);
});

test("ephemerals of a chroot are those below it, not those of a node whose name begins alike", async () => {
  const { zk, server, run } = await startBench({ connectString: "10.0.0.1:2181/x" });
  server.on("getEphemerals", ({ xid }, connection) => {
    connection.reply(xid, 0, (writer) => {
      writer.int(2);
      writer.ustring("/x/mine");
      writer.ustring("/xy/other");
    });
  });
  const call = zk.getEphemerals();
  await run(1);
  assert.deepEqual(await call, ["/mine"]);
});

test("the logger and the counters tell what happened", async () => {
  const lines: string[] = [];
  const log = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    lines.push(`${level} ${message} ${fields?.["server"] ?? ""}`.trim());
  };
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn") };
  const { zk, server, run } = await startBench({ logger });
  server.last.close();
  await run(500);
  await Promise.all([zk.exists("/"), run(1)]);
  assert.deepEqual(lines, [
    "info session connected 10.0.0.1:2181",
    "warn session suspended 10.0.0.1:2181",
    "info session connected 10.0.0.1:2181",
  ]);
  const { connects, requests, succeeded, sentBytes, receivedBytes } = zk.counters;
  assert.deepEqual([connects, requests, succeeded], [2, 1, 1]);
  assert.ok(sentBytes > 0 && receivedBytes > 0);
});
