/** Storage as the server uses it: snapshots when due, purging, truncation, epochs, and failures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EpochFiles } from "./index.ts";
import {
  contentOf,
  type Life,
  makeWorld,
  putContent,
  start,
  VERSION_DIR,
  type World,
} from "./testing/memory-storage.ts";

async function write(world: World, life: Life, first: number, last: number): Promise<void> {
  for (let zxid = first; zxid <= last; zxid++) {
    life.write(zxid);
    if (zxid % 3 === 0) await world.settle(life.storage.drained());
  }
  await world.clock.run(10);
}

const filesOf = async (world: World) => (await world.settle(world.disk.readDirectory(VERSION_DIR))).sort();

test("snapshots come after snapCount/2 to snapCount transactions, each with a new log file", async () => {
  const world = makeWorld();
  const life = await start(world, { snapCount: 20 });
  await write(world, life, 1, 100);
  const names = await filesOf(world);
  const snapshots = names.filter((name) => name.startsWith("snapshot."));
  const logs = names.filter((name) => name.startsWith("log."));
  assert.ok(snapshots.length >= 5 && snapshots.length <= 10, names.join(" "));
  assert.equal(logs.length, snapshots.length + 1);
  assert.deepEqual(life.errors, []);
});

test("snapshots come after so much log too", async () => {
  const world = makeWorld();
  const life = await start(world, { snapSizeLimitInKb: 8 });
  for (let zxid = 1; zxid <= 40; zxid++) life.write(zxid, 1000);
  await world.clock.run(100);
  assert.ok((await filesOf(world)).some((name) => name.startsWith("snapshot.")));
});

test("purge keeps the newest whole snapshots and the logs they need", async () => {
  const world = makeWorld();
  const life = await start(world, { snapCount: 20, snapRetainCount: 3 });
  await write(world, life, 1, 120);
  const before = await filesOf(world);
  const snapshots = before
    .filter((name) => name.startsWith("snapshot."))
    .map((name) => Number.parseInt(name.slice(9), 16))
    .sort((a, b) => b - a);
  const newest = `${VERSION_DIR}/snapshot.${snapshots[0]?.toString(16)}`;
  const content = await world.settle(contentOf(world.disk, newest));
  await world.settle(putContent(world.disk, newest, content.slice(0, -2)));
  const deleted = await world.settle(life.storage.purge());
  const after = await filesOf(world);
  assert.deepEqual([...after, ...deleted.map((path) => path.split("/").at(-1))].sort(), before);
  const kept = snapshots.slice(0, 4).map((zxid) => `snapshot.${zxid.toString(16)}`);
  assert.deepEqual(after.filter((name) => name.startsWith("snapshot.")).sort(), kept.sort());
  world.disk.kill();
  for (const name of kept.slice(0, 2)) await world.settle(world.disk.unlink(`${VERSION_DIR}/${name}`));
  const next = await start(world, { trustEmptySnapshot: false });
  assert.equal(next.recovered.lastProcessedZxid, 120);
  assert.equal(next.state.createdZxids().length, 120);
});

test("purging is done at once and then every so many hours", async () => {
  const world = makeWorld();
  const life = await start(world, { snapCount: 20, purgeIntervalHours: 2 });
  await write(world, life, 1, 100);
  life.storage.startPurging();
  await world.clock.run(10);
  const snapshots = async () => (await filesOf(world)).filter((name) => name.startsWith("snapshot.")).length;
  assert.equal(await snapshots(), 3);
  await write(world, life, 101, 200);
  assert.ok((await snapshots()) > 3);
  await world.clock.run(2 * 3600 * 1000);
  assert.equal(await snapshots(), 3);
  await world.settle(life.storage.close());
  assert.equal(world.clock.nextDueMs(), null);
});

for (const cutAfter of [7, 33, 60, 99]) {
  test(`truncate after ${cutAfter}: log, files and snapshots beyond it are gone, and writing goes on`, async () => {
    const world = makeWorld();
    const life = await start(world, { snapCount: 20 });
    await world.settle(life.storage.takeSnapshot(life.state.source()));
    await write(world, life, 1, 100);
    await world.settle(life.storage.truncate(cutAfter));
    world.disk.crash();
    const next = await start(world, { snapCount: 20, trustEmptySnapshot: false });
    assert.equal(next.recovered.lastProcessedZxid, cutAfter);
    assert.equal(Math.max(...next.state.createdZxids()), cutAfter);
    await write(world, next, cutAfter + 1, cutAfter + 5);
    world.disk.crash();
    assert.equal((await start(world)).recovered.lastProcessedZxid, cutAfter + 5);
  });
}

test("truncate to before the oldest snapshot is refused and changes nothing", async () => {
  const world = makeWorld();
  const life = await start(world);
  await write(world, life, 1, 10);
  await world.settle(life.storage.takeSnapshot(life.state.source()));
  const before = await filesOf(world);
  await assert.rejects(world.settle(life.storage.truncate(5)), /go back to transaction 5, but no snapshot is that old/);
  assert.deepEqual(await filesOf(world), before);
});

const EPOCH = 2 ** 32;

/** A state that came from the leader: what the log would have brought up to `zxid`, had it been there. */
async function replaceAt(world: World, life: Life, zxid: number): Promise<void> {
  await world.settle(life.storage.drained());
  life.state.lastZxid = zxid;
  await world.settle(life.storage.replace(life.state.source()));
}

test("replace: another state takes the place of all, and the log goes on from it", async () => {
  const world = makeWorld();
  const life = await start(world);
  await world.settle(life.storage.takeSnapshot(life.state.source()));
  await write(world, life, 1, 10);
  await replaceAt(world, life, 20);
  await write(world, life, 21, 25);
  world.disk.crash();
  const next = await start(world, { trustEmptySnapshot: false });
  assert.equal(next.recovered.lastProcessedZxid, 25);
  assert.equal(next.recovered.snapshotZxid, 20);
});

test("replace by an older state leaves nothing behind, even if no snapshot is as old", async () => {
  const world = makeWorld();
  const life = await start(world);
  await write(world, life, 1, 10);
  await world.settle(life.storage.takeSnapshot(life.state.source()));
  await replaceAt(world, life, 5);
  world.disk.crash();
  const next = await start(world, { trustEmptySnapshot: false });
  assert.deepEqual([next.recovered.lastProcessedZxid, next.recovered.snapshotZxid], [5, 5]);
  assert.deepEqual(await filesOf(world), ["snapshot.5"]);
});

test("readLog never reads across what only a snapshot bridges, new epochs included", async () => {
  const world = makeWorld();
  const life = await start(world);
  await world.settle(life.storage.takeSnapshot(life.state.source()));
  await write(world, life, 1, 10);
  await replaceAt(world, life, 20);
  await write(world, life, EPOCH + 1, EPOCH + 3);
  const read = (after: number) => world.settle(life.storage.readLog(after, () => true));
  await assert.rejects(read(4), /the log may lack what came before this snapshot/);
  assert.equal(await read(20), EPOCH + 3);
});

test("readLog gives flushed transactions after a zxid, while writing goes on", async () => {
  const world = makeWorld();
  const life = await start(world, { txnLogSizeLimitInKb: 1 });
  await write(world, life, 1, 30);
  world.disk.syncDelayMs = 100;
  for (let zxid = 31; zxid <= 35; zxid++) life.write(zxid);
  await world.clock.run(5);
  const seen: number[] = [];
  const last = await world.settle(life.storage.readLog(12, (_, zxid) => seen.push(zxid) > 0));
  assert.equal(last, 30);
  assert.deepEqual(
    seen,
    Array.from({ length: 18 }, (_, i) => i + 13),
  );
});

test("a snapshot that fails leaves no file, says which, and the next one works", async () => {
  const world = makeWorld();
  const life = await start(world);
  await write(world, life, 1, 5);
  for (const operation of ["open", "write", "datasync", "rename", "syncDirectory"] as const) {
    world.disk.fault = (what) => (what === operation ? "ENOSPC" : null);
    const failing = world.settle(life.storage.takeSnapshot(life.state.source()));
    await assert.rejects(failing, /snapshot\.5: writing a snapshot failed.*Free some space/, operation);
    world.disk.fault = () => null;
    assert.ok(!(await filesOf(world)).includes("snapshot.5.tmp"));
  }
  const file = await world.settle(life.storage.takeSnapshot(life.state.source()));
  assert.equal(file.path, `${VERSION_DIR}/snapshot.5`);
});

test("one snapshot at a time: a second request gets the first one's file", async () => {
  const world = makeWorld();
  const life = await start(world);
  await write(world, life, 1, 5);
  const first = life.storage.takeSnapshot(life.state.source());
  assert.equal(life.storage.snapshotRunning, true);
  const closed: string[] = [];
  const second = life.storage.takeSnapshot({ ...life.state.source(), close: () => void closed.push("second") });
  assert.deepEqual(closed, ["second"]);
  assert.deepEqual(await world.settle(second), await world.settle(first));
  assert.equal(life.storage.snapshotRunning, false);
});

test("sizes counts what lies in the directories", async () => {
  const world = makeWorld();
  const life = await start(world, { preAllocSizeKb: 64 });
  await write(world, life, 1, 5);
  const { dataLogDirBytes } = await world.settle(life.storage.sizes());
  assert.equal(dataLogDirBytes, 16 + 64 * 1024);
});

test("epochs: made from the last zxid, kept over restarts, refused when they contradict the log", async () => {
  const world = makeWorld();
  const { disk, settle } = world;
  await settle(disk.makeDirectory(VERSION_DIR));
  const load = async (lastZxid: number) => {
    const epochs = new EpochFiles(disk, VERSION_DIR);
    await settle(epochs.load(lastZxid));
    return epochs;
  };
  const epochs = await load(3 * 2 ** 32 + 7);
  assert.deepEqual([epochs.currentEpoch, epochs.acceptedEpoch], [3, 3]);
  await settle(epochs.setAcceptedEpoch(5));
  await settle(epochs.setCurrentEpoch(4));
  assert.equal(new TextDecoder().decode(await settle(contentOf(disk, `${VERSION_DIR}/currentEpoch`))), "4");
  disk.crash();
  const again = await load(4 * 2 ** 32);
  assert.deepEqual([again.currentEpoch, again.acceptedEpoch], [4, 5]);
  await assert.rejects(load(6 * 2 ** 32 + 1), /currentEpoch: it says 4, but the log is of epoch 6, and only 5 was/);
  await settle(putContent(disk, `${VERSION_DIR}/currentEpoch.tmp`, new Uint8Array(0)));
  const cutShort = await load(5 * 2 ** 32 + 1);
  assert.deepEqual([cutShort.currentEpoch, cutShort.acceptedEpoch], [4, 5], "a synchronisation that was cut short");
  await settle(putContent(disk, `${VERSION_DIR}/currentEpoch.tmp`, new TextEncoder().encode("5")));
  assert.equal((await load(5 * 2 ** 32 + 1)).currentEpoch, 5);
  await settle(putContent(disk, `${VERSION_DIR}/acceptedEpoch`, new TextEncoder().encode("2")));
  await assert.rejects(load(0), /acceptedEpoch: it says 2, less than currentEpoch 5/);
  await settle(putContent(disk, `${VERSION_DIR}/acceptedEpoch`, new TextEncoder().encode(" 7")));
  await assert.rejects(load(0), /acceptedEpoch: a decimal number expected, not " 7"/);
});

test("epochs that are asked for together are written one after the other", async () => {
  const world = makeWorld();
  const epochs = new EpochFiles(world.disk, "/");
  await world.settle(epochs.load(0));
  await world.settle(Promise.all([epochs.setAcceptedEpoch(1), epochs.setAcceptedEpoch(2)]));
  assert.equal(epochs.acceptedEpoch, 2);
  assert.equal(new TextDecoder().decode(await world.settle(contentOf(world.disk, "/acceptedEpoch"))), "2");
});

test("an epoch that could not be written is not believed", async () => {
  const world = makeWorld();
  const epochs = new EpochFiles(world.disk, "/");
  await world.settle(epochs.load(0));
  world.disk.fault = (operation) => (operation === "datasync" ? "EIO" : null);
  await assert.rejects(world.settle(epochs.setAcceptedEpoch(1)), /acceptedEpoch: writing failed/);
  assert.equal(epochs.acceptedEpoch, 0);
});
