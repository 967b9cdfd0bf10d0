/**
 * CRC-32 as zlib computes it, eight or sixteen bytes at a step. The tree digest is made of these; a server may inject a
 * faster function of the same meaning.
 */

/**
 * The checksum of `bytes[start, end)` as an unsigned 32-bit integer, continued from `seed`: 0 to begin with, otherwise
 * the checksum of all that came before.
 */
export type Crc32 = (bytes: Uint8Array, start: number, end: number, seed: number) => number;

const POLYNOMIAL = 0xedb88320;
const T = sliceTables();

// Table 0 advances the checksum by one byte; table n says what a byte does that lies n bytes further back.
function sliceTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[i] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const nearer = tables[i - 256] as number;
    tables[i] = (nearer >>> 8) ^ (tables[nearer & 0xff] as number);
  }
  return tables;
}

export const crc32: Crc32 = (bytes, start, end, seed) => {
  let crc = ~seed;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    crc ^= (bytes[i] as number) | ((bytes[i + 1] as number) << 8);
    crc ^= ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
    crc =
      (T[0x700 | (crc & 0xff)] as number) ^
      (T[0x600 | ((crc >>> 8) & 0xff)] as number) ^
      (T[0x500 | ((crc >>> 16) & 0xff)] as number) ^
      (T[0x400 | (crc >>> 24)] as number) ^
      (T[0x300 | (bytes[i + 4] as number)] as number) ^
      (T[0x200 | (bytes[i + 5] as number)] as number) ^
      (T[0x100 | (bytes[i + 6] as number)] as number) ^
      (T[bytes[i + 7] as number] as number);
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ (T[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return ~crc >>> 0;
};

/**
 * The same of `view[start, end)`, sixteen bytes at a step, as a signed integer: what a view reads four bytes of at once
 * is faster from it.
 */
export function crc32OfView(view: DataView, start: number, end: number, seed: number): number {
  let crc = ~seed;
  let i = start;
  for (; i + 16 <= end; i += 16) {
    const b = view.getInt32(i + 4, true);
    const c = view.getInt32(i + 8, true);
    const d = view.getInt32(i + 12, true);
    crc = fourBytes(0xc00, crc ^ view.getInt32(i, true)) ^ fourBytes(0x800, b) ^ fourBytes(0x400, c) ^ fourBytes(0, d);
  }
  for (; i + 4 <= end; i += 4) crc = fourBytes(0, crc ^ view.getInt32(i, true));
  for (; i < end; i++) crc = (crc >>> 8) ^ (T[(crc ^ view.getUint8(i)) & 0xff] as number);
  return ~crc;
}

/** What four bytes do that have as many bytes behind them as `tables` says. */
function fourBytes(tables: number, bytes: number): number {
  return (
    (T[tables + 0x300 + (bytes & 0xff)] as number) ^
    (T[tables + 0x200 + ((bytes >>> 8) & 0xff)] as number) ^
    (T[tables + 0x100 + ((bytes >>> 16) & 0xff)] as number) ^
    (T[tables + (bytes >>> 24)] as number)
  );
}
