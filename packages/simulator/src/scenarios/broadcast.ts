/** Section E: transactions in order, and what may go wrong around that. S3 leads at first. */
import assert from "node:assert/strict";
import { CreateRequest, OPEN_ACL_UNSAFE, OpCode, zxidCounter } from "@vivarium/protocol";
import type { Edit, Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

const LAST_COUNTER = 40;

/** An epoch has so few zxids. */
const shortEpochs: Edit = {
  file: "protocol/zxid.ts",
  from: "export const MAX_COUNTER = 0xffffffff;",
  to: `export const MAX_COUNTER = ${LAST_COUNTER};`,
};

/** A leader applies one transaction in a turn, and waits a while for the next turn. */
const slowToApply: readonly Edit[] = [
  {
    file: "server/leader-path.ts",
    from: "applied % APPLY_SLICE === 0 && budget.isOver()",
    to: "true",
  },
  {
    file: "server/leader-path.ts",
    from: "clock.defer(() => this.#applyLater())",
    to: "clock.setTimer(50, () => this.#applyLater())",
  },
];

export const scenarios: readonly Scenario[] = [
  {
    about: ["ZOOKEEPER-1277", "ZOOKEEPER-4883", "ZOOKEEPER-2789"],
    title: "the zxids of an epoch are used up under pipelined writes",
    given: [shortEpochs],
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      for (const server of [s1, s2, s3]) await stage.write(server, `/first-of-${server.name}`);
      for (const server of [s1, s2, s3]) await stage.writeUnheard(server, ...names(`/${server.name}-`, 20));
      await stage.until("a new epoch", () => stage.servers.some((server) => stage.said(server, "epoch=2") > 0), 5000);
      await stage.serving();
      await stage.write(s1, "/after");
      const counters = stage.truth.history.map(({ zxid }) => zxidCounter(zxid));
      assert.ok(
        counters.every((counter) => counter > 0 && counter <= LAST_COUNTER),
        "every zxid is of its epoch",
      );
      await stage.agree();
    },
    mutants: [
      {
        broken: "the leader goes on counting",
        file: "zab/leader.ts",
        from: "if (zxidCounter(zxid) === MAX_COUNTER)",
        to: "if (false)",
        fails: /a new epoch: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-1863", "ZOOKEEPER-2684", "ZOOKEEPER-4537"],
    title: "one session reads and writes without waiting while others write",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, , s3] = stage.three;
      await pipeline(stage, s1);
      await pipeline(stage, s3);
      await stage.agree();
    },
    mutants: [
      {
        broken: "reads do not wait for their session's own writes",
        file: "server/request-dispatcher.ts",
        from: 'const isImmediate = route === "read" && type !== OpCode.sync && connection.pending.length === 0;',
        to: 'const isImmediate = route === "read" && type !== OpCode.sync;',
        fails: /in the order in which they were asked/,
      },
      {
        broken: "writes do not wait for a sync before them",
        file: "server/request-dispatcher.ts",
        from: "if (connection.syncs > 0)",
        to: "if (false)",
        fails: /replies out of order/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3472"],
    title: "a check comes alone, outside of a multi",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1] = stage.three;
      const client = await stage.rawSession(s1);
      const xid = client.send(OpCode.check, (writer) => {
        writer.ustring("/");
        writer.int(-1);
      });
      await stage.until("an answer", () => client.replyTo(xid) !== undefined || client.isClosed);
      assert.notEqual(client.replyTo(xid)?.err, 0, "nobody is told what no quorum has agreed to");
      await stage.agree();
    },
    mutants: [
      {
        broken: "it is answered as a read",
        file: "server/request-dispatcher.ts",
        from: "for (const type of [ OpCode.exists,",
        to: "for (const type of [ OpCode.check, OpCode.exists,",
        also: [
          {
            file: "server/request-dispatcher.ts",
            from: "if (request.refusal !== ErrorCode.OK || request.type === OpCode.ping)",
            to: "if (request.refusal !== ErrorCode.OK || request.type === OpCode.ping || request.type === OpCode.check)",
          },
        ],
        fails: /nobody is told what no quorum has agreed to/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3598"],
    title: "a leader's role ends while it still has much to apply",
    given: slowToApply,
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      await stage.writeUnheard(s3, ...names("/n", 60));
      const before = stage.truth.lastZxid;
      await stage.until("it has begun to apply", () => stage.truth.lastZxid > before);
      stage.reset(s1, s3);
      stage.reset(s2, s3);
      stage.isolate(s3);
      await stage.givesUp(s3);
      stage.heal();
      await stage.serving(s1, s2, s3);
      await stage.pass(500);
      await stage.agree();
    },
    mutants: [
      {
        broken: "it goes on applying in the next role's time",
        file: "server/leader-path.ts",
        from: "this.#isStopped = true;",
        to: "",
        fails: /the tree differs/,
      },
    ],
  },
  {
    about: ["duplicate-zxid-on-malformed-write"],
    title: "creates that cannot be read come between others",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1] = stage.three;
      const good = await stage.rawSession(s1);
      const bad = await stage.rawSession(s1);
      const xids: number[] = [];
      for (let round = 0; round < 10; round++) {
        xids.push(good.send(OpCode.create, createBody(`/n${round}`)));
        bad.send(OpCode.create, (writer) => writer.raw(new Uint8Array(3)));
      }
      await stage.until("all are answered", () => good.replies.length + bad.replies.length === 20);
      assert.ok(xids.every((xid) => good.replyTo(xid)?.err === 0));
      assert.ok(bad.replies.every(({ err }) => err === MARSHALLINGERROR));
      await stage.agree();
    },
    mutants: [
      {
        broken: "the refusal gets the zxid of the last transaction",
        file: "tree/prepare.ts",
        from: "const header = { clientId, cxid, zxid: this.#nextZxid(), time: timeMs, type }; this.#records.refresh(); this.#begin(header, 0);",
        to: "const header = { clientId, cxid, zxid: this.#tree.lastProcessedZxid, time: timeMs, type }; this.#records.refresh(); this.#begin(header, 0);",
        fails: /programs do not throw/,
      },
    ],
  },
  {
    about: ["leader-sync-is-a-local-read"],
    title: "a leader that stood still answers sync and read before it knows that another leads",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/n", "old");
      const { zk } = await stage.connect(s3);
      s3.machine.freeze();
      const synced = zk.sync("/n").then(() => zk.getData("/n"));
      await stage.until("another leads", () => [s1, s2].some(({ role }) => role === "leader"));
      await stage.serving(s1, s2);
      await stage.write(s2, "/n", "new");
      s3.machine.thaw();
      const data = await stage.answer(
        synced.then(
          ({ data }) => Buffer.from(data ?? []).toString(),
          () => "no answer",
        ),
      );
      assert.notEqual(data, "old", "what is read after sync is fresh");
      await stage.agree();
    },
    mutants: [{ without: "syncAsksQuorum", fails: /what is read after sync is fresh/ }],
  },
  {
    about: ["ZOOKEEPER-710"],
    title: "a session moves while a write of its old connection is under way",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      const { zk } = await stage.connect(s2);
      await stage.answer(zk.create("/n", "0"));
      const old = await stage.rawSession(s1);
      stage.cutOneWay(s1, s3);
      old.send(OpCode.setData, setDataBody("/n", "old"));
      await stage.pass(20);
      const moved = await stage.rawSession(s2, old.greeting);
      const xid = moved.send(OpCode.setData, setDataBody("/n", "new"), 100);
      await stage.until("the new write is done", () => moved.replyTo(xid) !== undefined);
      stage.heal();
      await stage.until("the old connection is closed", () => old.isClosed, 2000);
      assert.equal(old.replies.length, 0, "the old write is answered nowhere");
      assert.equal(await stage.read(s2, "/n"), "new");
      assert.ok(!moved.isClosed, "the session lives on where it is");
      await stage.agree();
    },
    mutants: [
      {
        broken: "whoever asks speaks for the session",
        file: "server/session-tracker.ts",
        from: "return session.owner === owner ? ErrorCode.OK : ErrorCode.SESSIONMOVED;",
        to: "return ErrorCode.OK;",
        fails: /the old connection is closed: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3240"],
    title: "a follower leaves its leader",
    async play(rules) {
      // S1 is less patient than its leader.
      const stage = await Stage.open({ rules, config: (id) => [`syncLimit=${id === 1 ? 2 : 10}`] });
      const [s1, s2, s3] = stage.three;
      stage.kill(s2);
      stage.cutOneWay(s3, s1);
      await stage.givesUp(s1);
      await stage.until("the leader knows that it is alone", () => !s3.isServing, 450);
      await stage.agree();
    },
    mutants: [
      {
        broken: "its connection stays open",
        file: "server/peer/learner-term.ts",
        from: 'this.#stream?.close("this server looks for another leader");',
        to: "",
        fails: /the leader knows that it is alone: not within/,
      },
    ],
  },
];

/** Ten rounds of what must be answered in order, at a follower or at the leader, while another client writes. */
async function pipeline(stage: Stage, server: Stage["leader"]): Promise<void> {
  const client = await stage.rawSession(server);
  const xids: number[] = [];
  for (let round = 0; round < 10; round++) {
    const path = `/${server.name}-${round}`;
    await stage.writeUnheard(stage.three[1], `${path}-other`);
    xids.push(client.send(OpCode.create, createBody(path)));
    xids.push(client.send(OpCode.exists, existsBody(path)));
    xids.push(client.send(OpCode.sync, (writer) => writer.ustring("/")));
    xids.push(client.send(OpCode.exists, existsBody(path)));
  }
  await stage.until("all are answered", () => client.replies.length >= xids.length || client.isClosed);
  const answered = client.replies.map(({ xid }) => xid);
  assert.deepEqual(answered, xids, "in the order in which they were asked");
  assert.ok(
    client.replies.every(({ err }) => err === 0),
    "each read sees the writes before it",
  );
}

const MARSHALLINGERROR = -5;

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

type Body = Parameters<Awaited<ReturnType<Stage["rawSession"]>>["send"]>[1];

const createBody =
  (path: string): Body =>
  (writer) =>
    CreateRequest.write(writer, { path, data: null, acl: OPEN_ACL_UNSAFE, flags: 0 });

const existsBody =
  (path: string): Body =>
  (writer) => {
    writer.ustring(path);
    writer.bool(false);
  };

const setDataBody =
  (path: string, data: string): Body =>
  (writer) => {
    writer.ustring(path);
    writer.buffer(Buffer.from(data));
    writer.int(-1);
  };
