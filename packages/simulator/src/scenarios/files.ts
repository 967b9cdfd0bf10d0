/** Sections A and B, as far as they are about the files of one server. */
import assert from "node:assert/strict";
import { makeZxid } from "@vivarium/protocol";
import { LoneStorage } from "./lone-storage.ts";
import type { Scenario } from "./scenario.ts";

export const scenarios: readonly Scenario[] = [
  {
    about: ["ZOOKEEPER-2307"],
    title: "an epoch that cannot be written is not believed",
    async play() {
      const lone = new LoneStorage();
      await lone.open();
      const { epochs } = lone.storage;
      await lone.wait(epochs.load(0));
      lone.disk.fault = (operation) => (operation === "rename" ? "EIO" : null);
      await assert.rejects(lone.wait(epochs.setAcceptedEpoch(2)), /EIO/);
      await assert.rejects(lone.wait(epochs.setCurrentEpoch(2)), /EIO/);
      assert.deepEqual([epochs.acceptedEpoch, epochs.currentEpoch], [0, 0], "memory says what the disk says");
    },
    mutants: [
      {
        broken: "memory changes first",
        file: "storage/epoch-files.ts",
        from: 'this.#acceptedEpoch = await this.#write("acceptedEpoch", epoch);',
        to: 'this.#acceptedEpoch = epoch; await this.#write("acceptedEpoch", epoch);',
        fails: /memory says what the disk says/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-1653"],
    title: "Apache's server stopped before currentEpoch.tmp got its name",
    async play() {
      const lone = new LoneStorage();
      await lone.open();
      await lone.snapshot();
      await lone.write(makeZxid(1, 1));
      for (const [name, text] of [
        ["acceptedEpoch", "1"],
        ["currentEpoch", "0"],
        ["currentEpoch.tmp", "1\n"],
      ] as const) {
        await lone.put(name, new TextEncoder().encode(text));
      }
      await lone.close();
      await lone.open();
      await lone.wait(lone.storage.epochs.load(makeZxid(1, 1)));
      assert.equal(lone.storage.epochs.currentEpoch, 1);
    },
    mutants: [
      {
        broken: "the unfinished file is not looked at",
        file: "storage/epoch-files.ts",
        from: "if (unfinished?.trimEnd() === String(lastEpoch))",
        to: "if (false)",
        fails: /Expected values/,
      },
    ],
  },
  {
    about: ["truncate-to-missing-zxid"],
    title: "a log is cut to a zxid that it does not have",
    async play() {
      const lone = new LoneStorage();
      await lone.open();
      await lone.snapshot();
      await lone.write(makeZxid(1, 1), makeZxid(1, 2), makeZxid(2, 1), makeZxid(2, 2));
      await lone.wait(lone.storage.truncate(makeZxid(1, 5)));
      await lone.recover();
      assert.equal(lone.tree.lastProcessedZxid, makeZxid(1, 2));
    },
    mutants: [
      {
        broken: "the first record that is not before it is kept",
        file: "storage/truncation.ts",
        from: "const end = await scanFile(disk, log.path, (_, found) => found <= zxid);",
        to: `let isOver = false;
          const end = await scanFile(disk, log.path, (_, found) => {
            const isKept = !isOver;
            isOver = found >= zxid;
            return isKept;
          });`,
        fails: /Expected values/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-2325", "ZOOKEEPER-3056", "ZOOKEEPER-3644"],
    title: "the snapshots are gone and the log is not",
    async play() {
      const lone = new LoneStorage();
      await lone.open();
      await lone.write(1, 2);
      await lone.snapshot();
      await lone.close();
      await lone.remove("snapshot.2");
      await assert.rejects(lone.open(), /there is a log, but no snapshot/);
      // A server of before 3.5 never had one: its operator says so, and nothing of the log is left out.
      lone.disk.kill();
      await lone.open({ trustEmptySnapshot: true });
      assert.ok(lone.has(1) && lone.has(2), "the log is replayed");
    },
    mutants: [
      {
        broken: "the server starts with what is left",
        file: "storage/recovery.ts",
        from: "if (firstLog !== undefined && !trustEmptySnapshot)",
        to: "if (false)",
        fails: /Missing expected rejection/,
      },
      {
        broken: "the log is not replayed",
        file: "storage/recovery.ts",
        from: "firstLog === undefined ? { last: -1, replayed: 0 } : await replay(options, state, null)",
        to: "{ last: -1, replayed: 0 }",
        fails: /the log is replayed/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3231"],
    title: "the newest snapshots are not whole when old files are purged",
    async play() {
      const lone = new LoneStorage();
      await lone.open();
      for (let zxid = 1; zxid <= 6; zxid++) {
        await lone.write(zxid);
        await lone.snapshot();
        lone.storage.rollLog();
      }
      for (const zxid of [4, 5, 6]) await lone.spoil(`snapshot.${zxid}`, (bytes) => bytes.slice(0, -1));
      await lone.wait(lone.storage.purge());
      await lone.close();
      await lone.open();
      for (let zxid = 1; zxid <= 6; zxid++) assert.ok(lone.has(zxid), `transaction ${zxid} is there`);
    },
    mutants: [
      {
        broken: "they count",
        file: "storage/purge.ts",
        from: "retained.length < snapRetainCount && (await isWhole(disk, snapshot))",
        to: "retained.length < snapRetainCount",
        fails: /neither this snapshot nor any older one can be read/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-2332", "ZOOKEEPER-1621"],
    title: "a log file was made and nothing was written to it",
    async play() {
      const lone = new LoneStorage();
      await lone.open();
      await lone.snapshot();
      await lone.write(1, 2);
      await lone.close();
      await lone.put("log.3", new Uint8Array(0));
      await lone.open();
      assert.ok(lone.has(2));
      await lone.write(3);
      await lone.close();
      await lone.spoil("log.1", () => new Uint8Array(0));
      await assert.rejects(lone.open(), /the file is empty, but it is not the last of the log|missing/);
    },
    mutants: [
      {
        broken: "it prevents the start",
        file: "storage/txn-log-reader.ts",
        from: 'if (end.kind !== "unbegun") break;',
        to: "break;",
        fails: /the file is empty/,
      },
      {
        broken: "such a file is passed over wherever it is",
        file: "storage/txn-log-reader.ts",
        from: 'throw new StorageError(path, "the file is empty, but it is not the last of the log", RESTORE);',
        to: "return;",
        also: [{ file: "storage/txn-log-reader.ts", from: "progress.checked && zxid > expected", to: "false" }],
        fails: /Missing expected rejection/,
      },
    ],
  },
  {
    about: ["failed-snapshot-candidate"],
    title: "the newest snapshot turns out to be bad when most of it is read",
    async play() {
      const lone = new LoneStorage();
      await lone.open();
      await lone.snapshot();
      await lone.write(1, 2, 3);
      lone.tree.sessions.set(7n, 4000);
      await lone.snapshot();
      await lone.spoil("snapshot.3", (bytes) => bytes.with(bytes.length - 20, 1 + (bytes.at(-20) as number)));
      await lone.close();
      await lone.open();
      assert.ok(lone.has(3));
      assert.deepEqual([...lone.tree.sessions], [], "nothing of it is left");
    },
    mutants: [
      {
        broken: "what it has left behind is gone on with",
        file: "storage/snapshot-reader.ts",
        from: "const sink = createSink(file.zxid);",
        to: "const sink = (options.theOne ??= createSink(file.zxid));",
        fails: /neither this snapshot nor any older one can be read/,
      },
    ],
  },
  {
    about: ["digest-off-lastProcessedZxid-on"],
    title: "a snapshot without a digest that says which zxid it ends with",
    async play() {
      const lone = new LoneStorage();
      await lone.open({ serializeLastProcessedZxid: true });
      await lone.write(1, 2);
      await lone.wait(lone.storage.takeSnapshot(Object.assign(lone.tree.snapshotSource(), { digest: () => null })));
      await lone.close();
      await lone.open();
      assert.ok(lone.has(2));
    },
    mutants: [
      {
        broken: "what comes first behind the nodes is taken for the digest",
        file: "storage/snapshot-parser.ts",
        from: "if (reader.remaining > ZXID_SECTION_BYTES) this.#digestSection();",
        to: "if (reader.remaining > 0) this.#digestSection();",
        fails: /neither this snapshot nor any older one can be read/,
      },
    ],
  },
];
