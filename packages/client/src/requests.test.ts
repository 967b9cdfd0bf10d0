import assert from "node:assert/strict";
import { test } from "node:test";
import type { Writer } from "@vivarium/jute";
import { Stat } from "@vivarium/protocol";
import {
  AbortError,
  BadArgumentsError,
  ClosedError,
  ConnectionLossError,
  MarshallingError,
  NoNodeError,
  QueueFullError,
  ReplyTooLargeError,
  RequestError,
  RequestTimeoutError,
  UnimplementedError,
} from "./index.ts";
import { startBench } from "./testing/bench.ts";
import { someStat } from "./testing/scripted-server.ts";

const statBody = (writer: Writer): void => Stat.write(writer, someStat);

test("xids count from 1 and the calls of one turn leave as one write", async () => {
  const { zk, server, run } = await startBench();
  const before = zk.counters.flushes;
  const calls = Promise.all(Array.from({ length: 100 }, (_, i) => zk.getData(`/n${i}`)));
  await run(1);
  const answers = await calls;
  assert.deepEqual(
    server.received.map((request) => request.xid),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  assert.equal(zk.counters.flushes - before, 1);
  assert.deepEqual(
    answers.map(({ data }) => data?.toString()),
    Array.from({ length: 100 }, (_, i) => `/n${i}`),
  );
});

test("calls made while a turn's answers are handled leave as one write too", async () => {
  const { zk, run } = await startBench();
  const before = zk.counters.flushes;
  const chains = Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      await zk.getData(`/a${i}`);
      await zk.getData(`/b${i}`);
    }),
  );
  await run(1);
  await chains;
  assert.equal(zk.counters.flushes - before, 2);
});

test("no more than maxInFlight requests are without an answer, and their order is that of the calls", async () => {
  const { zk, server, run } = await startBench({ maxInFlight: 3 });
  server.answers = false;
  const order: number[] = [];
  const calls = Array.from({ length: 8 }, (_, i) => zk.exists(`/${i}`).then(() => order.push(i)));
  const drained = zk.drained().then(() => order.push(-1));
  await run(1);
  for (let answered = 0; answered < 8; answered++) {
    assert.equal(server.received.length, Math.min(8, answered + 3));
    server.last.reply(server.received[answered]?.xid ?? 0, 0, statBody);
    await run(1);
  }
  await Promise.all([...calls, drained]);
  assert.deepEqual(
    order.filter((i) => i >= 0),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  assert.ok(order.indexOf(-1) >= 5, "drained while calls were waiting");
});

test("more than maxQueuedRequests waiting calls are refused", async () => {
  const { zk, server, run } = await startBench({ maxInFlight: 1, maxQueuedRequests: 2 });
  server.answers = false;
  const calls = Promise.allSettled(Array.from({ length: 5 }, () => zk.exists("/")));
  await run(1);
  void zk.close();
  await run(20_000);
  const names = (await calls).map((call) => (call.status === "rejected" ? call.reason.constructor : call.value));
  assert.deepEqual(names.slice(3), [QueueFullError, QueueFullError]);
});

test("bytes given to a call may be reused at once, also when the call has to wait", async () => {
  const { zk, server, run } = await startBench({ maxInFlight: 1 });
  const data = Buffer.from("first");
  const calls = [zk.setData("/a", data), zk.setData("/b", data)];
  data.write("other");
  await run(1);
  await Promise.all(calls);
  for (const { body } of server.received) assert.match(Buffer.from(body).toString("latin1"), /first/);
});

test("a refused request rejects with the class of its code; one ZooKeeper does not know is a plain RequestError", async () => {
  const { zk, server, run } = await startBench();
  for (const [err, Class] of [
    [-101, NoNodeError],
    [-999, RequestError],
  ] as const) {
    server.on("getData", ({ xid }, connection) => connection.reply(xid, err));
    const call = zk.getData("/a");
    call.catch(() => undefined);
    await run(1);
    await assert.rejects(call, (error) => error instanceof Class && error.code === err && error.path === "/a");
  }
});

test("an aborted or timed out call gives up its place only when its answer came", async () => {
  const { zk, server, run } = await startBench();
  server.answers = false;
  const controller = new AbortController();
  const aborted = zk.setData("/a", "", { signal: controller.signal });
  const late = zk.setData("/b", "", { timeoutMs: 100 });
  const good = zk.exists("/c");
  await run(1);
  controller.abort();
  await assert.rejects(aborted, (error) => error instanceof AbortError && error.mayHaveHappened);
  const timedOut = assert.rejects(late, (error) => error instanceof RequestTimeoutError && error.mayHaveHappened);
  await run(200);
  await timedOut;
  for (const { xid } of server.received) server.last.reply(xid, 0, statBody);
  await run(1);
  assert.deepEqual(await good, someStat);
  assert.equal(server.connects.length, 1);
});

test("a call that was aborted while it waited is never sent", async () => {
  const { zk, server, run } = await startBench({ maxInFlight: 1 });
  const first = zk.exists("/1");
  const controller = new AbortController();
  const second = zk.setData("/2", "", { signal: controller.signal });
  controller.abort();
  await assert.rejects(second, (error) => error instanceof AbortError && !error.mayHaveHappened);
  await run(1);
  await first;
  assert.deepEqual(server.ops, ["exists"]);
});

test("a broken connection: reads are sent again in order, writes fail and say that they may have happened", async () => {
  const { zk, server, run } = await startBench();
  server.answers = false;
  const read = zk.getData("/r");
  const write = zk.setData("/w", "");
  const last = zk.getData("/l");
  const failed = assert.rejects(write, (error) => {
    assert.ok(error instanceof ConnectionLossError && error.mayHaveHappened);
    assert.match(error.message, /10\.0\.0\.1:2181/);
    return true;
  });
  await run(1);
  server.answers = true;
  server.last.close();
  await run(500);
  await failed;
  assert.deepEqual([(await read).data?.toString(), (await last).data?.toString()], ["/r", "/l"]);
  assert.deepEqual(server.ops, ["getData", "setData", "getData", "getData", "getData"]);
  assert.equal(zk.counters.resent, 2);
});

test("a read that breaks every connection is given up", async () => {
  const { zk, server, run } = await startBench({ readRetries: 2 });
  server.on("getData", (_, connection) => connection.close());
  const call = assert.rejects(zk.getData("/poison"), (error) => {
    return error instanceof ConnectionLossError && !error.mayHaveHappened;
  });
  await run(5000);
  await call;
  assert.equal(server.ops.length, 3);
  assert.equal(zk.state, "connected");
});

test("an answer over maxReplyBytes fails its call for good; the connection is replaced and the others go on", async () => {
  const { zk, server, run } = await startBench({ maxReplyBytes: 1000 });
  server.on("getData", ({ xid }, connection) => {
    connection.reply(xid, 0, (writer) => {
      writer.buffer(Buffer.alloc(2000));
      Stat.write(writer, someStat);
    });
  });
  const large = assert.rejects(zk.getData("/large"), (error) => {
    return error instanceof ReplyTooLargeError && /takes 2088 bytes.*maxReplyBytes is 1000/.test(error.message);
  });
  const small = zk.exists("/small");
  await run(500);
  await large;
  assert.deepEqual(await small, someStat);
  assert.equal(server.ops.filter((op) => op === "getData").length, 1);
});

const nonsense: [string, (connection: import("./testing/scripted-server.ts").ServerConnection, xid: number) => void][] =
  [
    ["an answer to another request", (connection, xid) => connection.reply(xid + 1, 0, statBody)],
    ["a record that is cut off", (connection, xid) => connection.reply(xid, 0, (writer) => writer.int(1))],
    ["a negative length", (connection) => connection.raw(Buffer.from([255, 255, 255, 255]))],
  ];
for (const [what, say] of nonsense) {
  test(`${what} costs the connection and says which server`, async () => {
    const { zk, server, run, events } = await startBench({ readRetries: 0 });
    server.on("exists", ({ xid }, connection) => say(connection, xid));
    const call = assert.rejects(
      zk.exists("/a"),
      (error) => error instanceof ConnectionLossError || error instanceof MarshallingError,
    );
    await run(500);
    await call;
    const suspended = events.find((event) => event.type === "suspended");
    assert.ok(suspended?.type === "suspended" && suspended.server === "10.0.0.1:2181");
    assert.equal(zk.state, "connected");
  });
}

test("a request over maxRequestBytes is refused without a byte on the wire, also inside a multi", async () => {
  const { zk, server, run } = await startBench({ maxRequestBytes: 1000 });
  const calls = [zk.setData("/a", Buffer.alloc(990)), zk.multi().setData("/a", Buffer.alloc(990)).commit()];
  for (const call of calls) {
    await assert.rejects(call, (error) => error instanceof BadArgumentsError && /maxRequestBytes/.test(error.message));
  }
  await run(1);
  assert.equal(server.received.length, 0);
});

test("what the network cannot take waits, instead of filling its buffers", async () => {
  const { zk, server, run, network } = await startBench();
  network.cut("10.0.1.1", "10.0.0.1");
  const before = zk.counters.sentBytes;
  const calls = Array.from({ length: 60 }, (_, i) => zk.setData(`/${i}`, Buffer.alloc(500_000)));
  await run(10);
  assert.ok(zk.counters.sentBytes - before < 3_000_000, `${zk.counters.sentBytes - before} bytes in buffers`);
  network.heal("10.0.1.1", "10.0.0.1");
  await run(10);
  await Promise.all(calls);
  assert.equal(server.received.length, 60);
});

test("a server that does not know an operation may say so before its earlier answers", async () => {
  const { zk, server, run } = await startBench();
  server.answers = false;
  server.on("whoAmI", ({ xid }, connection) => connection.reply(xid, -6));
  const read = zk.getData("/a");
  const unknown = assert.rejects(zk.whoAmI(), UnimplementedError);
  await run(1);
  await unknown;
  server.answers = true;
  server.last.close();
  await run(500);
  assert.ok(await read);
  assert.equal(server.ops.filter((op) => op === "whoAmI").length, 1);
});

test("after close every call is refused", async () => {
  const { zk, run } = await startBench();
  const closed = zk.close();
  await assert.rejects(zk.getData("/a"), ClosedError);
  await run(1);
  await closed;
  await assert.rejects(zk.addAuth("digest", "a:b"), ClosedError);
});

test("identities are proven first on every connection", async () => {
  const { zk, server, run } = await startBench({ auth: [{ scheme: "digest", auth: "a:b" }] });
  server.on("auth", (_, connection) => connection.reply(-4));
  const second = zk.addAuth("digest", "c:d");
  await run(1);
  server.last.reply(-4);
  await run(1);
  await second;
  server.received.length = 0;
  server.last.close();
  const read = zk.exists("/");
  await run(500);
  await read;
  assert.deepEqual(server.ops.slice(-3), ["auth", "auth", "exists"]);
});

test("a refused identity ends the client, because every server would refuse it", async () => {
  const { zk, server, run, eventTypes } = await startBench();
  server.on("auth", (_, connection) => connection.reply(-4, -115));
  const refused = assert.rejects(zk.addAuth("nonsense", "x"), /refuses the scheme "nonsense"/);
  await run(1);
  await refused;
  assert.deepEqual([zk.state, eventTypes().at(-1)], ["authFailed", "authFailed"]);
});
