/**
 * Writes jute values into one growing buffer: big-endian integers, length-prefixed buffers and strings, counted
 * vectors. `bytes` and `view` always see the same memory, of which the first `length` bytes are written.
 *
 * Source: jute's binary archive, as in shared fact sheet "client-protocol", conventions.
 */
import { copyOf } from "./copy.ts";
import type { SpareMemory } from "./spare-memory.ts";
import { asciiWrite, utf8Length, utf8Write } from "./utf8.ts";

export class Writer {
  bytes: Uint8Array;
  view: DataView;
  /** Bytes written so far; may be set back to take back what was written after it. */
  length = 0;
  readonly #firstGrowth: number;
  readonly #spare: SpareMemory | null;

  /**
   * @param firstGrowth how large it becomes at least when it has to grow: for who knows how much is likely to come
   * @param spare where it takes memory from when it grows, and leaves what it has grown out of
   */
  constructor(initialBytes = 256, firstGrowth = 0, spare: SpareMemory | null = null) {
    this.#firstGrowth = firstGrowth;
    this.#spare = spare;
    this.bytes = new Uint8Array(initialBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `extra` more bytes and returns the offset at which they begin. */
  reserve(extra: number): number {
    const needed = this.length + extra;
    if (needed > this.bytes.length) this.#grow(needed);
    return this.length;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, this.bytes.length * 2, this.#firstGrowth);
    const grown = this.#spare === null ? new Uint8Array(size) : this.#spare.take(size);
    grown.set(this.bytes.subarray(0, this.length));
    this.#spare?.give(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** What was written, in memory of its own. */
  copy(): Uint8Array {
    return copyOf(this.bytes, 0, this.length);
  }

  /** What was written, as a window on this writer's memory: valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  reset(): void {
    this.length = 0;
  }

  /** Goes on in other memory, at its beginning. */
  moveTo(memory: Uint8Array): void {
    this.bytes = memory;
    this.view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.length = 0;
  }

  byte(value: number): void {
    const at = this.reserve(1);
    this.bytes[at] = value;
    this.length = at + 1;
  }

  bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  int(value: number): void {
    const at = this.reserve(4);
    this.view.setInt32(at, value);
    this.length = at + 4;
  }

  long(value: bigint): void {
    const at = this.reserve(8);
    this.view.setBigInt64(at, value);
    this.length = at + 8;
  }

  /** A 64-bit integer that a JavaScript number holds exactly: zxids, times in milliseconds, sizes. */
  number(value: number): void {
    const at = this.reserve(8);
    this.view.setInt32(at, Math.floor(value / 0x1_0000_0000));
    this.view.setUint32(at + 4, value >>> 0);
    this.length = at + 8;
  }

  raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
    this.length = at + bytes.length;
  }

  /** A length-prefixed buffer; null is length -1 and stays distinct from empty. */
  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    this.int(value.length);
    this.raw(value);
  }

  /** A length-prefixed UTF-8 string; null is length -1. */
  ustring(value: string | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    const at = this.reserve(4 + value.length);
    if (asciiWrite(value, this.bytes, at + 4)) {
      this.view.setInt32(at, value.length);
      this.length = at + 4 + value.length;
      return;
    }
    const size = utf8Length(value);
    this.reserve(4 + size);
    this.view.setInt32(at, size);
    this.length = utf8Write(value, this.bytes, at + 4);
  }
}
