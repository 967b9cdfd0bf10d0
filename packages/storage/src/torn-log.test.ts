/**
 * The end of the log after a power failure: a log cut anywhere gives back exactly its whole records, and a log in which
 * a bit changed is never taken for a shorter one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@vivarium/jute";
import type { Zxid } from "@vivarium/protocol";
import { readTxnLog, StorageError } from "./index.ts";
import { contentOf, makeWorld, putContent, type World } from "./testing/memory-storage.ts";
import { createEntry } from "./testing/test-state.ts";
import { writeLogHeader, writeRecord } from "./txn-log-format.ts";

/** A log of records of different sizes, with where each ends. */
function makeLog(count: number, reservedBytes: number) {
  const writer = new Writer();
  writeLogHeader(writer);
  const ends: number[] = [];
  for (let zxid = 1; zxid <= count; zxid++) {
    writeRecord(writer, createEntry(zxid, (zxid * 97) % 700));
    ends.push(writer.length);
  }
  const content = new Uint8Array(Math.max(writer.length, reservedBytes));
  content.set(writer.written());
  return { content, ends };
}

async function readAll(world: World, repair = true): Promise<Zxid[]> {
  const seen: Zxid[] = [];
  const visit = (_: unknown, zxid: Zxid): boolean => seen.push(zxid) > 0;
  await world.settle(readTxnLog({ disk: world.disk, directory: "/", after: null, repair, visit }));
  return seen;
}

const upTo = (count: number): Zxid[] => Array.from({ length: count }, (_, i) => i + 1);

for (const reservedBytes of [0, 16384]) {
  const kind = reservedBytes === 0 ? "a file that ends with its records" : "a file with reserved space";

  test(`${kind}, cut or zeroed from any byte on, gives exactly its whole records, also the next time`, async () => {
    const { content, ends } = makeLog(12, reservedBytes);
    const firstCut = ends[7] as number;
    for (let cut = firstCut; cut <= (ends.at(-1) as number); cut++) {
      const whole = upTo(ends.filter((end) => end <= cut).length);
      const world = makeWorld();
      const left = reservedBytes === 0 ? content.slice(0, cut) : content.slice().fill(0, cut);
      await world.settle(putContent(world.disk, "/log.1", left));
      // A zeroed tail is torn at a sector's edge; in the middle of one, a disk must have spoiled it.
      if (reservedBytes > 0 && cut % 512 !== 0 && !ends.includes(cut)) continue;
      assert.deepEqual(await readAll(world), whole, `cut at ${cut}`);
      assert.deepEqual(await readAll(world), whole, `cut at ${cut}, second start`);
    }
  });

  test(`${kind}: a changed bit anywhere in any record is found`, async () => {
    const { content, ends } = makeLog(5, reservedBytes);
    const world = makeWorld();
    for (let at = 16; at < (ends.at(-1) as number); at++) {
      const spoiled = content.slice();
      spoiled[at] = (spoiled[at] as number) ^ (1 << (at % 8));
      await world.settle(putContent(world.disk, "/log.1", spoiled));
      await assert.rejects(readAll(world), (error: Error) => {
        assert.ok(error instanceof StorageError, `byte ${at}: ${error}`);
        assert.equal(error.file, "/log.1");
        assert.match(error.message, /record at offset \d+ is corrupt/);
        return true;
      });
      assert.deepEqual(await world.settle(contentOf(world.disk, "/log.1")), spoiled, "nothing was changed");
    }
  });
}

test("a changed bit is found even in a record full of zeros, which looks as if sectors were lost", async () => {
  const entry = createEntry(1, 2000).fill(0, 100, 1900);
  const writer = new Writer();
  writeLogHeader(writer);
  writeRecord(writer, entry);
  const world = makeWorld();
  for (let at = 16; at < writer.length; at++) {
    const spoiled = new Uint8Array(8192);
    spoiled.set(writer.written());
    spoiled[at] = (spoiled[at] as number) ^ (1 << (at % 8));
    await world.settle(putContent(world.disk, "/log.1", spoiled));
    await assert.rejects(readAll(world), /record at offset 16 is corrupt/, `byte ${at}`);
  }
});

test("a group whose sectors reached the disk in any combination is cut at its first bad record", async () => {
  const { content, ends } = makeLog(12, 16384);
  const synced = ends[5] as number;
  const end = ends.at(-1) as number;
  const firstSector = Math.floor(synced / 512);
  const sectors = Math.ceil(end / 512) - firstSector;
  for (let lost = 0; lost < 1 << sectors; lost++) {
    const left = content.slice();
    for (let i = 0; i < sectors; i++) {
      if ((lost & (1 << i)) === 0) continue;
      const from = Math.max((firstSector + i) * 512, synced);
      left.fill(0, from, (firstSector + i + 1) * 512);
    }
    const world = makeWorld();
    await world.settle(putContent(world.disk, "/log.1", left));
    const seen = await readAll(world);
    const intact = ends.findIndex((recordEnd, i) => {
      const start = ends[i - 1] ?? 16;
      return Buffer.compare(left.subarray(start, recordEnd), content.subarray(start, recordEnd)) !== 0;
    });
    assert.deepEqual(seen, upTo(intact === -1 ? 12 : intact), `lost ${lost.toString(2)}`);
    assert.deepEqual(await readAll(world), seen);
  }
});

test("a record is torn wherever in its header the sector ends that was lost", async () => {
  for (let lost = 1; lost <= 16; lost++) {
    const writer = new Writer();
    writeLogHeader(writer);
    writeRecord(writer, createEntry(1, 0));
    const shortest = writer.length;
    writer.length = 16;
    writeRecord(writer, createEntry(1, 2 * 512 - lost - shortest));
    const begins = writer.length;
    assert.equal((begins + lost) % 512, 0);
    writeRecord(writer, createEntry(2, 300));
    const content = new Uint8Array(4096);
    content.set(writer.written());
    const world = makeWorld();
    await world.settle(putContent(world.disk, "/log.1", content.slice().fill(0, begins, begins + lost)));
    // The upper half of the checksum is zero anyhow.
    assert.deepEqual(await readAll(world), lost <= 4 ? [1, 2] : [1], `${lost} bytes lost`);
  }
});

test("a file that was made but not begun is removed if it is the last, and an error if it is not", async () => {
  for (const unbegun of [new Uint8Array(0), new Uint8Array(9), new Uint8Array(4096)]) {
    const world = makeWorld();
    await world.settle(putContent(world.disk, "/log.1", makeLog(3, 0).content));
    await world.settle(putContent(world.disk, "/log.4", unbegun));
    assert.deepEqual(await readAll(world), [1, 2, 3]);
    assert.deepEqual(await world.settle(world.disk.readDirectory("/")), ["log.1"]);
    const writer = new Writer();
    writeLogHeader(writer);
    writeRecord(writer, createEntry(5));
    await world.settle(putContent(world.disk, "/log.4", unbegun));
    await world.settle(putContent(world.disk, "/log.5", writer.copy()));
    await assert.rejects(readAll(world), /log\.4: the file is empty, but it is not the last/);
  }
});

test("a torn end of an earlier file is fine if the next file goes on from there, and an error if not", async () => {
  const { content, ends } = makeLog(4, 0);
  for (const [next, works] of [
    [4, true],
    [5, false],
    [2 ** 32 + 1, true],
  ] as const) {
    const world = makeWorld();
    await world.settle(putContent(world.disk, "/log.1", content.slice(0, (ends[3] as number) - 5)));
    const writer = new Writer();
    writeLogHeader(writer);
    writeRecord(writer, createEntry(next));
    await world.settle(putContent(world.disk, `/log.${next.toString(16)}`, writer.copy()));
    if (works) assert.deepEqual(await readAll(world), [1, 2, 3, next]);
    else
      await assert.rejects(
        readAll(world),
        /log\.5: transactions 4 to 4 are missing .*; \/log\.1 ends in a torn record/,
      );
  }
});

test("what is no log is named", async () => {
  const world = makeWorld();
  await world.settle(putContent(world.disk, "/log.1", new TextEncoder().encode("this is no log file")));
  await assert.rejects(readAll(world), /log\.1: it does not begin with ZKLG/);
});
