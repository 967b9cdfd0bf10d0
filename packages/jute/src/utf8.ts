/**
 * UTF-8 as jute's `ustring` carries it, without help from the platform: the pure rooms know neither Buffer nor I/O.
 *
 * Writing is standard UTF-8. (Apache's Java writer encodes each UTF-16 unit on its own, but its reader decodes
 * standard UTF-8, so what we write is read right by every implementation.) Malformed input decodes to U+FFFD, as in
 * Java, and paths refuse that character.
 */

interface Utf8Decoder {
  decode(bytes: Uint8Array): string;
}
// Both browsers and Node.js have TextDecoder, but the language's own library does not declare it.
declare const TextDecoder: new (label: string, options: { ignoreBOM: boolean }) => Utf8Decoder;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Number of bytes that `text` takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      bytes += 1;
    } else {
      bytes += 2;
      // A surrogate pair is four bytes for its two units.
      if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) i++;
    }
  }
  return bytes;
}

/** Writes `text` at `offset` if it is plain ASCII and there is room for it: what paths are, in one look at each letter. */
export function asciiWrite(text: string, target: Uint8Array, offset: number): boolean {
  const { length } = text;
  if (offset + length > target.length) return false;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return false;
    target[offset + i] = unit;
  }
  return true;
}

/** Writes `text` at `offset`, where `utf8Length(text)` bytes must be free, and returns the offset after it. */
export function utf8Write(text: string, target: Uint8Array, offset: number): number {
  let at = offset;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      target[at++] = code;
      continue;
    }
    if (code < 0x800) {
      target[at++] = 0xc0 | (code >> 6);
      target[at++] = 0x80 | (code & 0x3f);
      continue;
    }
    if (isHighSurrogate(code) && isLowSurrogate(text.charCodeAt(i + 1))) {
      code = 0x10000 + ((code - 0xd800) << 10) + (text.charCodeAt(++i) - 0xdc00);
      target[at++] = 0xf0 | (code >> 18);
      target[at++] = 0x80 | ((code >> 12) & 0x3f);
    } else {
      if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
      target[at++] = 0xe0 | (code >> 12);
    }
    target[at++] = 0x80 | ((code >> 6) & 0x3f);
    target[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}

/** The text of `bytes[start, end)`. */
export function utf8Read(bytes: Uint8Array, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    if ((bytes[i] as number) >= 0x80) return decoder.decode(bytes.subarray(start, end));
  }
  return ascii(bytes, start, end);
}

/** Arrays of each length up to this, for `ascii` to hand its units over in. */
const UNITS_LIMIT = 256;
const units: number[][] = Array.from({ length: UNITS_LIMIT + 1 }, (_, length) => new Array<number>(length).fill(0));

// Paths are nearly always short ASCII: made at one go they are flat strings and need no call into the platform.
function ascii(b: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > UNITS_LIMIT) return decoder.decode(b.subarray(start, end));
  const codes = units[length] as number[];
  for (let i = 0; i < length; i++) codes[i] = b[start + i] as number;
  return String.fromCharCode.apply(null, codes);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
