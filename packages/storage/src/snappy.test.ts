import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError } from "@vivarium/jute";
import fc from "fast-check";
import { snappyCompress, snappyDecompress } from "./snappy.ts";

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("what was compressed comes back, and repetition takes little room", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc.array(fc.constantFrom(1, 2, 3), { maxLength: 5000 }).map((list) => Uint8Array.from(list)),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.integer({ min: 1, max: 400 })).map(([unit, times]) => {
      const out = new Uint8Array(unit.length * times);
      for (let i = 0; i < times; i++) out.set(unit, i * unit.length);
      return out;
    }),
  );
  fc.assert(
    fc.property(bytes, (plain) => {
      assert.deepEqual(snappyDecompress(snappyCompress(plain), 65536), plain);
    }),
  );
  assert.ok(snappyCompress(new Uint8Array(32768)).length < 2000);
});

test("reads every kind of element", () => {
  for (const [what, hex, plain] of [
    ["literal", "03 08 616263", "abc"],
    ["copy with a one-byte offset", "0a 08 616263 0d 03", "abcabcabca"],
    ["copy with a two-byte offset", "06 08 616263 0a 0300", "abcabc"],
    ["copy with a four-byte offset", "06 08 616263 0b 03000000", "abcabc"],
    ["literal with a one-byte length", "03 f0 02 616263", "abc"],
  ] as const) {
    assert.equal(text(snappyDecompress(fromHex(hex.replaceAll(" ", "")), 100)), plain, what);
  }
});

test("refuses what cannot be", () => {
  for (const [what, hex] of [
    ["nothing", ""],
    ["a length without end", "ffffffffff"],
    ["too large", "ffff7f"],
    ["a literal beyond the block", "03 08 6162"],
    ["a literal beyond the promised length", "02 08 616263"],
    ["a copy from before the start", "08 08 616263 0d 04"],
    ["a copy from nowhere", "08 08 616263 0d 00"],
    ["a copy cut off", "06 08 616263 0a 03"],
    ["less than promised", "04 08 616263"],
  ] as const) {
    assert.throws(() => snappyDecompress(fromHex(hex.replaceAll(" ", "")), 1000), ProtocolError, what);
  }
});
