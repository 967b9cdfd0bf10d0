/** Section A: what is acknowledged, and which epoch is spoken of, before the disk has it. S3 leads at first. */
import assert from "node:assert/strict";
import { QuorumPacketType, zxidCounter } from "@vivarium/protocol";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

const LOG = /log\./;

export const scenarios: readonly Scenario[] = [
  {
    about: ["ZOOKEEPER-4643", "ZOOKEEPER-4785"],
    title: "a follower loses its power between the epoch of its sync and the transactions",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.kill(s1);
      await stage.write(s3, "/committed");
      stage.kill(s2);
      await stage.givesUp(s3);
      stage.crashWhenStored(s1, /currentEpoch/);
      stage.slowDisk(s1, 300, LOG);
      stage.start(s1);
      await stage.until("it dies", () => s1.isDown);
      stage.slowDisk(s1, 0);
      stage.kill(s3);
      stage.start(s1, s2);
      await stage.serving(s1, s2);
      await stage.write(s2, "/after");
      await stage.agree();
    },
    mutants: [{ without: "epochAfterData", fails: /what is committed survives/ }],
  },
  {
    about: ["ZOOKEEPER-3911", "ZOOKEEPER-2678", "ZOOKEEPER-3023", "ZOOKEEPER-4646"],
    title: "a follower loses its power when its leader has begun to serve what that logged alone",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.isolate(s3);
      await stage.writeUnheard(s3, "/logged-alone");
      await stage.givesUp(s3);
      stage.kill(s1, s2);
      stage.heal();
      stage.slowDisk(s1, 500, LOG);
      stage.start(s1);
      await stage.serving(s3);
      assert.equal(await stage.read(s3, "/logged-alone"), "");
      stage.powerOff(s1, s3);
      stage.start(s1, s2);
      await stage.serving(s1, s2);
      assert.equal(await stage.read(s2, "/logged-alone"), "", "what a client has read survives");
      await stage.agree();
    },
    mutants: [{ without: "newLeaderAckAfterFlush", fails: /what is committed survives/ }],
  },
  {
    about: ["ZOOKEEPER-4646"],
    title: "a follower loses its power before a proposal is on its disk",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      stage.kill(s2);
      stage.slowDisk(s1, 300, LOG);
      await stage.write(s3, "/acknowledged");
      stage.powerOff(s1, s3);
      stage.start(s1, s2);
      await stage.serving(s1, s2);
      await stage.agree();
    },
    mutants: [{ without: "ackAfterFlush", fails: /what is committed survives/ }],
  },
  {
    about: ["ZOOKEEPER-4685"],
    title: "a proposal is under way while a follower joins, and needs its acknowledgement",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      stage.kill(s1);
      await stage.write(s3, "/before");
      stage.cutOneWay(s2, s3);
      const before = stage.truth.lastZxid;
      await stage.writeUnheard(s3, "/under-way");
      stage.start(s1);
      await stage.until("the proposal is committed", () => stage.truth.lastZxid > before, 600);
      await stage.agree();
    },
    mutants: [{ without: "noAckBeforeNewLeader", fails: /the proposal is committed: not within/ }],
  },
  {
    about: ["ZOOKEEPER-4394"],
    title: "a proposal of before NEWLEADER is committed between NEWLEADER and UPTODATE",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      stage.kill(s1);
      await stage.write(s3, "/before");
      const isAckOfProposal = ({ type, zxid }: { type: number; zxid: number }): boolean =>
        type === QuorumPacketType.ACK && zxidCounter(zxid) > 0;
      const proposal = stage.holdingBefore(s2, s3, isAckOfProposal);
      await stage.writeUnheard(s3, "/under-way");
      await stage.until("only the leader's own acknowledgement is there", () => proposal() !== null);
      stage.start(s1);
      await stage.holdBefore(s1, s3, ({ type }) => type === QuorumPacketType.ACK);
      stage.world.network.heal(s2.machine, s3.machine);
      await stage.pass(20);
      stage.heal();
      await stage.serving(s1);
      assert.equal(stage.said(s1, "looking for a leader again"), 0, "the sync succeeds at the first try");
      await stage.agree();
    },
    mutants: [{ without: "keepUncommittedAtNewLeader", fails: /the sync succeeds at the first try/ }],
  },
  {
    about: ["ZOOKEEPER-4925"],
    title: "who got transactions by a sync brings another up to date with them",
    async play(rules) {
      const stage = await Stage.open({ rules, servers: 5 });
      const [s1, s2, s3, s4, s5] = stage.servers as [Server, Server, Server, Server, Server];
      await stage.write(s5, "/before");
      stage.kill(s1);
      await stage.writeMany(s5, "/first", 5);
      stage.kill(s4);
      await stage.writeMany(s5, "/second", 5);
      stage.start(s4);
      await stage.serving(s4);
      // S4 goes on by live proposals, so that its memory has the ends but for the rule not the middle.
      await stage.writeMany(s5, "/third", 5);
      stage.kill(s5);
      await stage.serving(s2, s3, s4);
      assert.equal(stage.leader, s4);
      stage.start(s1);
      await stage.serving(s1);
      await stage.agree();
    },
    mutants: [{ without: "syncJoinsCommittedLog", fails: /committed prefixes agree|serve: not within/ }],
  },
  {
    about: ["ZOOKEEPER-1653", "ZOOKEEPER-2354", "ZOOKEEPER-4269"],
    title: "a follower loses its power between the transactions of a new epoch and that epoch",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, , s3] = stage.three;
      stage.kill(s1);
      stage.kill(s3);
      stage.start(s3);
      await stage.serving(s3);
      await stage.write(s3, "/of-epoch-2");
      stage.crashAt(s1, "before", (operation, path) => operation === "rename" && /currentEpoch/.test(path));
      stage.start(s1);
      await stage.until("it dies", () => s1.isDown);
      stage.start(s1);
      await stage.agree();
    },
    mutants: [
      {
        broken: "a log of a later epoch than currentEpoch is refused",
        file: "storage/epoch-files.ts",
        from: "if (lastEpoch <= this.#acceptedEpoch) return;",
        to: "",
        fails: /a server starts from its own files/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-1282", "ZOOKEEPER-1291"],
    title: "a follower loses its power before the epoch in which it acknowledges is on its disk",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.kill(s1, s2, s3);
      stage.start(s2, s3);
      await stage.serving(s2, s3);
      await stage.write(s3, "/of-both");
      stage.cutOneWay(s3, s2);
      stage.slowDisk(s1, 500, /currentEpoch/);
      stage.start(s1);
      await stage.write(s3, "/of-epoch-2");
      stage.powerOff(s1, s3);
      await stage.givesUp(s2);
      stage.heal();
      stage.start(s1);
      await stage.serving(s1, s2);
      await stage.agree();
    },
    mutants: [
      {
        broken: "NEWLEADER is acknowledged while the epoch is being written",
        file: "zab/learner.ts",
        from: 'this.#busy = "currentEpochStored"; this.#outputs.push({ type: "storeCurrentEpoch", epoch: this.#epoch });',
        to: 'this.#outputs.push({ type: "storeCurrentEpoch", epoch: this.#epoch }); this.#ackNewLeader();',
        also: [{ file: "zab/learner.ts", from: "return this.#ackNewLeader();", to: "return;" }],
        fails: /what is committed survives/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-2845"],
    title: "a leader that logged alone goes on in the same process under another",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.isolate(s3);
      await stage.writeUnheard(s3, "/alone");
      await stage.givesUp(s3);
      await stage.serving(s1, s2);
      await stage.write(s2, "/of-epoch-2");
      stage.heal();
      await stage.serving(s3);
      assert.equal(await stage.read(s3, "/alone"), null);
      assert.deepEqual(await stage.filesWith(s3, "/alone"), []);
      stage.kill(s3);
      stage.start(s3);
      await stage.serving(s3);
      assert.equal(await stage.read(s3, "/alone"), null);
      await stage.agree();
    },
    mutants: [
      {
        broken: "the log's tail is not replayed before the next vote",
        file: "server/peer/quorum-peer.ts",
        from: "else await this.#applyTail();",
        to: "",
        fails: /log\.1/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-4882", "ZOOKEEPER-4712", "ZOOKEEPER-4541"],
    title: "a sync of a follower's log hangs and then fails, once",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, , s3] = stage.three;
      await stage.write(s3, "/before");
      stage.slowDisk(s1, 300, LOG);
      await stage.writeMany(s3, "/meanwhile", 10);
      let failures = 1;
      stage.failDisk(s1, (operation, path) => {
        return operation === "datasync" && LOG.test(path) && failures-- > 0 ? "EIO" : null;
      });
      await stage.pass(1000);
      stage.slowDisk(s1, 0);
      await stage.serving();
      assert.equal(await stage.read(s1, "/meanwhile9"), "");
      await stage.writeMany(s3, "/after", 10);
      stage.kill(s1);
      stage.start(s1);
      await stage.agree();
    },
    mutants: [
      {
        broken: "a group that could not be written is forgotten",
        file: "storage/txn-log-writer.ts",
        from: "if (this.#failed) return; this.#failed = true; this.#waiting.length = 0;",
        to: "return;",
        fails: /a server starts from its own files/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-2247"],
    title: "a leader's log cannot be written: another leads",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s2, "/before");
      await stage.write(s3, "/before-too");
      stage.failDisk(s3, (operation, path) => (operation === "write" && LOG.test(path) ? "ENOSPC" : null));
      await stage.writeUnheard(s3, "/refused");
      await stage.until("another leads", () => [s1, s2].some(({ role }) => role === "leader"), 10_000);
      await stage.write(s2, "/after");
      await stage.agree();
    },
    mutants: [
      {
        broken: "the server lives on without its log",
        file: "server/database.ts",
        from: 'onFatal: (error) => options.onFatal("the transaction log cannot be written", error)',
        to: "onFatal: () => {}",
        fails: /another leads: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3701"],
    title: "a log cannot be truncated",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.isolate(s3);
      await stage.writeUnheard(s3, "/alone");
      await stage.givesUp(s3);
      await stage.serving(s1, s2);
      await stage.write(s2, "/of-epoch-2");
      stage.failDisk(s3, (operation) => (operation === "truncate" ? "ENOSPC" : null));
      stage.heal();
      await stage.pass(5000);
      assert.ok(!s3.isServing, "what it could not cut off it does not serve");
      await stage.agree();
      assert.equal(await stage.read(s3, "/alone"), null);
    },
    mutants: [
      {
        broken: "the failure is not heard",
        file: "storage/truncation.ts",
        from: 'throw storageErrorFrom(error, directories.logs, "truncating the log");',
        to: "",
        also: [{ file: "zab/learner.ts", from: "if (zxid !== this.#target) {", to: "if (false) {" }],
        fails: /committed prefixes agree/,
      },
    ],
  },
];

type Server = Stage["leader"];
