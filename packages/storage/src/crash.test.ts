/**
 * Power failures at any moment of a server's life, over several lives on one disk that loses and tears what was not
 * synced: whatever was reported as flushed is there again, and nothing else than a prefix of what was written.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Compression, type StorageConfig } from "./index.ts";
import { type Life, makeWorld, start, type World } from "./testing/memory-storage.ts";

const LIVES = 4;

async function liveAndDie(seed: number, config: Partial<StorageConfig>): Promise<void> {
  const world = makeWorld(seed);
  const { random, disk } = world;
  let next = 1;
  let acknowledged = 0;
  for (let number = 0; number < LIVES; number++) {
    const life = await start(world, config);
    const zxids = life.state.createdZxids().sort((a, b) => a - b);
    const last = zxids.at(-1) ?? 0;
    assert.deepEqual(
      zxids,
      zxids.map((_, i) => i + 1),
      "no holes",
    );
    assert.ok(last >= acknowledged, `${acknowledged} was acknowledged, only ${last} is there`);
    assert.ok(last < next, `${last} was never written`);
    assert.equal(life.recovered.lastProcessedZxid, last);
    next = last + 1;
    disk.syncDelayMs = random.int(4);
    next = await writeForAWhile(life, next, random.int(30), world);
    assert.deepEqual(life.errors, []);
    acknowledged = Math.max(acknowledged, life.flushed.at(-1) ?? 0);
    if (random.int(4) === 0) disk.kill();
    else disk.crash();
  }
}

async function writeForAWhile(life: Life, first: number, rounds: number, world: World): Promise<number> {
  const int = (below: number): number => world.random.int(below);
  let next = first;
  for (let round = 0; round < rounds; round++) {
    for (let i = int(6); i > 0; i--) life.write(next++, int(3) === 0 ? int(3000) : int(60));
    if (int(8) === 0) life.storage.rollLog();
    if (int(10) === 0) await world.settle(life.storage.purge());
    if (int(2) === 0) await world.clock.run(int(4));
  }
  return next;
}

test("nothing acknowledged is lost, whenever the power fails", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.constantFrom(0, 4, 16),
      fc.constantFrom<Compression>(Compression.none, Compression.snappy),
      (seed, preAllocSizeKb, snapshotCompression) =>
        liveAndDie(seed, { preAllocSizeKb, snapshotCompression, snapCount: 12, txnLogSizeLimitInKb: 8 }),
    ),
    { numRuns: 60, includeErrorInReport: true },
  );
});

test("what a failed sync gave up on is written again before the next life builds on it", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const world = makeWorld(seed);
    const first = await start(world);
    first.write(1);
    await world.clock.run(10);
    world.disk.fault = (operation) => (operation === "datasync" ? "EIO" : null);
    first.write(2);
    await world.clock.run(10);
    assert.equal(first.errors.length, 1);
    world.disk.fault = () => null;
    world.disk.kill();

    const second = await start(world);
    second.write(second.recovered.lastProcessedZxid + 1);
    await world.clock.run(10);
    const [flushed] = second.flushed;
    world.disk.crash();

    const third = await start(world);
    assert.equal(third.recovered.lastProcessedZxid, flushed);
  }
});
