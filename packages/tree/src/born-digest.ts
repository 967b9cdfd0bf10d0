/**
 * The digest of a node that is as it was created: all of its Stat follows from czxid and ctime. CRC-32 is linear, so the
 * checksum of those 60 bytes is what the checksum before them, the czxid and the ctime each contribute, combined by
 * exclusive or; and what an integer contributes is the same of its bytes, each looked up in a table. Twenty lookups that
 * do not wait for each other are several times faster than a checksum that goes on byte after byte.
 * @see disk-format 4.1
 */
import { crc32 } from "./crc32.ts";
import { DIGEST_STAT_BYTES } from "./tree-digest.ts";

/** Where in the 60 bytes czxid, mzxid and pzxid begin, and where ctime and mtime do. */
const ZXIDS_AT = [0, 8, 16];
const TIMES_AT = [24, 32];
const BYTE_VALUES = 256;
const INT_ENTRIES = 4 * BYTE_VALUES;

/** For each of five integers and each of its bytes, the lowest first: what every value of that byte contributes. */
const T = new Int32Array(5 * INT_ENTRIES);
const empty = new DataView(new ArrayBuffer(DIGEST_STAT_BYTES));
fillTable(0, (value) => rawCrc(empty, value));
fillTable(1, (value) => crcOf(ZXIDS_AT, 0, value));
fillTable(2, (value) => crcOf(ZXIDS_AT, 4, value));
fillTable(3, (value) => crcOf(TIMES_AT, 0, value));
fillTable(4, (value) => crcOf(TIMES_AT, 4, value));

/**
 * The digest, as a signed integer, of a node with this checksum of path and data. Its czxid and its ctime are two ints
 * each, from these places on in `record`.
 */
export function bornDigest(prefixCrc: number, record: Int32Array, czxidAt: number, ctimeAt: number): number {
  return ~(
    contribution(0, ~prefixCrc) ^
    contribution(1, record[czxidAt] as number) ^
    contribution(2, record[czxidAt + 1] as number) ^
    contribution(3, record[ctimeAt] as number) ^
    contribution(4, record[ctimeAt + 1] as number)
  );
}

function contribution(int: number, value: number): number {
  const at = int * INT_ENTRIES;
  return (
    (T[at + (value & 0xff)] as number) ^
    (T[at + 0x100 + ((value >>> 8) & 0xff)] as number) ^
    (T[at + 0x200 + ((value >>> 16) & 0xff)] as number) ^
    (T[at + 0x300 + (value >>> 24)] as number)
  );
}

/** @param contributionOf of an integer of which only one bit is set: all others follow */
function fillTable(int: number, contributionOf: (value: number) => number): void {
  for (let byte = 0; byte < 4; byte++) {
    const at = int * INT_ENTRIES + byte * BYTE_VALUES;
    for (let bit = 0; bit < 8; bit++) {
      const ofBit = contributionOf(1 << (8 * byte + bit));
      for (let value = 0; value < 1 << bit; value++) T[at + value + (1 << bit)] = (T[at + value] as number) ^ ofBit;
    }
  }
}

function crcOf(places: readonly number[], half: number, value: number): number {
  const stat = new DataView(new ArrayBuffer(DIGEST_STAT_BYTES));
  for (const place of places) stat.setInt32(place + half, value);
  return rawCrc(stat, 0);
}

/** The checksum without the inversions before and after it, which are what keeps it from being linear. */
function rawCrc(bytes: DataView, state: number): number {
  return ~crc32(new Uint8Array(bytes.buffer), 0, bytes.byteLength, ~state);
}
