import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameBuffer } from "./frame-buffer.ts";
import { SPARE_MIN_BYTES, SpareMemory } from "./spare-memory.ts";
import { Writer } from "./writer.ts";

test("what is given back is taken again by who needs as much or a little less", () => {
  const spare = new SpareMemory(1 << 20);
  const memory = spare.take(100_000);
  spare.give(memory);
  assert.equal(spare.bytes, memory.length);
  assert.notEqual(spare.take(50_000), memory);
  assert.equal(spare.take(99_000), memory);
  assert.equal(spare.bytes, 0);
  assert.notEqual(spare.take(99_000), memory, "not by two at a time");
});

test("no more than an eighth is lost", () => {
  const spare = new SpareMemory(0);
  for (let bytes = 1; bytes < 40_000_000; bytes = Math.ceil(bytes * 1.01)) {
    const { length } = spare.take(bytes);
    assert.ok(length >= bytes && length <= bytes * 1.125, `${length} for ${bytes}`);
  }
});

test("what is beyond the limit, small, or from elsewhere is not kept", () => {
  const spare = new SpareMemory(50_000);
  for (const size of [SPARE_MIN_BYTES - 1, SPARE_MIN_BYTES + 1, 65_536]) spare.give(new Uint8Array(size));
  assert.equal(spare.bytes, 0);
  for (let i = 0; i < 9; i++) spare.give(new Uint8Array(16_384));
  assert.equal(spare.bytes, 3 * 16_384);
});

test("frames in pieces share memory, each of them for as long as it is looked at", () => {
  const spare = new SpareMemory(1 << 20);
  const streams = Array.from({ length: 3 }, (_, id) => ({ id, frames: new FrameBuffer(1 << 20, undefined, spare) }));
  const frame = (id: number, round: number) => new Uint8Array(20_000 + 1000 * id).fill(16 * id + round + 1);
  const seen: number[] = [];
  for (let round = 0; round < 8; round++) {
    const wires = streams.map(({ id }) => {
      const payload = frame(id, round);
      return Buffer.concat([Buffer.from([0, 0, payload.length >> 8, payload.length]), payload]);
    });
    for (let at = 0; at < 30_000; at += 3000) {
      for (const { id, frames } of streams) {
        const lent = Uint8Array.from((wires[id] as Buffer).subarray(at, at + 3000));
        frames.append(lent);
        for (; frames.next(); seen.push(id)) {
          assert.deepEqual(new Uint8Array(frames.bytes.slice(frames.start, frames.end)), frame(id, round));
        }
        frames.keep();
        lent.fill(0xa5);
      }
    }
  }
  assert.equal(seen.length, 3 * 8);
  assert.ok(spare.bytes < 250_000, `${spare.bytes} bytes for three frames at a time`);
});

test("a writer that grows takes spare memory, and leaves what it has grown out of", () => {
  const spare = new SpareMemory(1 << 20);
  const written = (writer: Writer) => {
    for (let i = 0; i < 20_000; i++) writer.int(i);
    return writer.written();
  };
  const first = written(new Writer(16, 0, spare));
  const left = spare.bytes;
  assert.ok(left > 0);
  const second = written(new Writer(16, 0, spare));
  assert.deepEqual(second, first);
  assert.notEqual(second.buffer, first.buffer);
  assert.equal(spare.bytes, left, "all but the last came from there");
});
