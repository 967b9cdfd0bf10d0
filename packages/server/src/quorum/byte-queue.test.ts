import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "./byte-queue.ts";

test("bytes come out as they went in, however they are cut and read, from memory that is taken back", () => {
  const turn = fc.record({ size: fc.integer({ min: 1, max: 300 }), read: fc.nat({ max: 400 }) });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 60 }), (turns) => {
      const queue = new ByteQueue();
      let sent = 0;
      let seen = 0;
      const read = (count: number) => {
        const { reader } = queue;
        for (let left = Math.min(count, reader.remaining); left > 0; left--) assert.equal(reader.byte(), seen++ & 0xff);
      };
      for (const { size, read: count } of turns) {
        const lent = Uint8Array.from({ length: size }, () => sent++ & 0xff);
        queue.append(lent);
        read(count);
        queue.keep();
        lent.fill(0xa5);
      }
      read(Number.POSITIVE_INFINITY);
      assert.equal(seen, sent);
    }),
  );
});

test("what waits is not moved for each chunk that comes behind it", () => {
  const queue = new ByteQueue();
  const { reader } = queue;
  let moves = 0;
  for (let i = 0; i < 2000; i++) {
    const { bytes, offset } = reader;
    queue.append(new Uint8Array(1000));
    queue.keep();
    if (reader.bytes !== bytes || reader.offset !== offset) moves++;
    reader.byte();
  }
  assert.equal(reader.remaining, 2000 * 999);
  assert.ok(moves < 20, `${moves} moves`);
});
