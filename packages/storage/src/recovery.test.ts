/** Which files a server may begin from, and what it says when it may not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@vivarium/jute";
import { makeZxid, type Zxid } from "@vivarium/protocol";
import { DataDirectories, type StorageConfig, writeSnapshot } from "./index.ts";
import {
  contentOf,
  DATA_DIR,
  makeWorld,
  putContent,
  start,
  VERSION_DIR,
  type World,
} from "./testing/memory-storage.ts";
import { createEntry, TestState } from "./testing/test-state.ts";
import { writeLogHeader, writeRecord } from "./txn-log-format.ts";

async function putLog(world: World, ...zxids: Zxid[]): Promise<void> {
  const writer = new Writer();
  writeLogHeader(writer);
  for (const zxid of zxids) writeRecord(writer, createEntry(zxid));
  await putFile(world, `log.${(zxids[0] as Zxid).toString(16)}`, writer.copy());
}

async function putFile(world: World, name: string, content: Uint8Array): Promise<void> {
  await world.settle(world.disk.makeDirectory(VERSION_DIR));
  await world.settle(putContent(world.disk, `${VERSION_DIR}/${name}`, content));
}

/** A snapshot with the nodes /n1 to /n<zxid>. */
async function putSnapshot(world: World, zxid: Zxid): Promise<string> {
  await world.settle(world.disk.makeDirectory(VERSION_DIR));
  const state = new TestState();
  state.lastZxid = zxid;
  const stat = { ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0, ephemeralOwner: 0n };
  for (let n = 1; n <= zxid; n++) {
    state.nodes.set(`/n${n}`, { data: null, aclId: -1, stat: { ...stat, czxid: n, mzxid: n, pzxid: n } });
  }
  const { disk, clock } = world;
  const options = { disk, clock, directory: VERSION_DIR, compression: "", lastProcessedZxid: true } as const;
  return (await world.settle(writeSnapshot(state.source(), options))).path;
}

async function begin(world: World, config: Partial<StorageConfig> = {}) {
  const life = await start(world, { trustEmptySnapshot: false, ...config });
  return {
    ...life,
    created: life.state.createdZxids().sort((a, b) => a - b),
    last: life.recovered.lastProcessedZxid,
  };
}

test("nothing at all: an empty state at zxid 0, or -1 when an empty one is not to be trusted", async () => {
  const trusted = await begin(makeWorld());
  assert.deepEqual([trusted.last, trusted.recovered.needsSnapshot], [0, true]);
  const distrusted = await begin(makeWorld(), { dbAutoCreate: false });
  assert.deepEqual([distrusted.last, distrusted.recovered.needsSnapshot], [-1, false]);
});

test("the file `initialize` makes an empty state trusted, once", async () => {
  const world = makeWorld();
  await world.settle(world.disk.makeDirectory(DATA_DIR));
  await world.settle(putContent(world.disk, `${DATA_DIR}/initialize`, new Uint8Array(0)));
  assert.equal((await begin(world, { dbAutoCreate: false })).last, 0);
  world.disk.kill();
  assert.equal((await begin(world, { dbAutoCreate: false })).last, -1);
});

test("a log without a snapshot is refused, unless trust.empty says otherwise", async () => {
  const world = makeWorld();
  await putLog(world, 1, 2, 3);
  await assert.rejects(begin(world), /log\.1: there is a log, but no snapshot.*trust\.empty=true/);
  world.disk.kill();
  const life = await begin(world, { trustEmptySnapshot: true });
  assert.deepEqual([life.created, life.last, life.recovered.needsSnapshot], [[1, 2, 3], 3, true]);
});

test("snapshot and the log after it, across files and into a new epoch", async () => {
  const world = makeWorld();
  await putSnapshot(world, 3);
  await putLog(world, 1, 2, 3, 4);
  await putLog(world, 5, 6, 0x1_0000_0001);
  const life = await begin(world);
  assert.deepEqual(life.created, [1, 2, 3, 4, 5, 6, 0x1_0000_0001]);
  assert.equal(life.recovered.snapshotZxid, 3);
  assert.equal(life.recovered.replayed, 4);
});

test("missing transactions are named: between snapshot and log, between files, within a file", async () => {
  for (const [what, logs, message] of [
    ["after the snapshot", [[5, 6]], /log\.5: transactions 4 to 4 are missing before the record at offset 16/],
    ["between files", [[4, 5], [8]], /log\.8: transactions 6 to 7 are missing/],
    ["at the beginning of an epoch", [[4, makeZxid(1, 3)]], /log\.4: transactions 100000001 to 100000002 are missing/],
    ["within a file", [[4, 6]], /log\.4: transactions 5 to 5 are missing before the record at offset \d\d\d/],
  ] as const) {
    const world = makeWorld();
    await putSnapshot(world, 3);
    for (const zxids of logs) await putLog(world, ...zxids);
    await assert.rejects(begin(world), message, what);
  }
});

test("a bad snapshot is passed over, its content forgotten, and the log read from the one before", async () => {
  const spoil: Record<string, (content: Uint8Array) => Uint8Array> = {
    "cut off": (content) => content.slice(0, -1),
    empty: () => new Uint8Array(0),
    "a changed byte": (content) => content.map((byte, i) => (i === 60 ? byte ^ 1 : byte)),
    "an impossible length": (content) => content.map((byte, i) => (i === 24 ? 0x7f : byte)),
    "one byte too many before the end": (content) => Uint8Array.of(...content.slice(0, -13), 0, ...content.slice(-13)),
  };
  for (const [what, change] of Object.entries(spoil)) {
    const world = makeWorld();
    await putSnapshot(world, 3);
    await putLog(world, 1, 2, 3, 4, 5, 6);
    const newest = await putSnapshot(world, 5);
    await putContentAt(world, newest, change);
    const life = await begin(world);
    assert.deepEqual(life.created, [1, 2, 3, 4, 5, 6], what);
    assert.equal(life.recovered.snapshotZxid, 3, what);
    assert.match(life.warnings.join(), /snapshot\.5: not usable/);
  }
});

async function putContentAt(world: World, path: string, change: (content: Uint8Array) => Uint8Array): Promise<void> {
  const content = await world.settle(contentOf(world.disk, path));
  await world.settle(putContent(world.disk, path, change(content)));
}

test("if no snapshot can be read the server does not start empty", async () => {
  const world = makeWorld();
  const path = await putSnapshot(world, 3);
  await putContentAt(world, path, (content) => content.fill(0, 20, 40));
  await assert.rejects(begin(world), /snapshot\.3: neither this snapshot nor any older one can be read/);
});

test("a transaction of a type from the future stops the server with its zxid", async () => {
  const world = makeWorld();
  await putSnapshot(world, 3);
  const entry = createEntry(4);
  entry[31] = 99;
  const writer = new Writer();
  writeLogHeader(writer);
  writeRecord(writer, entry);
  await putFile(world, "log.4", writer.copy());
  await assert.rejects(begin(world), /transaction 4 in the log has a right checksum but makes no sense/);
});

test("a disk that fails while reading is no bad snapshot", async () => {
  const world = makeWorld();
  await putSnapshot(world, 3);
  await putSnapshot(world, 5);
  world.disk.fault = (operation, path) => (operation === "read" && path.includes("snapshot.5") ? "EIO" : null);
  await assert.rejects(begin(world), /snapshot\.5: reading the snapshot failed.*hardware error/);
});

test("logs among the snapshots of a separate dataLogDir are refused, and the other way round", async () => {
  const world = makeWorld();
  await putLog(world, 1);
  const options = { disk: world.disk, dataDir: DATA_DIR, dataLogDir: "/logs", autoCreate: true, holder: "us" };
  await assert.rejects(world.settle(DataDirectories.open(options)), /log\.1: a log file outside \/logs/);
  const other = { ...options, dataDir: "/logs", dataLogDir: DATA_DIR };
  await world.settle((await world.settle(DataDirectories.open(other))).release());
  await putSnapshot(world, 3);
  await assert.rejects(world.settle(DataDirectories.open(other)), /snapshot\.3: a snapshot file outside \/logs/);
});

test("a directory that is in use or missing is refused by name, and then free", async () => {
  const world = makeWorld();
  const life = await begin(world);
  await assert.rejects(begin(world), { name: "DirectoryLockedError", holder: "the test's server" });
  await world.settle(life.storage.close());
  await world.settle((await begin(world)).storage.close());
  const options = { disk: world.disk, dataDir: "/none", autoCreate: false, holder: "us" };
  await assert.rejects(world.settle(DataDirectories.open(options)), /none.*does not exist.*datadir\.autocreate/);
});

test("an unfinished snapshot is removed at start, other people's files are not", async () => {
  const world = makeWorld();
  await putSnapshot(world, 3);
  for (const name of ["snapshot.9.tmp", "snapshot.9.gz.tmp", "notes.tmp", "currentEpoch.tmp"]) {
    await putFile(world, name, Uint8Array.of(1));
  }
  await begin(world);
  const names = await world.settle(world.disk.readDirectory(VERSION_DIR));
  assert.deepEqual(names.sort(), ["currentEpoch.tmp", "notes.tmp", "snapshot.3"]);
});
