// The checkers find what they are for: each history here is good but for one planted fault, and its rule is named.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, makeZxid, OpCode } from "@vivarium/protocol";
import { Planted } from "../testing/planted.ts";
import { ACCOUNTS } from "../workload/actions.ts";
import type { SessionRecord, SubtreeWatch, WatchRecord } from "../workload/history.ts";
import { Leaders } from "./leaders.ts";
import { ServerView } from "./server-view.ts";
import type { Violation } from "./violation.ts";

interface World {
  planted: Planted;
  one: SessionRecord;
  two: SessionRecord;
}

/** Two sessions and a node /a at 0x3. */
function world(): World {
  const planted = new Planted();
  const one = planted.session("c1.1", 1n, 1);
  const two = planted.session("c2.1", 2n, 2);
  planted.create(one, "/a", "|c1.1#0");
  return { planted, one, two };
}

function watch(given: Partial<WatchRecord> = {}): WatchRecord {
  return { kind: "data", path: "/a", connection: 1, event: null, extra: 0, ...given };
}

/** A watch on everything below /a, set at 0x3; returns its list of events. */
function subtree(session: SessionRecord): SubtreeWatch["events"] {
  const events: SubtreeWatch["events"] = [];
  session.subtreeWatches.push({ path: "/a", askedAt: 3, setAt: 3, connection: 1, closedOrder: 0, events });
  return events;
}

const histories: readonly {
  name: string;
  broken: readonly string[];
  plant: (world: World) => void;
  linearizable?: boolean;
}[] = [
  {
    name: "a good history",
    broken: [],
    plant: ({ planted, one, two }) => {
      planted.getData(one, "/a");
      planted.setData(two, "/a", "|c2.1#2");
      planted.getData(one, "/a");
      planted.setData(two, "/a", "|c2.1#4", { outcome: "unknown" });
      planted.getData(two, "/a");
      planted.write(one, { kind: "delete", path: "/a" });
      planted.call(one, { kind: "getData", path: "/a", outcome: "refused", code: ErrorCode.NONODE });
    },
  },
  {
    name: "an acknowledged write that is not committed",
    broken: ["acknowledged writes are committed"],
    plant: ({ planted, one }) => planted.call(one, { kind: "setData", path: "/a", data: "|c1.1#9" }),
  },
  {
    name: "a refused write that is committed",
    broken: ["what was refused is not done"],
    plant: ({ planted, one }) =>
      planted.setData(one, "/a", "|c1.1#9", { outcome: "refused", code: ErrorCode.BADVERSION }),
  },
  {
    name: "a write that was never sent and is committed",
    broken: ["what was refused is not done"],
    plant: ({ planted, one }) => planted.setData(one, "/a", "|c1.1#9", { outcome: "unsent" }),
  },
  {
    name: "a write that takes effect before it was asked for",
    broken: ["writes are linearizable"],
    plant: ({ planted, one }) => planted.setData(one, "/a", "|c1.1#9", { toldBefore: 100 }),
  },
  {
    name: "a reply that names a zxid before its own transaction",
    broken: ["a reply tells its zxid"],
    plant: ({ planted, one }) => planted.setData(one, "/a", "|c1.1#9", { seen: 3 }),
  },
  {
    name: "a write that is done with other data",
    broken: ["acknowledged writes are committed", "a write is done once"],
    plant: ({ planted, one }) => planted.setData(one, "/a", "spoiled", { data: "|c1.1#9" }),
  },
  {
    name: "a conditional write on another version",
    broken: ["a write does what was asked"],
    plant: ({ planted, one }) => planted.setData(one, "/a", "|c1.1#9", { version: 7 }),
  },
  {
    name: "a multi that is done in part",
    broken: ["a write does what was asked"],
    plant: ({ planted, one }) => {
      const part = { kind: "setData" as const, version: -1 };
      const parts = [
        { ...part, path: "/a", data: "|m#1" },
        { ...part, path: "/b", data: "|m#2" },
      ];
      planted.setData(one, "/a", "|m#1", { kind: "multi", path: "/a /b", data: "", parts });
    },
  },
  {
    name: "a write that is done twice",
    broken: ["a write is done once"],
    plant: ({ planted, one }) => {
      planted.setData(one, "/a", "|c1.1#9");
      planted.commit(5, { effects: [{ kind: "setData", path: "/a", data: "|c1.1#9", version: 2 }] });
    },
  },
  {
    name: "two writes of a session in the wrong order",
    broken: ["writes of a session keep their order"],
    plant: ({ planted, one }) => {
      planted.commit(4, { effects: [{ kind: "setData", path: "/a", data: "|second", version: 1 }] });
      planted.commit(5, { effects: [{ kind: "setData", path: "/a", data: "|first", version: 2 }] });
      planted.call(one, { kind: "setData", path: "/a", data: "|first", toldBefore: 3 });
      planted.call(one, { kind: "setData", path: "/a", data: "|second", toldBefore: 3 });
    },
  },
  {
    name: "a read of what never was",
    broken: ["reads are consistent"],
    plant: ({ planted, one }) => planted.getData(one, "/a", { found: "never" }),
  },
  {
    name: "a session that does not read its own write",
    broken: ["reads are consistent"],
    plant: ({ planted, one }) => {
      const stat = planted.stat("/a");
      planted.setData(one, "/a", "|c1.1#9");
      planted.getData(one, "/a", { stat, found: "|c1.1#0" });
    },
  },
  {
    name: "a session that goes back in time",
    broken: ["reads are consistent"],
    plant: ({ planted, one, two }) => {
      const stat = planted.stat("/a");
      planted.setData(one, "/a", "|c1.1#9");
      planted.getData(two, "/a");
      planted.getData(two, "/a", { stat, found: "|c1.1#0" });
    },
  },
  {
    name: "a read that lags behind, which other sessions may",
    broken: [],
    plant: ({ planted, one, two }) => {
      const stat = planted.stat("/a");
      planted.setData(one, "/a", "|c1.1#9");
      planted.getData(two, "/a", { stat, found: "|c1.1#0" });
    },
  },
  {
    name: "a read that lags behind on a lone server",
    linearizable: true,
    broken: ["reads are consistent"],
    plant: ({ planted, one, two }) => {
      const stat = planted.stat("/a");
      planted.setData(one, "/a", "|c1.1#9");
      planted.getData(two, "/a", { stat, found: "|c1.1#0" });
    },
  },
  {
    name: "a stale read after a sync",
    broken: ["reads are consistent"],
    plant: ({ planted, one, two }) => {
      const stat = planted.stat("/a");
      planted.setData(one, "/a", "|c1.1#9");
      planted.call(two, { kind: "sync" });
      planted.getData(two, "/a", { stat, found: "|c1.1#0" });
    },
  },
  {
    name: "a read that is newer than its reply says",
    broken: ["reads are consistent"],
    plant: ({ planted, one, two }) => {
      planted.setData(one, "/a", "|c1.1#9");
      planted.getData(two, "/a", { seen: 3 });
    },
  },
  {
    name: "children that a node never had together",
    broken: ["reads are consistent"],
    plant: ({ planted, one }) => {
      planted.create(one, "/a/b", "|c1.1#9");
      planted.call(one, { kind: "getChildren", path: "/a", stat: planted.stat("/a"), children: ["c"] });
    },
  },
  {
    name: "a refusal without a reason",
    broken: ["reads are consistent"],
    plant: ({ planted, one }) =>
      planted.call(one, { kind: "setData", path: "/a", data: "|x", outcome: "refused", code: ErrorCode.NONODE }),
  },
  {
    name: "a multiRead from two moments",
    broken: ["reads are consistent"],
    plant: ({ planted, one }) => {
      planted.create(one, "/b", "|c1.1#1");
      const early = { stat: planted.stat("/a"), data: "|c1.1#0" };
      planted.setData(one, "/a", "|c1.1#2");
      planted.setData(one, "/b", "|c1.1#3");
      const late = { stat: planted.stat("/b"), data: "|c1.1#3" };
      planted.call(one, { kind: "multiRead", path: "/a /b", paths: ["/a", "/b"], reads: [early, late] });
    },
  },
  {
    name: "a watch that tells in time",
    broken: [],
    plant: ({ planted, one, two }) => {
      const left = watch();
      planted.getData(two, "/a", { watch: left });
      planted.setData(one, "/a", "|c1.1#9");
      left.event = { type: "dataChanged", zxid: 4, order: planted.history.nextOrder(), connection: 1 };
      planted.getData(two, "/a");
    },
  },
  {
    name: "new data before its watch event",
    broken: ["watches tell before data"],
    plant: ({ planted, one, two }) => {
      const left = watch();
      planted.getData(two, "/a", { watch: left });
      planted.setData(one, "/a", "|c1.1#9");
      planted.getData(two, "/a");
      left.event = { type: "dataChanged", zxid: 4, order: planted.history.nextOrder(), connection: 1 };
    },
  },
  {
    name: "later news from elsewhere before the watch event",
    broken: ["watches tell before data"],
    plant: ({ planted, one, two }) => {
      planted.getData(two, "/a", { watch: watch() });
      planted.setData(one, "/a", "|c1.1#9");
      planted.create(one, "/later", "|c1.1#10");
      planted.getData(two, "/later");
    },
  },
  {
    name: "a watch event for no change",
    broken: ["watches tell before data"],
    plant: ({ planted, two }) => {
      const event = { type: "dataChanged", zxid: 4, order: planted.history.nextOrder(), connection: 1 };
      planted.getData(two, "/a", { watch: watch({ event }) });
    },
  },
  {
    name: "a watch event of the wrong kind",
    broken: ["watches tell before data"],
    plant: ({ planted, one, two }) => {
      const left = watch();
      planted.getData(two, "/a", { watch: left });
      planted.write(one, { kind: "delete", path: "/a" });
      left.event = { type: "dataChanged", zxid: 4, order: planted.history.nextOrder(), connection: 1 };
    },
  },
  {
    name: "a watch on no node, whose answer arrives together with the node's coming and going",
    broken: [],
    plant: ({ planted, one, two }) => {
      const left = watch();
      const { seen } = planted.create(one, "/b", "|c1.1#9");
      planted.write(one, { kind: "delete", path: "/b" });
      left.event = { type: "created", zxid: seen, order: planted.history.nextOrder(), connection: 1 };
      planted.call(two, { kind: "exists", path: "/b", watch: left });
    },
  },
  {
    name: "a watch on no node that tells of a change before what the session had seen",
    broken: ["watches tell before data"],
    plant: ({ planted, one, two }) => {
      const left = watch();
      const { seen } = planted.create(one, "/b", "|c1.1#9");
      planted.write(one, { kind: "delete", path: "/b" });
      planted.call(two, {});
      left.event = { type: "created", zxid: seen, order: planted.history.nextOrder(), connection: 1 };
      planted.call(two, { kind: "exists", path: "/b", watch: left });
      planted.create(one, "/b", "|c1.1#10");
    },
  },
  {
    name: "a watch that fires twice",
    broken: ["watches tell before data"],
    plant: ({ planted, one, two }) => {
      const left = watch({ extra: 1 });
      planted.getData(two, "/a", { watch: left });
      planted.setData(one, "/a", "|c1.1#9");
      left.event = { type: "dataChanged", zxid: 4, order: planted.history.nextOrder(), connection: 1 };
    },
  },
  {
    name: "a subtree's changes in order",
    broken: [],
    plant: ({ planted, one, two }) => {
      const events = subtree(two);
      planted.setData(one, "/a", "|c1.1#9");
      events.push({ type: "dataChanged", path: "/a", zxid: 4, order: planted.history.nextOrder() });
      planted.create(one, "/a/b", "|c1.1#10");
      events.push({ type: "created", path: "/a/b", zxid: 5, order: planted.history.nextOrder() });
      planted.getData(two, "/a/b");
    },
  },
  {
    name: "a change of a subtree that is left out",
    broken: ["persistent watches tell everything"],
    plant: ({ planted, one, two }) => {
      const events = subtree(two);
      planted.setData(one, "/a", "|c1.1#9");
      planted.create(one, "/a/b", "|c1.1#10");
      events.push({ type: "created", path: "/a/b", zxid: 5, order: planted.history.nextOrder() });
    },
  },
  {
    name: "a change of a subtree that is shown before it is told",
    broken: ["persistent watches tell everything"],
    plant: ({ planted, one, two }) => {
      const events = subtree(two);
      planted.setData(one, "/a", "|c1.1#9");
      planted.getData(two, "/a");
      events.push({ type: "dataChanged", path: "/a", zxid: 4, order: planted.history.nextOrder() });
    },
  },
  {
    name: "a sequence number given twice",
    broken: ["sequence numbers are unique", "sequence numbers rise", "a write does what was asked"],
    plant: ({ planted, one }) => {
      for (const number of ["0000000001", "0000000002"]) {
        const path = `/a${number}`;
        const given = { path: "/a", sequential: true, createdPath: "/a0000000001" };
        planted.write(one, { kind: "create", path, data: `|${number}`, owner: 0n }, given);
      }
    },
  },
  {
    name: "an update that is lost",
    broken: ["no update is lost"],
    plant: ({ planted, one, two }) => {
      planted.create(one, "/ctr", "|c1.1#1");
      planted.create(one, "/ctr/c0", "0|c1.1#2");
      planted.setData(one, "/ctr/c0", "1|c1.1#3");
      planted.setData(two, "/ctr/c0", "1|c2.1#4");
    },
  },
  {
    name: "two holders of one lock",
    broken: ["one holder of a lock"],
    plant: ({ planted }) =>
      planted.history.holdings.push(
        { session: "c1.1", path: "/lock/l-1", fromMs: 10, toMs: 30 },
        { session: "c2.1", path: "/lock/l-2", fromMs: 20, toMs: 25 },
      ),
  },
  {
    name: "an ephemeral of a session that is closed",
    broken: ["a closed session creates nothing"],
    plant: ({ planted, one, two }) => {
      planted.commit(4, { sessionId: 2n, type: OpCode.closeSession });
      planted.create(one, "/e", "|c1.1#9", two.id);
    },
  },
  {
    name: "a closeSession that forgets an ephemeral",
    broken: ["a session takes its ephemerals with it"],
    plant: ({ planted, two }) => {
      planted.create(two, "/e", "|c2.1#9", two.id);
      planted.commit(5, { sessionId: 2n, type: OpCode.closeSession });
    },
  },
  {
    name: "a session id that is given out again",
    broken: ["session ids are unique"],
    plant: ({ planted }) => planted.commit(4, { sessionId: 1n, type: OpCode.createSession }),
  },
];

function whatOf({ found }: Planted): string {
  return found.map(({ rule, what }) => `${rule}: ${what}`).join("\n");
}

for (const { name, broken, plant, linearizable = false } of histories) {
  test(`${broken.length === 0 ? "nothing is wrong with" : "found"}: ${name}`, () => {
    const made = world();
    plant(made);
    assert.deepEqual(made.planted.judge({ linearizable }).sort(), [...broken].sort(), whatOf(made.planted));
  });
}

test("found: money that is made", () => {
  const { planted, one } = world();
  const stat = planted.stat("/a");
  const reads = [100, 100, 101].map((value) => ({ data: `${value}|`, stat }));
  planted.call(one, { kind: "multiRead", paths: ACCOUNTS, reads });
  assert.ok(planted.judge().includes("a multi is done wholly or not at all"));
});

test("found: a session that outlives its client", () => {
  const { planted } = world();
  assert.deepEqual(planted.judgeLeftovers(), ["dead sessions expire"]);
});

function views() {
  const planted = new Planted();
  const view = (name: string) => new ServerView({ name, truth: planted.truth, nowMs: () => 0 });
  const tree = { lastProcessedZxid: 0, digest: () => BigInt(tree.lastProcessedZxid) };
  const txn = (zxid: number, clientId = 1n) => {
    tree.lastProcessedZxid = zxid;
    const header = { clientId, cxid: 1, zxid, time: 0, type: OpCode.error };
    return { header, body: { type: OpCode.error, err: 0 }, digest: null } as const;
  };
  return { planted, view, tree, txn };
}

const servers: readonly { name: string; broken: readonly string[]; act: (given: ReturnType<typeof views>) => void }[] =
  [
    {
      name: "two servers that agree",
      broken: [],
      act: ({ view, tree, txn }) => {
        for (const name of ["s1", "s2"]) {
          tree.lastProcessedZxid = 0;
          const server = view(name);
          server.serves(tree, { knowsUpTo: 0 });
          for (const zxid of [1, 2]) server.applied(txn(zxid), tree);
        }
      },
    },
    {
      name: "a server that leaves one out",
      broken: ["committed prefixes agree"],
      act: ({ planted, view, tree, txn }) => {
        for (const zxid of [1, 2, 3]) planted.commit(zxid);
        const server = view("s2");
        server.serves(tree, { knowsUpTo: 0 });
        server.applied(txn(3), tree);
      },
    },
    {
      name: "a server that has another transaction at a zxid",
      broken: ["committed prefixes agree"],
      act: ({ planted, view, tree, txn }) => {
        planted.commit(1, { type: OpCode.error });
        const server = view("s2");
        server.serves(tree, { knowsUpTo: 0 });
        server.applied(txn(1, 99n), tree);
      },
    },
    {
      name: "a server with another digest",
      broken: ["equal zxid, equal digest"],
      act: ({ planted, view, tree, txn }) => {
        planted.commit(1, { type: OpCode.error, digest: 77n });
        const server = view("s2");
        server.serves(tree, { knowsUpTo: 0 });
        server.applied(txn(1), tree);
      },
    },
    {
      name: "a lone server that has forgotten",
      broken: ["what is committed survives"],
      act: ({ planted, view, tree }) => {
        planted.commit(1);
        view("s1").serves(tree, { knowsUpTo: Number.POSITIVE_INFINITY });
      },
    },
    {
      name: "a leader of its epoch that has forgotten",
      broken: ["what is committed survives"],
      act: ({ planted, view, tree }) => {
        planted.commit(1);
        planted.commit(makeZxid(2, 1));
        view("s1").serves(tree, { knowsUpTo: makeZxid(2, 0) });
      },
    },
    {
      name: "a leader that does not know yet that the next one has committed something",
      broken: [],
      act: ({ planted, view, tree }) => {
        planted.commit(1);
        planted.commit(makeZxid(2, 1));
        tree.lastProcessedZxid = 1;
        view("s1").serves(tree, { knowsUpTo: makeZxid(2, 0) });
      },
    },
    {
      name: "a server that shows what was never committed",
      broken: ["committed prefixes agree"],
      act: ({ planted, view, tree }) => {
        planted.commit(1);
        planted.commit(3);
        tree.lastProcessedZxid = 2;
        view("s2").serves(tree, { knowsUpTo: 0 });
      },
    },
    {
      name: "replay that is committed once the server serves",
      broken: [],
      act: ({ planted, view, tree, txn }) => {
        const server = view("s1");
        for (const zxid of [1, 2]) server.applied(txn(zxid), tree);
        assert.equal(planted.truth.lastZxid, 0);
        server.serves(tree, { knowsUpTo: Number.POSITIVE_INFINITY });
        assert.equal(planted.truth.lastZxid, 2);
      },
    },
  ];

for (const { name, broken, act } of servers) {
  test(`${broken.length === 0 ? "nothing is wrong with" : "found"}: ${name}`, () => {
    const given = views();
    act(given);
    assert.deepEqual(given.planted.rules(), broken, whatOf(given.planted));
  });
}

test("found: two leaders of one epoch", () => {
  const found: Violation[] = [];
  const leaders = new Leaders((violation) => found.push(violation));
  leaders.established("s1", 1);
  leaders.established("s1", 1);
  leaders.established("s2", 2);
  assert.deepEqual(found, []);
  leaders.established("s3", 2);
  assert.deepEqual(
    found.map(({ rule }) => rule),
    ["one leader per epoch"],
  );
});
