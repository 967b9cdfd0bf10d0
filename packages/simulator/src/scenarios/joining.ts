/** Section B: what a learner is sent to have its leader's history, and what it cuts off. S3 leads at first. */
import assert from "node:assert/strict";
import { CreateMode } from "@vivarium/client";
import { QuorumPacketType } from "@vivarium/protocol";
import type { Scenario } from "./scenario.ts";
import { shortMemory } from "./short-memory.ts";
import { Stage } from "./stage.ts";

const LOG = /log\./;
const SYNC_DECISION = "zab/sync-decision.ts";

export const scenarios: readonly Scenario[] = [
  {
    about: ["ZOOKEEPER-1154", "ZOOKEEPER-1156", "testEarlyLeaderAbandonment"],
    title: "who logged alone joins late, with the highest zxid of its epoch",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.writeMany(s3, "/before", 3);
      stage.isolate(s3);
      await stage.writeUnheard(s3, "/alone1", "/alone2", "/alone3");
      await stage.pass(50);
      stage.kill(s3);
      await stage.serving(s1, s2);
      await stage.write(s2, "/of-epoch-2");
      stage.heal();
      stage.start(s3);
      await stage.serving(s3);
      assert.equal(stage.said(s3, "this server's log then ends at"), 0, "the cut is exact");
      assert.equal(await stage.read(s3, "/alone1"), null);
      assert.deepEqual(await stage.filesWith(s3, "/alone"), []);
      await stage.agree();
    },
    mutants: [
      {
        broken: "DIFF is sent instead of TRUNC",
        file: SYNC_DECISION,
        from: '? { mode: "trunc", zxid: floor, entries }',
        to: '? { mode: "diff", entries }',
        fails: /committed prefixes agree|the tree differs/,
      },
      {
        broken: "one transaction too many is cut off",
        file: "storage/truncation.ts",
        from: "scanFile(disk, log.path, (_, found) => found <= zxid)",
        to: "scanFile(disk, log.path, (_, found) => found < zxid)",
        fails: /the cut is exact/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-1489"],
    title: "a process goes on with its log after it was truncated",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.isolate(s3);
      await stage.writeUnheard(s3, "/alone1", "/alone2", "/alone3");
      await stage.givesUp(s3);
      await stage.serving(s1, s2);
      stage.heal();
      await stage.serving(s3);
      stage.kill(s1);
      await stage.writeMany(s3, "/after", 3);
      stage.powerOff(s2, s3);
      stage.start(s1, s3);
      await stage.serving(s1, s3);
      await stage.agree();
    },
    mutants: [
      {
        broken: "the writer's position stays where it was",
        file: "storage/storage.ts",
        from: `async truncate(zxid) {
        await this.#log.close();
        await this.#snapshot?.catch(() => { });
        await truncateAfter({ disk: this.#options.disk, directories: this.directories, zxid });
        this.#log = this.#newLog();`,
        to: `async truncate(zxid) {
        await this.#log.drained();
        await truncateAfter({ disk: this.#options.disk, directories: this.directories, zxid });`,
        fails: /what is committed survives/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-962", "ZOOKEEPER-882", "ZOOKEEPER-1319", "zab-paper-1", "zab-paper-2"],
    title: "a write is proposed and committed while a follower is between its sync and its acknowledgement",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      stage.kill(s1);
      await stage.writeMany(s3, "/before", 3);
      stage.start(s1);
      await stage.holdBefore(s1, s3, ({ type }) => type === QuorumPacketType.ACK);
      await stage.write(s2, "/between");
      stage.heal();
      await stage.serving(s1);
      await stage.write(s2, "/after");
      assert.equal(await stage.read(s1, "/between"), "");
      assert.equal(stage.said(s1, "looking for a leader again"), 0, "the sync succeeds at the first try");
      await stage.agree();
    },
    mutants: [{ without: "forwardFromDecision", fails: /the sync succeeds at the first try/ }],
  },
  {
    about: ["ZOOKEEPER-2033", "ZOOKEEPER-4903", "zab-paper-3"],
    title: "a follower that lags joins a leader whose epoch has no transactions yet",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.kill(s1);
      await stage.writeMany(s3, "/missed", 3);
      stage.kill(s2, s3);
      stage.start(s2, s3);
      await stage.serving(s2, s3);
      stage.start(s1);
      await stage.serving(s1);
      assert.equal(await stage.read(s1, "/missed2"), "");
      await stage.agree();
    },
    mutants: [
      {
        broken: "the beginning of the epoch is taken for what the learner has",
        file: SYNC_DECISION,
        from: "if (learner === log.last)",
        to: "if (learner <= log.last)",
        fails: /the tree differs/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-2418"],
    title: "a leader whose disk is behind its memory brings a follower up to date from both",
    given: [shortMemory],
    async play(rules) {
      const stage = await Stage.open({ rules, servers: 5 });
      const [s1, s2, , , s5] = stage.servers as [Server, Server, Server, Server, Server];
      await stage.writeMany(s2, "/before", 3);
      stage.kill(s1);
      await stage.writeMany(s2, "/on-disk", 10);
      stage.slowDisk(s5, 900, LOG);
      await stage.writeMany(s2, "/in-memory", 20);
      stage.start(s1);
      await stage.serving(s1);
      assert.equal(stage.said(s1, "looking for a leader again"), 0, "the sync succeeds at the first try");
      await stage.agree();
    },
    mutants: [
      {
        broken: "nobody looks at the junction of log and memory",
        file: SYNC_DECISION,
        from: "last.zxid < log.before",
        to: "false",
        also: [{ file: SYNC_DECISION, from: "if (entries.some(", to: "if ([].some(" }],
        fails: /the sync succeeds at the first try/,
      },
    ],
  },
  {
    about: ["getProposalsFromTxnLog"],
    title: "a leader whose log does not reach back to a follower gives it a snapshot",
    given: [shortMemory],
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s2, "/before");
      stage.kill(s1);
      await stage.writeMany(s2, "/in-the-snapshot", 5);
      stage.kill(s3);
      await stage.wipe(s3);
      stage.start(s3);
      await stage.serving(s2, s3);
      await stage.writeMany(s2, "/in-the-log", 5);
      stage.kill(s2, s3);
      stage.start(s1, s3);
      await stage.serving(s1, s3);
      assert.equal(stage.leader, s3);
      assert.equal(await stage.read(s1, "/in-the-snapshot0"), "");
      await stage.agree();
    },
    mutants: [
      {
        broken: "the log is sent from where it begins",
        file: "storage/storage.ts",
        from: "if (next !== undefined && next.zxid < zxid)",
        to: "if (false)",
        also: [
          { file: SYNC_DECISION, from: "first.zxid > learner ||", to: "(first.zxid > learner && learner === 0) ||" },
          {
            file: SYNC_DECISION,
            from: "return plan(question, entries[index - 1].zxid,",
            to: "return plan(question, learner,",
          },
        ],
        fails: /the tree differs/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-2355"],
    title: "the connection breaks between DIFF and the session's end that it brings",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      const owner = await stage.connect(s2);
      await stage.answer(owner.zk.create("/ephemeral", "", { mode: CreateMode.EPHEMERAL }));
      await stage.pass(20);
      stage.isolate(s1);
      await stage.givesUp(s1);
      await stage.answer(owner.zk.close());
      stage.heal();
      await stage.holdBefore(s3, s1, ({ type }) => type === QuorumPacketType.PROPOSAL);
      await stage.pass(5);
      stage.reset(s1, s3);
      await stage.pass(20);
      stage.heal();
      await stage.serving(s1);
      assert.equal(await stage.read(s1, "/ephemeral"), null);
      await stage.agree();
    },
    mutants: [
      {
        broken: "DIFF's zxid is believed before its transactions are there",
        file: "zab/learner.ts",
        from: "if (type === QuorumPacketType.DIFF) return;",
        to: "if (type === QuorumPacketType.DIFF) return this.#history.reset(zxid);",
        also: [
          {
            file: "server/peer/quorum-peer.ts",
            from: "if (this.#committedLog.last !== database.tree.lastProcessedZxid) await this.#recall();",
            to: "",
          },
        ],
        fails: /the tree differs/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-4352"],
    title: "a server without anything joins a leader that does not remember the beginning",
    given: [shortMemory],
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.writeMany(s2, "/before", 3);
      stage.kill(s1, s2, s3);
      await stage.wipe(s1);
      stage.start(s2, s3);
      await stage.serving(s2, s3);
      await stage.write(s2, "/after");
      stage.start(s1);
      await stage.serving(s1);
      assert.equal(await stage.read(s1, "/before0"), "");
      await stage.agree();
    },
    mutants: [
      {
        broken: "whoever is behind gets what is remembered",
        file: SYNC_DECISION,
        from: 'return learner > 0 && entries.length > 0 ? { mode: "diff", entries } : snap;',
        to: 'return { mode: "diff", entries };',
        also: [
          {
            file: SYNC_DECISION,
            from: "const floor = log.floor(learner);",
            to: "const floor = log.floor(learner) ?? log.before;",
          },
        ],
        fails: /the tree differs/,
      },
    ],
  },
  {
    about: ["ack-minus-one"],
    title: "who has accepted the epoch already and logged alone is cut back all the same",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.isolate(s3);
      await stage.writeUnheard(s3, "/alone");
      await stage.pass(50);
      stage.kill(s3);
      await stage.serving(s1, s2);
      await stage.write(s2, "/of-epoch-2");
      stage.heal();
      stage.crashWhenStored(s3, /acceptedEpoch/);
      stage.start(s3);
      await stage.until("it has accepted the epoch", () => s3.isDown);
      stage.start(s3);
      await stage.serving(s3);
      assert.equal(await stage.read(s3, "/alone"), null);
      await stage.agree();
    },
    mutants: [
      {
        broken: "whoever accepted the epoch before is taken to be in step",
        file: "zab/learner-links.ts",
        from: "learner.zxid = packet.zxid;",
        to: "learner.zxid = packetData(int, packet) === -1 ? this.#options.committedLog.last : packet.zxid;",
        fails: /committed prefixes agree/,
      },
    ],
  },
];

type Server = Stage["leader"];
