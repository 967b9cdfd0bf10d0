/** What a MemoryDisk does that a real one does only when things go wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk, SeededRandom, VirtualClock } from "./index.ts";

function makeDisk(seed = 1) {
  const clock = new VirtualClock();
  const disk = new MemoryDisk({ clock, random: new SeededRandom(seed) });
  const settle = <T>(promise: Promise<T>): Promise<T> => clock.runUntil(promise);
  return { clock, disk, settle };
}

async function read(disk: MemoryDisk, path: string): Promise<Uint8Array | null> {
  if ((await disk.stat(path)) === null) return null;
  const file = await disk.open(path, "read");
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  return bytes;
}

test("after a crash, synced content under a synced name is whole", async () => {
  for (let seed = 1; seed < 50; seed++) {
    const { disk, settle } = makeDisk(seed);
    const write = async () => {
      const file = await disk.open("/a", "create");
      await file.write(new Uint8Array(2000).fill(1), 0);
      await file.datasync();
      await disk.syncDirectory("/");
      await file.write(new Uint8Array(2000).fill(2), 2000);
    };
    await settle(write());
    disk.crash();
    const bytes = await settle(read(disk, "/a"));
    assert.ok(bytes !== null && bytes.length >= 2000);
    assert.ok(bytes.subarray(0, 2000).every((byte) => byte === 1));
    assert.ok(bytes.subarray(2000).every((byte) => byte === 0 || byte === 2));
  }
});

test("after crashes, unsynced sectors and names are sometimes kept, sometimes lost", async () => {
  const outcomes = { gone: 0, empty: 0, torn: 0, whole: 0 };
  for (let seed = 1; seed < 100; seed++) {
    const { disk, settle } = makeDisk(seed);
    const write = async () => {
      const file = await disk.open("/a", "create");
      await file.write(new Uint8Array(2048).fill(1), 0);
    };
    await settle(write());
    disk.crash();
    const bytes = await settle(read(disk, "/a"));
    const kept = bytes?.filter((byte) => byte === 1).length;
    outcomes[kept === undefined ? "gone" : kept === 0 ? "empty" : kept < 2048 ? "torn" : "whole"]++;
  }
  for (const [outcome, count] of Object.entries(outcomes)) assert.ok(count > 0, `never ${outcome}`);
});

test("what a failed sync should have made safe stays unsafe, even if a later sync succeeds", async () => {
  let lost = 0;
  for (let seed = 1; seed < 20; seed++) {
    const { disk, settle } = makeDisk(seed);
    const write = async () => {
      const file = await disk.open("/a", "create");
      await disk.syncDirectory("/");
      await file.write(new Uint8Array(512).fill(1), 0);
      disk.fault = (operation) => (operation === "datasync" ? "EIO" : null);
      await assert.rejects(file.datasync(), { code: "EIO" });
      disk.fault = () => null;
      await file.datasync();
    };
    await settle(write());
    disk.crash();
    const bytes = await settle(read(disk, "/a"));
    if (bytes?.[0] !== 1) lost++;
  }
  assert.ok(lost > 0);
});

test("a full disk refuses writes; a killed process leaves what it wrote, and no lock", async () => {
  const { disk, settle } = makeDisk();
  disk.capacityBytes = 1000;
  const write = async () => {
    await disk.lock("/", "first life");
    const file = await disk.open("/a", "create");
    await file.write(new Uint8Array(900).fill(1), 0);
    await assert.rejects(file.write(new Uint8Array(200), 900), { code: "ENOSPC" });
  };
  await settle(write());
  disk.kill();
  await settle(disk.lock("/", "second life"));
  assert.equal((await settle(read(disk, "/a")))?.length, 900);
});

test("a slow sync answers by the clock, and never after a crash", async () => {
  const { clock, disk, settle } = makeDisk();
  const file = await settle(disk.open("/a", "create"));
  disk.syncDelayMs = 100;
  let answered = 0;
  void file.datasync().then(() => answered++);
  await clock.run(99);
  assert.equal(answered, 0);
  await clock.run(1);
  assert.equal(answered, 1);
  void file.datasync().then(() => answered++);
  disk.crash();
  await clock.run(1000);
  assert.equal(answered, 1);
});
