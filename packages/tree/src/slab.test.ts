import assert from "node:assert/strict";
import { test } from "node:test";
import { copyBytes } from "@vivarium/jute";
import { MAX_SLOT_BYTES, Slab } from "./slab.ts";

/** Content that depends on every position and on the length. */
function value(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + length);
}

function put(slab: Slab, length: number): number {
  const pointer = slab.allocate(length);
  slab.locate(pointer, length);
  copyBytes(value(length), 0, length, slab.memory.bytes, slab.at);
  return pointer;
}

function read(slab: Slab, pointer: number, length: number): Uint8Array {
  slab.locate(pointer, length);
  return slab.memory.bytes.slice(slab.at, slab.at + length);
}

test("values of all lengths keep apart", () => {
  const slab = new Slab();
  const lengths = Array.from({ length: MAX_SLOT_BYTES + 10 }, (_, length) => length);
  const pointers = lengths.map((length) => put(slab, length));
  for (const length of lengths) assert.deepEqual(read(slab, pointers[length] as number, length), value(length));
});

test("freed slots are used again, before any new memory is", () => {
  const slab = new Slab();
  for (const length of [8, 100, 4096, 5000]) {
    const pointers = Array.from({ length: 3000 }, () => put(slab, length));
    const held = slab.bytes;
    for (const pointer of pointers) slab.free(pointer, length);
    const again = pointers.map(() => put(slab, length));
    assert.deepEqual(new Set(again), new Set(pointers));
    assert.equal(slab.bytes, held);
    for (const pointer of again) assert.deepEqual(read(slab, pointer, length), value(length));
  }
});

test("no more than an eighth and seven bytes of a slot are wasted", () => {
  for (const length of [1, 9, 64, 65, 100, 129, 1000, 2049, MAX_SLOT_BYTES]) {
    const slab = new Slab();
    const empty = slab.bytes;
    const count = 4096;
    for (let i = 0; i < count; i++) put(slab, length);
    const perValue = (slab.bytes - empty) / count;
    const chunkRest = (256 * 1024) / count;
    assert.ok(perValue <= length * 1.125 + 8 + chunkRest, `${perValue} bytes for ${length}`);
  }
});

test("a large value's place is as good for another one of about its size, and no other", () => {
  const slab = new Slab();
  for (const [length, other, fits] of [
    [10_000, 10_001, true],
    [10_000, 12_000, false],
    [10_000, 4000, false],
    [4000, 10_000, false],
    [10_000, 0, false],
    [5000, 5000, true],
  ] as const) {
    assert.equal(slab.fits(length, other), fits, `${length} and ${other}`);
  }
});
