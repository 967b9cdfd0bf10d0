import assert from "node:assert/strict";
import { test } from "node:test";
import type { Zxid } from "@vivarium/protocol";
import { readTxnLog, type StorageError, TxnLogWriter, type TxnLogWriterOptions } from "./index.ts";
import { makeWorld } from "./testing/memory-storage.ts";
import { createEntry } from "./testing/test-state.ts";

function makeWriter(options: Partial<TxnLogWriterOptions> = {}) {
  const world = makeWorld();
  const flushed: Zxid[] = [];
  const errors: StorageError[] = [];
  const warnings: string[] = [];
  const operations: string[] = [];
  world.disk.fault = (operation, path) => {
    if (operation !== "stat") operations.push(`${operation} ${path}`);
    return null;
  };
  const writer = new TxnLogWriter({
    disk: world.disk,
    clock: world.clock,
    directory: "/",
    preAllocBytes: 0,
    forceSync: true,
    sizeLimitBytes: 0,
    flushDelayMs: 0,
    maxBatchSize: 1000,
    fsyncWarningThresholdMs: 1000,
    onSynced: () => {},
    onFlushed: (zxid) => flushed.push(zxid),
    onError: (error) => errors.push(error),
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  const append = (...zxids: Zxid[]): void => {
    for (const zxid of zxids) writer.append(createEntry(zxid), zxid);
  };
  const names = (): Promise<string[]> => world.settle(world.disk.readDirectory("/"));
  const readBack = async (): Promise<Zxid[]> => {
    const seen: Zxid[] = [];
    const visit = (_: unknown, zxid: Zxid): boolean => seen.push(zxid) > 0;
    await world.settle(readTxnLog({ disk: world.disk, directory: "/", after: null, visit }));
    return seen;
  };
  return { ...world, writer, append, flushed, errors, warnings, operations, names, readBack };
}

test("what one turn appends shares one write and one sync; what comes meanwhile rides on the next", async () => {
  const { writer, append, flushed, operations, clock, disk, settle } = makeWriter();
  disk.syncDelayMs = 10;
  append(1, 2, 3);
  await clock.run(5);
  append(4);
  append(5, 6);
  await settle(writer.drained());
  assert.deepEqual(flushed, [3, 6]);
  assert.deepEqual(operations, [
    "open /log.1",
    "write /log.1",
    "datasync /log.1",
    "syncDirectory /",
    "write /log.1",
    "datasync /log.1",
  ]);
});

test("nothing is flushed before its sync has returned", async () => {
  const { append, flushed, clock, disk } = makeWriter();
  disk.syncDelayMs = 10;
  append(1);
  await clock.run(9);
  assert.deepEqual(flushed, []);
  await clock.run(1);
  assert.deepEqual(flushed, [1]);
});

test("roll: the next entry begins a file named after it, though the last group is still waiting", async () => {
  const { writer, append, flushed, settle, names, readBack } = makeWriter();
  append(1, 2);
  writer.roll();
  append(3);
  writer.roll();
  append(0x1f);
  await settle(writer.drained());
  assert.deepEqual(flushed, [2, 3, 31]);
  assert.deepEqual(await names(), ["log.1", "log.3", "log.1f"]);
  await assert.rejects(readBack(), /transactions 4 to 1e are missing/);
});

test("a file that grew past its limit is the last of its kind, entries already waiting go to the next", async () => {
  const { writer, append, clock, disk, settle, names, readBack } = makeWriter({ sizeLimitBytes: 100 });
  disk.syncDelayMs = 10;
  append(1);
  await clock.run(5);
  append(2);
  await settle(writer.drained());
  append(3);
  await settle(writer.drained());
  assert.deepEqual(await names(), ["log.1", "log.2", "log.3"]);
  assert.deepEqual(await readBack(), [1, 2, 3]);
});

test("space is reserved ahead, once the header is safe, and given back at the end", async () => {
  const { writer, append, operations, settle, disk } = makeWriter({ preAllocBytes: 8192 });
  append(1);
  await settle(writer.drained());
  assert.ok(!operations.includes("truncate /log.1"), "a file of nothing but zeros could be left");
  append(2);
  await settle(writer.drained());
  assert.deepEqual(operations.slice(-3), ["truncate /log.1", "write /log.1", "datasync /log.1"]);
  assert.equal((await settle(disk.stat("/log.1")))?.sizeBytes, 16 + 8192);
  await settle(writer.close());
  assert.equal(
    (await settle(disk.stat("/log.1")))?.sizeBytes,
    16 + 2 * 13 + createEntry(1).length + createEntry(2).length,
  );
});

test("flushDelay lets a group wait for company, maxBatchSize ends the wait", async () => {
  const { append, flushed, clock } = makeWriter({ flushDelayMs: 20, maxBatchSize: 3 });
  append(1);
  await clock.run(19);
  assert.deepEqual(flushed, []);
  await clock.run(1);
  assert.deepEqual(flushed, [1]);
  append(2, 3, 4);
  await clock.run(0);
  assert.deepEqual(flushed, [1, 4]);
});

test("a sync slower than fsync.warningthresholdms is told with the file and the time", async () => {
  const { writer, append, warnings, settle, disk } = makeWriter({ fsyncWarningThresholdMs: 50 });
  disk.syncDelayMs = 60;
  append(1);
  await settle(writer.drained());
  assert.match(warnings.join(), /log\.1 took 60 ms/);
});

test("forceSync=no reports entries without syncing them", async () => {
  const { writer, append, flushed, operations, settle } = makeWriter({ forceSync: false });
  append(1);
  await settle(writer.drained());
  assert.deepEqual(flushed, [1]);
  assert.deepEqual(operations, ["open /log.1", "write /log.1"]);
});

for (const [operation, code, advice] of [
  ["open", "EROFS", /log\.1.*read-only.*set dataDir/],
  ["write", "ENOSPC", /log\.1: writing the log failed.*Free some space/],
  ["datasync", "EIO", /log\.1.*hardware error/],
  ["syncDirectory", "EIO", /hardware error/],
] as const) {
  test(`${code} at ${operation}: one error, and nothing is reported as flushed ever after`, async () => {
    const { writer, append, flushed, errors, disk, clock, settle } = makeWriter();
    disk.fault = (what) => (what === operation ? code : null);
    append(1);
    await clock.run(10);
    disk.fault = () => null;
    append(2, 3);
    await clock.run(10);
    await settle(writer.drained());
    await settle(writer.close());
    assert.deepEqual(flushed, []);
    assert.equal(errors.length, 1);
    assert.match(errors[0]?.message ?? "", advice);
  });
}

test("entries appended while the disk fails are not reported either", async () => {
  const { append, flushed, errors, disk, clock } = makeWriter();
  append(1);
  await clock.run(10);
  disk.syncDelayMs = 10;
  disk.fault = (what) => (what === "datasync" ? "EIO" : null);
  append(2);
  await clock.run(5);
  append(3);
  await clock.run(50);
  assert.deepEqual(flushed, [1]);
  assert.equal(errors.length, 1);
});
