/**
 * Reads jute values from a window of a buffer, in place. Anything that does not fit the window is a
 * {@link ProtocolError}: a length or a count can never make the reader allocate more than was received.
 */
import { copyOf } from "./copy.ts";
import { ProtocolError } from "./protocol-error.ts";
import { utf8Read } from "./utf8.ts";

const TWO_POW_32 = 0x1_0000_0000;

export class Reader {
  bytes: Uint8Array;
  view: DataView;
  /** Offset in `bytes` of the next byte to read. */
  offset: number;
  /** Offset after the last byte of the window. */
  end: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = start;
    this.end = end;
  }

  /** Points this reader at another window, so that a hot path needs only one reader. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.offset = start;
    this.end = end;
  }

  /** Points this reader at all of `bytes`: cheap where they lie in the same memory as what it read before. */
  over(bytes: Uint8Array): void {
    const { buffer, byteOffset } = bytes;
    if (this.view.buffer !== buffer || this.view.byteOffset !== 0) this.reset(new Uint8Array(buffer), 0, 0);
    this.offset = byteOffset;
    this.end = byteOffset + bytes.length;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Moves past `size` bytes and returns where they began. */
  skip(size: number): number {
    const at = this.offset;
    if (size < 0 || size > this.end - at) {
      throw new ProtocolError(`${size} bytes expected at offset ${at}, but only ${this.end - at} are there`);
    }
    this.offset = at + size;
    return at;
  }

  byte(): number {
    return this.bytes[this.skip(1)] as number;
  }

  bool(): boolean {
    return this.byte() !== 0;
  }

  int(): number {
    return this.view.getInt32(this.skip(4));
  }

  long(): bigint {
    return this.view.getBigInt64(this.skip(8));
  }

  /** A 64-bit integer that must be exact as a JavaScript number. */
  number(): number {
    const at = this.skip(8);
    const value = this.view.getInt32(at) * TWO_POW_32 + this.view.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) {
      throw new ProtocolError(`the 64-bit value ${this.view.getBigInt64(at)} at offset ${at} is beyond 2^53`);
    }
    return value;
  }

  /** The length of a buffer or string that follows: -1 for null, otherwise it is known to fit. */
  size(): number {
    const size = this.int();
    if (size < -1 || size > this.end - this.offset) {
      throw new ProtocolError(`unreasonable length ${size} with ${this.end - this.offset} bytes left`);
    }
    return size;
  }

  /** A window on the underlying memory: copy it before keeping it. */
  bufferView(): Uint8Array | null {
    const size = this.size();
    if (size === -1) return null;
    const at = this.skip(size);
    return this.bytes.subarray(at, at + size);
  }

  /** A buffer in memory of its own. */
  buffer(): Uint8Array | null {
    const size = this.size();
    if (size === -1) return null;
    const at = this.skip(size);
    return copyOf(this.bytes, at, at + size);
  }

  nullableUstring(): string | null {
    const size = this.size();
    if (size === -1) return null;
    const at = this.skip(size);
    return utf8Read(this.bytes, at, at + size);
  }

  ustring(): string {
    const text = this.nullableUstring();
    if (text === null) throw new ProtocolError(`a null string where one is required, before offset ${this.offset}`);
    return text;
  }

  /**
   * The number of items of a vector: -1 for null; less than that is none at all, as Java reads it. Each item takes at
   * least one byte, so a larger count is refused.
   */
  count(): number {
    const count = this.int();
    if (count > this.end - this.offset) {
      throw new ProtocolError(`unreasonable item count ${count} with ${this.end - this.offset} bytes left`);
    }
    return count;
  }
}
