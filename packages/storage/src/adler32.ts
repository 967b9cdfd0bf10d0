/**
 * Adler-32 (RFC 1950), the checksum of ZooKeeper's logs and snapshots. Most of it is done by a WebAssembly function
 * (adler32-wasm.ts); short pieces, the rest of long ones, and everything where there is no WebAssembly, by a loop,
 * unrolled and in 32-bit arithmetic. The sums are reduced before they leave 32 bits.
 */
import { adlerBlock, BLOCK_BYTES } from "./adler32-wasm.ts";

const MODULUS = 65521;
/** The most bytes, a multiple of eight, after which the second sum still fits an unsigned 32-bit integer. */
const BYTES_PER_REDUCTION = 5552;

export const ADLER32_START = 1;

/** Below this a call into WebAssembly, and the copy that it needs, cost more than they save. */
const WASM_MIN_BYTES = 192;
const wasm = adlerBlock();

/** Continues `adler` over bytes[start, end). Returns an unsigned 32-bit number. */
export function adler32(bytes: Uint8Array, start = 0, end = bytes.length, adler = ADLER32_START): number {
  if (wasm === undefined || end - start < WASM_MIN_BYTES) return adler32ByLoop(bytes, start, end, adler);
  let sum = adler;
  let at = start;
  for (let left = (end - at) & ~15; left > 0; left = (end - at) & ~15) {
    const size = Math.min(left, BLOCK_BYTES);
    wasm.memory.set(bytes.subarray(at, at + size));
    sum = wasm.sum(size, sum);
    at += size;
  }
  return adler32ByLoop(bytes, at, end, sum >>> 0);
}

/** The same, without WebAssembly. */
export function adler32ByLoop(bytes: Uint8Array, start: number, end: number, adler: number): number {
  let a = adler & 0xffff;
  let b = adler >>> 16;
  let i = start;
  while (i < end) {
    const blockEnd = Math.min(i + BYTES_PER_REDUCTION, end);
    const eightsEnd = blockEnd - ((blockEnd - i) & 7);
    for (; i < eightsEnd; i += 8) {
      a = (a + (bytes[i] as number)) | 0;
      b = (b + a) | 0;
      a = (a + (bytes[i + 1] as number)) | 0;
      b = (b + a) | 0;
      a = (a + (bytes[i + 2] as number)) | 0;
      b = (b + a) | 0;
      a = (a + (bytes[i + 3] as number)) | 0;
      b = (b + a) | 0;
      a = (a + (bytes[i + 4] as number)) | 0;
      b = (b + a) | 0;
      a = (a + (bytes[i + 5] as number)) | 0;
      b = (b + a) | 0;
      a = (a + (bytes[i + 6] as number)) | 0;
      b = (b + a) | 0;
      a = (a + (bytes[i + 7] as number)) | 0;
      b = (b + a) | 0;
    }
    for (; i < blockEnd; i++) {
      a = (a + (bytes[i] as number)) | 0;
      b = (b + a) | 0;
    }
    a = (a >>> 0) % MODULUS;
    b = (b >>> 0) % MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}
