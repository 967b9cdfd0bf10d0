import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "@vivarium/jute";
import { EventType, SetWatches, SetWatches2, Stat } from "@vivarium/protocol";
import { type LostEvent, SessionExpiredError, type WatchEvent } from "./index.ts";
import { startBench } from "./testing/bench.ts";
import { type Received, someStat } from "./testing/scripted-server.ts";
import { Watch } from "./watch.ts";

const { NodeCreated, NodeDeleted, NodeDataChanged, NodeChildrenChanged } = EventType;
const brief = (event: WatchEvent | LostEvent): string => `${event.type} ${event.path}`;
const last = (received: Received[]): Received => received.at(-1) as Received;

test("an event is seen before the data behind it in the same chunk, by listeners and by loops", async () => {
  const { zk, server, run } = await startBench();
  const order: string[] = [];
  const reading = zk.getData("/a", { watch: () => order.push("listener") });
  const watching = zk.addWatch("/a");
  await run(1);
  await reading;
  const watch = await watching;
  const next = watch.next().then(() => order.push("loop"));
  server.on("getData", ({ xid }, connection) => {
    connection.inOneChunk(() => {
      connection.notify(NodeDataChanged, "/a", 5);
      connection.reply(xid, 0, (writer) => {
        writer.buffer(null);
        Stat.write(writer, someStat);
      });
    });
  });
  const data = zk.getData("/a").then(() => order.push("data"));
  await run(1);
  await Promise.all([next, data]);
  assert.deepEqual(order, ["listener", "loop", "data"]);
});

test("the same listener on one path is called once, however often it was given", async () => {
  const { zk, server, run } = await startBench();
  let calls = 0;
  const watch = (): void => void calls++;
  const reads = Promise.all([zk.getData("/a", { watch }), zk.getData("/a", { watch }), zk.exists("/a", { watch })]);
  await run(1);
  await reads;
  server.last.notify(NodeDataChanged, "/a");
  await run(1);
  assert.equal(calls, 1);
});

const concerns: [event: number, told: string[]][] = [
  [NodeCreated, ["data", "exist", "persistent", "recursive"]],
  [NodeDataChanged, ["data", "exist", "persistent", "recursive"]],
  [NodeDeleted, ["data", "exist", "child", "persistent", "recursive"]],
  [NodeChildrenChanged, ["child", "persistent"]],
];
for (const [event, expected] of concerns) {
  test(`event ${event} concerns ${expected.join(", ")}`, async () => {
    const { zk, server, run } = await startBench();
    const told: string[] = [];
    const listener = (name: string) => () => void told.push(name);
    server.on("exists", ({ xid }, connection) => connection.reply(xid, -101));
    const set = Promise.all([
      zk.getData("/a/b", { watch: listener("data") }),
      zk.exists("/a/b", { watch: listener("exist") }),
      zk.getChildren("/a/b", { watch: listener("child") }),
      zk.addWatch("/a/b", { listener: listener("persistent") }),
      zk.addWatch("/", { recursive: true, listener: listener("recursive") }),
      zk.getData("/a", { watch: listener("parent") }),
      zk.addWatch("/a", { listener: listener("parent") }),
    ]);
    await run(1);
    await set;
    server.last.notify(event, "/a/b");
    await run(1);
    assert.deepEqual(told.sort(), [...expected].sort());
  });
}

test("all watches are set again on the next connection, with the newest zxid seen", async () => {
  const { zk, server, run } = await startBench();
  server.zxid = 41;
  server.on("exists", ({ xid }, connection) => connection.reply(xid, -101));
  const watch = (): void => undefined;
  const set = Promise.all([zk.getData("/d", { watch }), zk.exists("/e", { watch }), zk.getChildren("/c", { watch })]);
  await run(1);
  await set;
  server.received.length = 0;
  server.last.close();
  await run(500);
  const [first] = server.received;
  assert.equal(first?.op, "setWatches");
  assert.equal(first?.xid, -8);
  assert.deepEqual(SetWatches.read(new Reader(first?.body ?? new Uint8Array())), {
    relativeZxid: 41,
    dataWatches: ["/d"],
    existWatches: ["/e"],
    childWatches: ["/c"],
  });
});

test("persistent watches need the newer packet, and are checked for what they missed before any call goes out", async () => {
  const { zk, server, run } = await startBench();
  server.zxid = 41;
  const set = Promise.all([zk.addWatch("/p"), zk.addWatch("/r", { recursive: true })]);
  await run(1);
  const [plain, recursive] = await set;
  server.received.length = 0;
  server.zxid = 50;
  server.on("exists", ({ xid }, connection) => {
    connection.reply(xid, 0, (writer) => Stat.write(writer, { ...someStat, mzxid: 45 }));
  });
  server.last.close();
  const read = zk.getData("/x");
  await run(500);
  await read;
  assert.deepEqual(server.ops, ["setWatches2", "exists", "getData"]);
  const lists = SetWatches2.read(new Reader(server.received[0]?.body ?? new Uint8Array()));
  assert.deepEqual([lists.persistentWatches, lists.persistentRecursiveWatches], [["/p"], ["/r"]]);
  assert.deepEqual((await plain.next()).value, { type: "dataChanged", path: "/p", zxid: 45 });
  assert.deepEqual((await recursive.next()).value, { type: "gap", path: "/r", zxid: 41, reason: "reconnected" });
});

const S = { ...someStat, czxid: 10, mzxid: 10, pzxid: 10 };
const gaps: { name: string; existed: boolean | undefined; stat: Stat | null; told: string[] }[] = [
  { name: "nothing happened", existed: true, stat: S, told: [] },
  { name: "data changed", existed: true, stat: { ...S, mzxid: 21 }, told: ["dataChanged /a"] },
  { name: "children changed", existed: true, stat: { ...S, pzxid: 21 }, told: ["childrenChanged /a"] },
  {
    name: "both changed",
    existed: true,
    stat: { ...S, mzxid: 21, pzxid: 22 },
    told: ["dataChanged /a", "childrenChanged /a"],
  },
  { name: "deleted", existed: true, stat: null, told: ["deleted /a"] },
  { name: "created", existed: false, stat: { ...S, czxid: 21, mzxid: 21, pzxid: 21 }, told: ["created /a"] },
  { name: "still missing", existed: false, stat: null, told: [] },
  {
    name: "replaced",
    existed: true,
    stat: { ...S, czxid: 21, mzxid: 21, pzxid: 21 },
    told: ["deleted /a", "created /a"],
  },
  { name: "missing, and nobody knows whether it was", existed: undefined, stat: null, told: ["gap /a"] },
];
for (const { name, existed, stat, told } of gaps) {
  test(`a gap in which ${name}`, () => {
    const events: string[] = [];
    const watch = newWatch({ listener: (event) => events.push(brief(event)) });
    if (existed !== undefined) watch.baseline(existed);
    watch.found(stat, 20);
    assert.deepEqual(events, told);
    events.length = 0;
    watch.found(stat, 30);
    assert.deepEqual(events, [], "told twice");
  });
}

function newWatch(options: { listener?: (event: WatchEvent | LostEvent) => void; maxQueuedEvents?: number }): Watch {
  return new Watch({
    fullPath: "/a",
    chrootLength: 0,
    recursive: false,
    maxQueuedEvents: options.maxQueuedEvents ?? 10,
    listener: options.listener,
    remove: () => Promise.resolve(),
    lostError: () => new Error("lost"),
  });
}

test("a consumer that is too slow gets one gap instead of what it did not take", async () => {
  const watch = newWatch({ maxQueuedEvents: 3 });
  for (let zxid = 101; zxid <= 104; zxid++) watch.deliver("dataChanged", "/a", zxid);
  watch.deliver("dataChanged", "/a", 105);
  assert.deepEqual((await watch.next()).value, { type: "gap", path: "/a", zxid: 100, reason: "overflow" });
  assert.deepEqual((await watch.next()).value, { type: "dataChanged", path: "/a", zxid: 105 });
});

test("leaving the loop removes the watch at the server; a second watch on the path keeps it there", async () => {
  const { zk, server, run } = await startBench();
  const set = Promise.all([zk.addWatch("/a"), zk.addWatch("/a")]);
  await run(1);
  const [first, second] = await set;
  const closed = first.return();
  await run(1);
  await closed;
  assert.ok(!server.ops.includes("removeWatches"));
  const alsoClosed = second.close();
  await run(1);
  await alsoClosed;
  assert.equal(last(server.received).op, "removeWatches");
});

test("a server that does not know the type of a persistent watch is asked to remove any", async () => {
  const { zk, server, run } = await startBench();
  const types: number[] = [];
  server.on("removeWatches", ({ xid, body }, connection) => {
    const type = new DataView(body.buffer, body.byteOffset).getInt32(body.length - 4);
    types.push(type);
    connection.reply(xid, type > 3 ? -5 : 0);
  });
  const setting = zk.addWatch("/a");
  await run(1);
  const closed = (await setting).close();
  await run(1);
  await closed;
  assert.deepEqual(types, [4, 3]);
});

test("the end of the session reaches every watch", async () => {
  const { zk, server, run } = await startBench();
  const told: string[] = [];
  const listener = (event: WatchEvent | LostEvent): void => {
    told.push(event.type === "lost" ? `lost ${event.path} ${event.reason}` : event.type);
  };
  const set = Promise.all([
    zk.getData("/a", { watch: listener }),
    zk.addWatch("/b", { listener }),
    zk.addWatch("/c", { recursive: true }),
  ]);
  await run(1);
  const [, , iterated] = await set;
  server.greets = "expires";
  server.last.close();
  const next = assert.rejects(iterated.next(), SessionExpiredError);
  await run(500);
  await next;
  assert.deepEqual(told, ["lost /a expired", "lost /b expired"]);
});

test("a listener that throws breaks nothing but is not hidden", async () => {
  const { zk, server, run } = await startBench();
  const read = zk.getData("/a", {
    watch: () => {
      throw new Error("from a listener");
    },
  });
  await run(1);
  await read;
  const thrown = new Promise<Error>((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  server.last.notify(NodeDataChanged, "/a");
  const after = zk.exists("/a");
  await run(1);
  assert.equal((await thrown).message, "from a listener");
  process.setUncaughtExceptionCaptureCallback(null);
  assert.ok(await after);
});

test("events of a chroot are told without it", async () => {
  const { zk, server, run } = await startBench({ connectString: "10.0.0.1:2181/app" });
  const events: string[] = [];
  const view = zk.chroot("/x");
  const set = Promise.all([
    view.getData("/a", { watch: (event) => events.push(brief(event)) }),
    zk.addWatch("/", { recursive: true, listener: (event) => events.push(brief(event)) }),
  ]);
  await run(1);
  await set;
  server.last.notify(NodeDataChanged, "/app/x/a");
  await run(1);
  assert.deepEqual(events, ["dataChanged /a", "dataChanged /x/a"]);
});
