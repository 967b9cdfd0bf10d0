/**
 * Google's Snappy block format: a varint of the plain length, then literals and copies of what came earlier. Written
 * for blocks of at most 64 KiB, as the xerial stream around it uses; reading takes any block.
 *
 *   tag & 3:  0 literal, length-1 in the upper six bits (60..63: in the next 1..4 bytes)
 *             1 copy of 4..11 bytes, offset in 11 bits;  2 copy of 1..64, offset in 16 bits;  3 offset in 32 bits
 */
import { ProtocolError } from "@vivarium/jute";

const HASH_BITS = 14;
const MIN_MATCH = 4;
const MAX_COPY = 64;
export const MAX_SNAPPY_BLOCK_BYTES = 65536;

/** Positions by hash of four bytes. It need not be cleared between blocks: every hit is compared before it is used. */
const table = new Uint16Array(1 << HASH_BITS);

export function snappyCompress(plain: Uint8Array): Uint8Array {
  if (plain.length > MAX_SNAPPY_BLOCK_BYTES) throw new RangeError(`a block of ${plain.length} bytes is too large`);
  const out = new Uint8Array(plain.length + Math.ceil(plain.length / 6) + 32);
  let to = writeVarint(out, plain.length);
  let literalStart = 0;
  let at = 0;
  const lastStart = plain.length - MIN_MATCH;
  while (at <= lastStart) {
    const hash = Math.imul(word(plain, at), 0x1e35a7bd) >>> (32 - HASH_BITS);
    const candidate = table[hash] as number;
    table[hash] = at;
    if (candidate >= at || word(plain, candidate) !== word(plain, at)) {
      // The longer nothing was found, the larger the steps: incompressible data passes quickly.
      at += 1 + ((at - literalStart) >> 5);
      continue;
    }
    let length = MIN_MATCH;
    while (at + length < plain.length && plain[candidate + length] === plain[at + length]) length++;
    to = writeLiteral(out, to, plain, literalStart, at);
    to = writeCopy(out, to, at - candidate, length);
    at += length;
    literalStart = at;
  }
  return out.subarray(0, writeLiteral(out, to, plain, literalStart, plain.length));
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function writeVarint(out: Uint8Array, value: number): number {
  let to = 0;
  let rest = value;
  while (rest >= 0x80) {
    out[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[to++] = rest;
  return to;
}

function writeLiteral(out: Uint8Array, start: number, plain: Uint8Array, from: number, end: number): number {
  let to = start;
  const length = end - from;
  if (length === 0) return to;
  if (length <= 60) {
    out[to++] = (length - 1) << 2;
  } else if (length <= 256) {
    out[to++] = 60 << 2;
    out[to++] = length - 1;
  } else {
    out[to++] = 61 << 2;
    out[to++] = (length - 1) & 0xff;
    out[to++] = (length - 1) >> 8;
  }
  out.set(plain.subarray(from, end), to);
  return to + length;
}

function writeCopy(out: Uint8Array, start: number, offset: number, length: number): number {
  let to = start;
  for (let left = length; left > 0; ) {
    const part = Math.min(left, MAX_COPY);
    out[to++] = ((part - 1) << 2) | 2;
    out[to++] = offset & 0xff;
    out[to++] = offset >> 8;
    left -= part;
  }
  return to;
}

/** @throws ProtocolError if it is no snappy block of at most `maxBytes` plain bytes. */
export function snappyDecompress(block: Uint8Array, maxBytes: number): Uint8Array {
  let at = 0;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = block[at++];
    if (byte === undefined || shift > 28) throw new ProtocolError("a snappy block without a length");
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (size > maxBytes) throw new ProtocolError(`a snappy block of ${size} bytes; at most ${maxBytes} expected`);
  const out = new Uint8Array(size);
  let to = 0;
  while (at < block.length) {
    const tag = block[at++] as number;
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const extra = length - 60;
        length = littleEndian(block, at, extra) + 1;
        at += extra;
      }
      if (at + length > block.length || to + length > size)
        throw new ProtocolError("a snappy literal beyond its block");
      out.set(block.subarray(at, at + length), to);
      at += length;
      to += length;
    } else {
      const offsetBytes = [0, 1, 2, 4][tag & 3] as number;
      const length = offsetBytes === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
      const offset = littleEndian(block, at, offsetBytes) + (offsetBytes === 1 ? (tag >> 5) << 8 : 0);
      at += offsetBytes;
      if (offset === 0 || offset > to || to + length > size) throw new ProtocolError("a snappy copy beyond its block");
      for (const end = to + length; to < end; to++) out[to] = out[to - offset] as number;
    }
  }
  if (to !== size) throw new ProtocolError(`a snappy block of ${to} bytes that promised ${size}`);
  return out;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw new ProtocolError("a snappy block that is cut off");
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
  return value;
}
