/**
 * A bad record at the end of the last log file: was it being written when the power failed, or did the disk spoil it
 * after it was safe? The first may be cut off, for nobody was told that it succeeded; the second must stop the server,
 * because cutting it off would silently forget an acknowledged write.
 *
 * What a power failure leaves of a write is, sector by sector, either what was written or the zeros that were there
 * before, perhaps with a shorter file. So a record is torn if the file ends within it or a sector's part of it is all
 * zero, unless a single changed bit or length explains it better.
 */
import { ADLER32_START, adler32 } from "./adler32.ts";
import { ENTRY_MIN_BYTES, RECORD_END, RECORD_HEADER_BYTES } from "./txn-log-format.ts";

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;
const ADLER_MODULUS = 65521;
/** The inverse of 2 modulo ADLER_MODULUS. */
const HALF = 32761;
/** A zero run this short at a record's start may be the checksum's own upper half, which holds nothing. */
const CHECKSUM_BYTES = 8;
const CHECKSUM_AT = 4;

/**
 * @param bytes from the start of the bad record to the end of the file.
 * @param fileOffset where that is in the file.
 * @returns true if it may be cut off, false if it is corruption.
 */
export function looksTorn(bytes: Uint8Array, fileOffset: number): boolean {
  if (bytes.length < RECORD_HEADER_BYTES) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const checksum = view.getUint32(4);
  const size = view.getInt32(8);
  if (view.getUint32(0) !== 0 || size < 0) return false;
  if (isWholeUnderAnotherLength(bytes, checksum)) return false;
  const end = RECORD_HEADER_BYTES + size;
  if (end >= bytes.length) return true;
  const computed = adler32(bytes, RECORD_HEADER_BYTES, end);
  if (computed === checksum) return bytes[end] === 0;
  if (differsInOneBit(computed, checksum)) return false;
  if (oneBitExplains(bytes.subarray(RECORD_HEADER_BYTES, end), computed, checksum)) return false;
  return hasLostSector(bytes, end + 1, fileOffset) || hasLostChecksum(fileOffset, computed, checksum);
}

/** The checksum is that of an entry that begins here and ends before some 'B': only the length is wrong. */
function isWholeUnderAnotherLength(bytes: Uint8Array, checksum: number): boolean {
  let adler = ADLER32_START;
  let summedTo = RECORD_HEADER_BYTES;
  const first = RECORD_HEADER_BYTES + ENTRY_MIN_BYTES;
  for (let at = bytes.indexOf(RECORD_END, first); at !== -1; at = bytes.indexOf(RECORD_END, at + 1)) {
    adler = adler32(bytes, summedTo, at, adler);
    summedTo = at;
    if (adler === checksum) return true;
  }
  return false;
}

function differsInOneBit(a: number, b: number): boolean {
  const difference = (a ^ b) >>> 0;
  return (difference & (difference - 1)) === 0;
}

/**
 * Would turning one bit of the entry give the stored checksum? Bit k of the byte `left` places before the end changes
 * the first sum by 2^k and the second by 2^k × left, so the two differences give k and `left`.
 */
function oneBitExplains(entry: Uint8Array, computed: number, stored: number): boolean {
  const changeA = mod((stored & 0xffff) - (computed & 0xffff));
  const changeB = mod((stored >>> 16) - (computed >>> 16));
  let inverse = 1;
  for (let bit = 1; bit <= 0x80; bit *= 2) {
    const toggles = [
      { wasSet: false, left: changeA === bit ? mod(changeB * inverse) : -1 },
      { wasSet: true, left: changeA === ADLER_MODULUS - bit ? mod(-mod(changeB * inverse)) : -1 },
    ];
    for (const { wasSet, left } of toggles) {
      if (left === -1) continue;
      for (let at = entry.length - left; at >= 0; at -= ADLER_MODULUS) {
        if (at < entry.length && (((entry[at] as number) & bit) !== 0) === wasSet) return true;
      }
    }
    inverse = mod(inverse * HALF);
  }
  return false;
}

function mod(value: number): number {
  const rest = value % ADLER_MODULUS;
  return rest < 0 ? rest + ADLER_MODULUS : rest;
}

function hasLostSector(bytes: Uint8Array, recordEnd: number, fileOffset: number): boolean {
  let from = 0;
  while (from < recordEnd) {
    const toSectorEnd = SECTOR_BYTES - ((fileOffset + from) % SECTOR_BYTES);
    const to = Math.min(from + toSectorEnd, recordEnd);
    if (to >= CHECKSUM_BYTES && isZero(bytes, from, to)) return true;
    from = to;
  }
  return false;
}

/** A sector ends within the checksum and was lost: what is left of the checksum is right. */
function hasLostChecksum(fileOffset: number, computed: number, checksum: number): boolean {
  const lostBytes = SECTOR_BYTES - (fileOffset % SECTOR_BYTES) - CHECKSUM_AT;
  if (lostBytes < 1 || lostBytes >= CHECKSUM_BYTES - CHECKSUM_AT) return false;
  return checksum === (computed & (0xffff_ffff >>> (8 * lostBytes))) >>> 0;
}

export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
