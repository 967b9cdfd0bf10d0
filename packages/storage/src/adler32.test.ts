import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { adler32, adler32ByLoop } from "./adler32.ts";
import { adlerBlock } from "./adler32-wasm.ts";

/** zlib ends its streams with the Adler-32 of what went in. */
const byZlib = (bytes: Uint8Array): number =>
  deflateSync(bytes, { level: 0 }).readUInt32BE(deflateSync(bytes, { level: 0 }).length - 4);

test("agrees with zlib, also where the sums are largest", () => {
  for (const size of [0, 1, 7, 8, 9, 5551, 5552, 5553, 100_000]) {
    const bytes = new Uint8Array(size).fill(255);
    assert.equal(adler32(bytes), byZlib(bytes), `${size} bytes`);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => adler32(bytes) === byZlib(bytes)));
});

test("with and without WebAssembly gives the same, wherever it starts", () => {
  assert.notEqual(adlerBlock(), undefined, "this platform has WebAssembly");
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7919) ^ (i >> 5));
  for (const length of [191, 192, 193, 207, 208, 5551, 5552, 5553, 5567, 5568, 11_104, 12_000]) {
    for (const [start, seed] of [
      [0, 1],
      [3, 0xfff0_fff0],
    ] as const) {
      const end = start + length;
      assert.equal(adler32(bytes, start, end, seed), adler32ByLoop(bytes, start, end, seed), `${length} bytes`);
    }
  }
});

test("in two parts gives the same as in one", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, at) => {
      const cut = Math.min(at, bytes.length);
      return adler32(bytes, cut, bytes.length, adler32(bytes, 0, cut)) === adler32(bytes);
    }),
  );
});
