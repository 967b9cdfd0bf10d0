/** A disk is full when a follower wants to write: it ends or waits, and never serves what it could not keep. */
import type { DiskOperation } from "@vivarium/runtime";
import type { ServerNode } from "../ensemble/server-node.ts";
import type { Edit, Scenario } from "./scenario.ts";
import { NOT_FROM_DISK, shortMemory } from "./short-memory.ts";
import { Stage } from "./stage.ts";

interface Point {
  readonly operation: DiskOperation;
  readonly file: RegExp;
  /** What makes the server want to write there. */
  readonly provoke: (stage: Stage, victim: ServerNode) => Promise<void>;
  /** How the failure would not be heard, and what comes of that. */
  readonly deaf: Edit & { readonly fails: RegExp };
}

const LOG_GOES_ON = {
  file: "storage/txn-log-writer.ts",
  from: "if (this.#failed) return; this.#failed = true; this.#waiting.length = 0;",
  to: "return;",
};

const restart = async (stage: Stage, victim: ServerNode): Promise<void> => {
  stage.kill(victim);
  await stage.write(stage.leader, "/while-it-was-away");
  stage.start(victim);
};

const POINTS: Readonly<Record<string, Point>> = {
  "at an append to the log": {
    operation: "write",
    file: /log\./,
    provoke: (stage) => stage.writeMany(stage.leader, "/append", 5),
    deaf: { ...LOG_GOES_ON, fails: /transactions [0-9a-f]+ to [0-9a-f]+ are missing/ },
  },
  "when space is reserved for the log": {
    operation: "truncate",
    file: /log\./,
    provoke: async (stage) => {
      await stage.write(stage.leader, "/large", "x".repeat(10_000));
      await stage.write(stage.leader, "/next");
    },
    deaf: { ...LOG_GOES_ON, fails: /transactions [0-9a-f]+ to [0-9a-f]+ are missing/ },
  },
  "at the leader's snapshot": {
    operation: "write",
    file: /snapshot\.[1-9]/,
    provoke: async (stage, victim) => {
      stage.kill(victim);
      await stage.wipe(victim);
      stage.start(victim);
    },
    deaf: {
      file: "storage/snapshot-writer.ts",
      from: 'throw storageErrorFrom(error, path, "writing a snapshot");',
      to: "return { path, zxid: source.zxid, compression };",
      fails: /transactions [0-9a-f]+ to [0-9a-f]+ are missing/,
    },
  },
  "at the file of an epoch": {
    operation: "write",
    file: /Epoch/,
    provoke: async (stage, victim) => {
      const { leader } = stage;
      stage.kill(leader);
      await stage.until("another leads", () => stage.servers.some(({ role }) => role === "leader"));
      stage.start(leader);
      await restart(stage, victim);
    },
    deaf: {
      file: "storage/atomic-file.ts",
      from: 'throw storageErrorFrom(error, path, "writing");',
      to: "",
      fails: /currentEpoch: it says 1, but the log is of epoch 2/,
    },
  },
};

export const scenarios: readonly Scenario[] = Object.entries(POINTS).map(
  ([where, { operation, file, provoke, deaf }]): Scenario => ({
    about: ["full-disk"],
    title: `the disk of a follower is full ${where}`,
    given: [shortMemory],
    async play(rules) {
      const stage = await Stage.open({ rules, servers: 5, config: () => ["preAllocSize=4", NOT_FROM_DISK] });
      const [victim] = stage.three;
      await stage.writeMany(stage.leader, "/before", 5);
      let failures = 0;
      stage.failDisk(victim, (what, path) =>
        what === operation && file.test(path) && ++failures > 0 ? "ENOSPC" : null,
      );
      await provoke(stage, victim);
      await stage.until("it wants to write there", () => failures > 0, 5000);
      await stage.pass(1500);
      stage.failDisk(victim, null);
      await stage.serving(...stage.servers);
      await stage.writeMany(stage.leader, "/after", 3);
      await stage.agree();
    },
    mutants: [{ broken: "the failure is not heard", ...deaf }],
  }),
);
