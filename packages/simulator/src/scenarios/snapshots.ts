/** Snapshots that a learner gets and that it keeps: sections B and C, as far as whole ensembles show it. S3 leads first. */
import assert from "node:assert/strict";
import { QuorumPacketType, type Txn, type Zxid } from "@vivarium/protocol";
import { Storage } from "@vivarium/storage";
import { DataTree, SnapshotLoader } from "@vivarium/tree";
import type { ServerNode } from "../ensemble/server-node.ts";
import type { Edit, Scenario } from "./scenario.ts";
import { NOT_FROM_DISK, shortMemory } from "./short-memory.ts";
import { Stage } from "./stage.ts";

const APPLY_MS = 20;

/** A leader applies what is committed a while later. */
const slowToApply: Edit = {
  file: "server/peer/leader-term.ts",
  from: "if (zxid !== -1) this.#path?.committed(zxid);",
  to: `if (zxid !== -1) this.#peer.ports.clock.setTimer(${APPLY_MS}, () => this.#path?.committed(zxid));`,
};

export const scenarios: readonly Scenario[] = [
  {
    about: ["ZOOKEEPER-1549", "ZOOKEEPER-4837"],
    title: "a server has a snapshot of what was never committed",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.isolate(s3);
      await stage.writeUnheard(s3, "/alone");
      await stage.pass(50);
      stage.kill(s3);
      await stage.atItsDisk(s3, () => snapshotOfAll(stage, s3));
      assert.equal((await stage.filesWith(s3, "/alone")).length, 2);
      await stage.serving(s1, s2);
      await stage.write(s2, "/of-epoch-2");
      stage.heal();
      stage.start(s3);
      await stage.serving(s3);
      assert.deepEqual(await stage.filesWith(s3, "/alone"), []);
      await stage.agree();
    },
    mutants: [
      {
        broken: "TRUNC leaves snapshots alone",
        file: "storage/truncation.ts",
        from: "snapshots.filter((snapshot) => snapshot.zxid > zxid)",
        to: "[]",
        fails: /s3 serve: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3104", "ZOOKEEPER-3589"],
    title: "a write is committed and not yet applied when a snapshot is begun for a follower",
    given: [shortMemory, slowToApply],
    async play(rules) {
      const stage = await Stage.open({ rules, config: () => [NOT_FROM_DISK] });
      const [s1, , s3] = stage.three;
      stage.kill(s1);
      await stage.wipe(s1);
      await stage.writeMany(s3, "/before", 3);
      stage.start(s1);
      await stage.holdBefore(s1, s3, ({ type }) => type === QuorumPacketType.ACKEPOCH);
      await stage.writeUnheard(s3, "/committed");
      await stage.pass(APPLY_MS / 2);
      stage.heal();
      await stage.serving(s1);
      assert.equal(await stage.read(s1, "/committed"), "");
      await stage.agree();
    },
    mutants: [
      {
        broken: "the snapshot is named after what is committed",
        file: "zab/learner-links.ts",
        from: "const zxid = committedLog.keepAfter;",
        to: "const zxid = committedLog.last;",
        fails: /equal zxid, equal digest/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3642"],
    title: "the connection breaks between a snapshot and NEWLEADER",
    given: [shortMemory],
    async play(rules) {
      const stage = await Stage.open({ rules, config: () => [NOT_FROM_DISK] });
      const [s1, s2, s3] = stage.three;
      stage.kill(s1);
      await stage.wipe(s1);
      await stage.writeMany(s3, "/before", 3);
      stage.start(s1);
      await stage.holdBefore(s3, s1, ({ type }) => type === QuorumPacketType.NEWLEADER);
      await stage.pass(5);
      stage.reset(s1, s3);
      await stage.pass(20);
      stage.heal();
      await stage.serving(s1);
      stage.kill(s2);
      await stage.write(s3, "/after");
      stage.powerOff(s1, s3);
      stage.start(s1, s2);
      await stage.serving(s1, s2);
      await stage.agree();
    },
    mutants: [{ without: "discardUnstoredSnapshot", fails: /transactions 100000001 to 100000004 are missing/ }],
  },
  {
    about: ["ZOOKEEPER-2872"],
    title: "the power fails after transactions that follow on a leader's snapshot",
    given: [shortMemory],
    async play(rules) {
      const stage = await Stage.open({ rules, config: () => [NOT_FROM_DISK] });
      const [s1, s2, s3] = stage.three;
      stage.kill(s1);
      await stage.writeMany(s3, "/in-the-snapshot", 5);
      stage.start(s1);
      await stage.serving(s1);
      stage.kill(s2);
      await stage.write(s3, "/in-the-log");
      stage.powerOff(s1, s3);
      stage.start(s1, s2);
      await stage.serving(s1, s2);
      await stage.agree();
    },
    mutants: [
      {
        broken: "the snapshot is not synced",
        file: "storage/snapshot-writer.ts",
        from: "await file.write(gathered.written(), position); await file.datasync();",
        to: "await file.write(gathered.written(), position);",
        fails: /transactions 100000001 to 100000006 are missing/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3781"],
    title: "a new ensemble, which has written no snapshot on its own account, starts again",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/n");
      stage.kill(s1, s2, s3);
      await stage.agree();
    },
    mutants: [
      {
        broken: "the empty beginning is not written down",
        file: "server/peer/quorum-peer.ts",
        from: "if (needsSnapshot && !this.#isBlank) await database.takeSnapshot();",
        to: "",
        fails: /a server starts from its own files/,
      },
    ],
  },
];

/** What Apache's server did when it began to lead: a snapshot of all that it had replayed. */
async function snapshotOfAll(stage: Stage, { machine }: ServerNode): Promise<void> {
  const storage = await stage.answer(
    Storage.open({
      disk: machine.disk,
      clock: machine.clock,
      random: stage.world.stream("programs"),
      dataDir: "/data",
      holder: "the play",
      onFlushed: () => {},
      onFatal: (error) => assert.fail(error),
      onSnapshotDue: () => {},
      onWarning: () => {},
    }),
  );
  const options = { extendedTypes: false, emulate353Ttl: false, digest: true };
  const { state } = await stage.answer(
    storage.recover({
      createEmpty: () => new DataTree(options),
      createSink: (zxid: Zxid) => new SnapshotLoader(options, zxid),
      apply: (tree: DataTree, txn: Txn) => void tree.apply(txn),
    }),
  );
  await stage.answer(storage.takeSnapshot(state.snapshotSource()));
  await stage.answer(storage.close());
}
