/** Contract: order, watches, broken connections, the end of sessions. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  AbortError,
  ConnectionLossError,
  CreateMode,
  type LostEvent,
  REQUEST_CHANNEL,
  RequestTimeoutError,
  SessionExpiredError,
  type WatchEvent,
  type ZooKeeper,
} from "../index.ts";
import { type ContractCase, sessionEvent } from "./contract.ts";

type AnyEvent = WatchEvent | LostEvent;
const brief = (event: AnyEvent): string => `${event.type} ${event.path}`;
/** Everything that was sent before has been answered, events included. */
const flushed = (zk: ZooKeeper): Promise<unknown> => zk.exists("/");

export const sessionCases: ContractCase[] = [
  {
    name: "calls take effect in the order they are made, however narrow the window",
    run: async ({ zk, connect }) => {
      await zk.create("/n", "");
      for (const maxInFlight of [1, 7, 1000]) {
        const narrow = await connect({ maxInFlight });
        const before = (await zk.exists("/n"))?.version ?? 0;
        const stats = await Promise.all(Array.from({ length: 500 }, (_, i) => narrow.setData("/n", String(i))));
        assert.deepEqual(
          stats.map((stat) => stat.version),
          stats.map((_, i) => before + i + 1),
        );
        await narrow.drained();
      }
    },
  },
  {
    name: "one-shot watches fire once: data, children, existence",
    run: async ({ zk, connect }) => {
      const other = await connect();
      await zk.create("/a", "0");
      const events: string[] = [];
      const watch = (event: AnyEvent): void => void events.push(brief(event));
      await zk.getData("/a", { watch });
      await zk.exists("/b", { watch });
      await zk.getChildren("/a", { watch });
      await other.setData("/a", "1");
      await other.create("/b");
      await other.create("/a/c");
      await other.setData("/a", "2");
      await zk.sync();
      await flushed(zk);
      assert.deepEqual(events, ["dataChanged /a", "created /b", "childrenChanged /a"]);
    },
  },
  {
    name: "a persistent watch is an iterable that is removed when its loop is left",
    run: async ({ zk }) => {
      await zk.create("/a");
      const watch = await zk.addWatch("/a");
      const seen: string[] = [];
      const loop = (async () => {
        for await (const event of watch) if (seen.push(brief(event)) === 3) break;
      })();
      await zk.setData("/a", "1");
      await zk.create("/a/b");
      await zk.setData("/a/b", "not seen");
      await zk.setData("/a", "2");
      await loop;
      assert.deepEqual(seen, ["dataChanged /a", "childrenChanged /a", "dataChanged /a"]);
      const before = zk.counters.watchEvents;
      await zk.setData("/a", "3");
      await flushed(zk);
      assert.equal(zk.counters.watchEvents, before);
      assert.deepEqual(await watch.next(), { done: true, value: undefined });
    },
  },
  {
    name: "a recursive watch sees everything below, with zxids, but no childrenChanged",
    run: async ({ zk }) => {
      const events: AnyEvent[] = [];
      const watch = await zk.addWatch("/", { recursive: true, listener: (event) => events.push(event) });
      const { stat } = await zk.create("/a");
      await zk.create("/a/b");
      await zk.setData("/a/b", "1");
      await zk.delete("/a/b");
      await flushed(zk);
      assert.deepEqual(events.map(brief), ["created /a", "created /a/b", "dataChanged /a/b", "deleted /a/b"]);
      assert.ok(events[0]?.zxid === null || events[0]?.zxid === stat.czxid);
      await watch.close();
      await zk.create("/c");
      await flushed(zk);
      assert.equal(events.length, 4);
    },
  },
  {
    name: "two watches on one path are independent",
    run: async ({ zk }) => {
      const first = await zk.addWatch("/a");
      const second = await zk.addWatch("/a");
      await first.close();
      await zk.create("/a");
      assert.equal((await second.next()).value?.type, "created");
      await second.close();
    },
  },
  {
    name: "a watch event is seen before the data behind it",
    run: async ({ zk, connect }) => {
      const other = await connect();
      await zk.create("/a", "0");
      for (let round = 1; round <= 50; round++) {
        let told = false;
        await zk.getData("/a", {
          watch: () => {
            told = true;
          },
        });
        const write = other.setData("/a", String(round));
        for (;;) {
          const { data } = await zk.getData("/a");
          if (data?.toString() !== String(round)) continue;
          assert.ok(told, `round ${round}: the new data was read before the event`);
          break;
        }
        await write;
      }
    },
  },
  {
    name: "an iterating consumer also sees the event first",
    run: async ({ zk, connect }) => {
      const other = await connect();
      await zk.create("/a", "0");
      const watch = await zk.addWatch("/a");
      let events = 0;
      const loop = (async () => {
        for await (const _ of watch) events++;
      })();
      for (let round = 1; round <= 50; round++) {
        const write = other.setData("/a", String(round));
        for (;;) {
          const { data } = await zk.getData("/a");
          if (data?.toString() !== String(round)) continue;
          assert.ok(events >= round, `round ${round}: the new data was read before the event`);
          break;
        }
        await write;
      }
      await watch.close();
      await loop;
    },
  },
  {
    name: "a call ends with its signal or its deadline",
    run: async ({ connectThrough }) => {
      const { zk, proxy } = await connectThrough();
      proxy.mutesServer = true;
      await assert.rejects(zk.setData("/x", "", { timeoutMs: 50 }), (error) => {
        return error instanceof RequestTimeoutError && error.mayHaveHappened;
      });
      const controller = new AbortController();
      const call = zk.getData("/x", { signal: controller.signal });
      controller.abort(new Error("enough"));
      await assert.rejects(call, (error) => error instanceof AbortError && (error.cause as Error).message === "enough");
      await assert.rejects(zk.getData("/x", { signal: AbortSignal.abort() }), AbortError);
    },
  },
  {
    name: "a broken connection: the session goes on, reads are repeated, writes say that they may have happened",
    run: async ({ connectThrough }) => {
      const { zk, proxy } = await connectThrough();
      await zk.create("/a", "0");
      const { id } = zk.session;
      proxy.mutesServer = true;
      const read = zk.getData("/a");
      const write = zk.setData("/a", "1");
      const again = sessionEvent(zk, "connected");
      setTimeout(() => {
        proxy.mutesServer = false;
        proxy.cut();
      }, 50);
      await assert.rejects(write, (error) => error instanceof ConnectionLossError && error.mayHaveHappened);
      assert.ok(await read);
      await again;
      assert.equal(zk.session.id, id);
    },
  },
  {
    name: "watches survive a broken connection and tell what they missed",
    run: async ({ zk, connectThrough }) => {
      const { zk: cut, proxy } = await connectThrough();
      await zk.create("/a", "0");
      await zk.create("/gone");
      const events: string[] = [];
      const listener = (event: AnyEvent): void => void events.push(brief(event));
      await cut.exists("/new", { watch: listener });
      await cut.getData("/gone", { watch: listener });
      await cut.addWatch("/a", { listener: (event) => events.push(`persistent ${brief(event)}`) });
      await cut.addWatch("/", { recursive: true, listener: (event) => events.push(`recursive ${brief(event)}`) });
      proxy.accepts = false;
      const suspended = sessionEvent(cut, "suspended");
      proxy.cut();
      await suspended;
      await zk.create("/new");
      await zk.delete("/gone");
      await zk.setData("/a", "1");
      proxy.accepts = true;
      await flushed(cut);
      await flushed(cut);
      for (const each of ["created /new", "deleted /gone", "persistent dataChanged /a", "recursive gap /"]) {
        assert.ok(events.includes(each), `${each} is missing among ${events.join(", ")}`);
      }
      events.length = 0;
      await zk.setData("/a", "2");
      await cut.sync();
      await flushed(cut);
      assert.deepEqual(events.sort(), ["persistent dataChanged /a", "recursive dataChanged /a"]);
    },
  },
  {
    name: "a reconnect without changes brings no events",
    run: async ({ zk, connectThrough }) => {
      const { zk: cut, proxy } = await connectThrough();
      await zk.create("/a", "0");
      const events: string[] = [];
      await cut.addWatch("/a", { listener: (event) => events.push(brief(event)) });
      await cut.getData("/a", { watch: (event) => events.push(brief(event)) });
      await cut.sync();
      const again = sessionEvent(cut, "connected");
      proxy.cut();
      await again;
      await flushed(cut);
      assert.deepEqual(events, []);
    },
  },
  {
    name: "more watches than fit one packet are set again",
    run: async ({ zk, connectThrough }) => {
      const { zk: cut, proxy } = await connectThrough();
      const paths = Array.from({ length: 1500 }, (_, i) => `/${"w".repeat(180)}-${i}`);
      let events = 0;
      await Promise.all(paths.map((path) => cut.exists(path, { watch: () => events++ })));
      const again = sessionEvent(cut, "connected");
      proxy.cut();
      await again;
      await flushed(cut);
      await Promise.all(paths.map((path) => zk.create(path)));
      await cut.sync();
      await flushed(cut);
      assert.equal(events, paths.length);
    },
  },
  {
    name: "protected creates make one node, idempotent writes one change, when the answer is lost",
    run: async ({ zk, connectThrough }) => {
      const { zk: cut, proxy } = await connectThrough();
      await zk.create("/q");
      await zk.create("/a", "0");
      await zk.create("/d");
      const losing = async <T>(call: () => Promise<T>): Promise<T> => {
        proxy.mutesServer = true;
        const outcome = call();
        outcome.catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 100));
        proxy.mutesServer = false;
        proxy.cut();
        return outcome;
      };
      const mode = CreateMode.EPHEMERAL_SEQUENTIAL;
      const made = await losing(() => cut.create("/q/lock-", "x", { mode, protected: true }));
      assert.match(made.path, /^\/q\/_c_[0-9a-f-]{36}-lock-\d{10}$/);
      assert.deepEqual((await zk.getChildren("/q")).children, [made.path.slice(3)]);
      assert.equal((await losing(() => cut.setData("/a", "1", { version: 0, idempotent: true }))).version, 1);
      assert.equal((await losing(() => cut.create("/i", "x", { idempotent: true }))).path, "/i");
      await losing(() => cut.delete("/d", { idempotent: true }));
      assert.equal(await zk.exists("/d"), null);
    },
  },
  {
    name: "a guaranteed delete goes on after its call has failed",
    run: async ({ zk, connectThrough }) => {
      const { zk: cut, proxy } = await connectThrough();
      await zk.create("/d");
      proxy.accepts = false;
      const suspended = sessionEvent(cut, "suspended");
      proxy.cut();
      await suspended;
      await assert.rejects(cut.delete("/d", { guaranteed: true, timeoutMs: 100 }), RequestTimeoutError);
      const gone = new Promise((resolve) => void zk.exists("/d", { watch: resolve }));
      proxy.accepts = true;
      await gone;
    },
  },
  {
    name: "a session moves to another client by id and password, and ends with close",
    run: async ({ zk, connect }) => {
      const first = await connect();
      await first.create("/e", null, { mode: CreateMode.EPHEMERAL });
      const second = await connect({ session: first.session });
      assert.equal(second.session.id, first.session.id);
      assert.deepEqual(await second.getEphemerals(), ["/e"]);
      await second.close();
      assert.equal(await zk.exists("/e"), null);
    },
  },
  {
    name: "a wrong password does not open a session",
    run: async ({ zk, connect }) => {
      const stolen = { id: zk.session.id, password: new Uint8Array(16) };
      await assert.rejects(connect({ session: stolen }), SessionExpiredError);
    },
  },
  {
    name: "an expired session ends its watches; renewed, it keeps them and says what it cannot know",
    run: async ({ zk, connectThrough }) => {
      const ending = await connectThrough({ sessionTimeoutMs: 4000 });
      const renewing = await connectThrough({ sessionTimeoutMs: 4000, renewSession: true });
      const lost: string[] = [];
      const kept: string[] = [];
      await ending.zk.exists("/a", { watch: (event) => lost.push(brief(event)) });
      const iterated = await ending.zk.addWatch("/");
      await renewing.zk.exists("/a", { watch: (event) => kept.push(brief(event)) });
      await renewing.zk.addWatch("/", { listener: (event) => kept.push(brief(event)) });
      await renewing.zk.create("/e", null, { mode: CreateMode.EPHEMERAL });
      const old = renewing.zk.session.id;
      const over = [sessionEvent(ending.zk, "expired"), sessionEvent(renewing.zk, "expired")];
      const maybe = sessionEvent(ending.zk, "maybeExpired");
      for (const { proxy } of [ending, renewing]) {
        proxy.accepts = false;
        proxy.cut();
      }
      await maybe;
      assert.equal(ending.zk.state, "maybeExpired");
      await Promise.all(over);
      renewing.proxy.accepts = true;
      await assert.rejects(ending.zk.getData("/a"), SessionExpiredError);
      const iterating = (async () => {
        for await (const _ of iterated);
      })();
      await assert.rejects(iterating, SessionExpiredError);
      assert.deepEqual(lost, ["lost /a"]);
      await flushed(renewing.zk);
      assert.notEqual(renewing.zk.session.id, old);
      assert.ok(kept.includes("gap /"), kept.join());
      await zk.create("/a");
      await renewing.zk.sync();
      await flushed(renewing.zk);
      assert.ok(kept.includes("created /a"), kept.join());
    },
  },
  {
    name: "a process that was blocked for longer than its session timeout hears of it before its queued work goes on",
    run: async ({ connect }) => {
      const zk = await connect({ sessionTimeoutMs: 4000 });
      const order: string[] = [];
      zk.onSessionEvent((event) => order.push(event.type));
      const read = zk.getAllChildrenNumber("/").finally(() => order.push("answer"));
      await new Promise((resolve) => setImmediate(resolve));
      const timers = [1, 1000, 3000].map(
        (ms) =>
          new Promise<void>((resolve) => {
            setTimeout(() => resolve(void order.push(`timer ${ms}`)), ms);
          }),
      );
      setImmediate(() => order.push("immediate"));
      const blocked = Promise.resolve().then(() => {
        for (const until = performance.now() + 4200; performance.now() < until; );
      });
      await blocked.then(() => order.push("continuation"));
      await Promise.all([read.catch(() => undefined), ...timers]);
      assert.equal(order[0], "maybeExpired", order.join());
      for (const each of ["continuation", "timer 1", "timer 3000", "answer"]) {
        assert.ok(order.includes(each), `${each} is missing among ${order.join()}`);
      }
    },
  },
  {
    name: "every call is told on the diagnostics channel",
    run: async ({ zk }) => {
      const traces: { op: string; result: string; path: string; replyBytes: number }[] = [];
      const listener = (message: unknown): void => void traces.push(message as (typeof traces)[number]);
      subscribe(REQUEST_CHANNEL, listener);
      await zk.create("/a", "x");
      await zk.getData("/no").catch(() => undefined);
      unsubscribe(REQUEST_CHANNEL, listener);
      const mine = traces.filter(({ path }) => /\/(a|no)$/.test(path));
      assert.deepEqual(
        mine.map(({ op, result }) => [op, result]),
        [
          ["create", "OK"],
          ["getData", "NoNodeError"],
        ],
      );
      assert.ok((mine[0]?.replyBytes ?? 0) > 80);
    },
  },
  {
    name: "a new list of servers is taken over without losing the session",
    run: async ({ zk, connectThrough, server }) => {
      const { zk: moving, proxy } = await connectThrough();
      const { id } = moving.session;
      moving.updateServerList(server);
      await moving.exists("/");
      await proxy.stop();
      await moving.exists("/");
      assert.equal(moving.session.id, id);
      assert.equal(moving.server, server);
      assert.notEqual(zk.session.id, id);
    },
  },
];
