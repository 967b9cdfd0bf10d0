/**
 * Cuts a byte stream into frames: int length, then that many bytes. Chunks go in as the network delivers them; frames
 * come out one at a time, so that a connection under back-pressure simply stops asking.
 *
 *   append(chunk) … next() → true: the frame is bytes[start, end) … next() → false: more chunks needed … keep()
 *
 * Frames that lie whole in one chunk are not copied; of a frame in pieces, only the pieces are. Such a frame is held in
 * no more memory than twice what has arrived of it, whatever length its first bytes claim.
 */
import { ProtocolError } from "./protocol-error.ts";
import type { SpareMemory } from "./spare-memory.ts";

const EMPTY = new Uint8Array(0);

export class FrameBuffer {
  /** The memory that holds the current frame, until the next `append`, `next` or `keep`. */
  bytes: Uint8Array = EMPTY;
  /** First byte of the current frame's payload. */
  start = 0;
  /** After the last byte of the current frame's payload. */
  end = 0;

  /** Largest payload accepted, in bytes. */
  maxFrameBytes: number;
  /** What the operator knows that limit as. */
  readonly #limit: string;
  readonly #spare: SpareMemory | null;
  /** bytes[#read, #filled) is what has not been handed out. */
  #read = 0;
  #filled = 0;
  /** True while `bytes` is memory of our own, into which later chunks are copied. */
  #owned = false;
  /** What a chunk had beyond the frame that it completed: the next frames. Empty unless `bytes` is our own. */
  #rest: Uint8Array = EMPTY;

  /** @param spare where the memory of frames in pieces comes from and goes to, if its user keeps none of them */
  constructor(maxFrameBytes: number, limit = "jute.maxbuffer", spare: SpareMemory | null = null) {
    this.maxFrameBytes = maxFrameBytes;
    this.#limit = limit;
    this.#spare = spare;
  }

  /** Bytes received that belong to no frame handed out so far. */
  get pending(): number {
    return this.#filled - this.#read + this.#rest.length;
  }

  /** Takes what has arrived. The chunk must stay as it is until its frames are handed out, or until `keep`. */
  append(chunk: Uint8Array): void {
    if (this.pending === 0) return this.#lookAt(chunk);
    if (this.#rest.length > 0) this.keep();
    let missing = this.#missing();
    // Whole frames still wait before the one in pieces.
    if (missing === 0) return this.#copy(chunk, 0, chunk.length);
    let copied = 0;
    for (; missing > 0 && copied < chunk.length; missing = this.#missing()) {
      const size = Math.min(missing, chunk.length - copied);
      this.#copy(chunk, copied, size);
      copied += size;
    }
    this.#rest = copied === chunk.length ? EMPTY : chunk.subarray(copied);
  }

  /** What is left of the last chunk is copied, for its memory is about to be used for something else. */
  keep(): void {
    const rest = this.#rest;
    this.#rest = EMPTY;
    if (rest.length > 0) this.#copy(rest, 0, rest.length);
    else if (this.#filled === this.#read) this.#lookAt(EMPTY);
    else if (!this.#owned) this.#own(0);
  }

  #lookAt(chunk: Uint8Array): void {
    this.#giveBack();
    this.bytes = chunk;
    this.#owned = false;
    this.#read = 0;
    this.#filled = chunk.length;
    this.#rest = EMPTY;
  }

  /** How many bytes the first frame lacks: 0 if it is whole, infinitely many if it will be refused. */
  #missing(): number {
    const there = this.#filled - this.#read;
    if (there < 4) return 4 - there;
    const size = this.#intAt(this.#read);
    if (size < 0 || size > this.maxFrameBytes) return Number.POSITIVE_INFINITY;
    return Math.max(0, 4 + size - there);
  }

  #copy(from: Uint8Array, start: number, size: number): void {
    if (!this.#owned || this.#filled + size > this.bytes.length) this.#own(size);
    this.bytes.set(from.subarray(start, start + size), this.#filled);
    this.#filled += size;
  }

  /** Moves what is there into memory of our own, with room for that many bytes more at least. */
  #own(more: number): void {
    const there = this.#filled - this.#read;
    const size = there + Math.max(more, Math.min(this.#missing() || there, there));
    const grown = this.#spare === null ? new Uint8Array(size) : this.#spare.take(size);
    grown.set(this.bytes.subarray(this.#read, this.#filled));
    this.#giveBack();
    this.bytes = grown;
    this.#owned = true;
    this.#read = 0;
    this.#filled = there;
  }

  #giveBack(): void {
    if (this.#owned) this.#spare?.give(this.bytes);
  }

  /** The next four bytes as an integer without taking them, or undefined until they are there. */
  peekInt(): number | undefined {
    if (this.#read === this.#filled && this.#rest.length > 0) this.#lookAt(this.#rest);
    return this.#filled - this.#read < 4 ? undefined : this.#intAt(this.#read);
  }

  #intAt(i: number): number {
    const b = this.bytes;
    return ((b[i] as number) << 24) | ((b[i + 1] as number) << 16) | ((b[i + 2] as number) << 8) | (b[i + 3] as number);
  }

  /**
   * Moves to the next frame, if the whole of it has arrived.
   * @throws ProtocolError when its length is negative or over `maxFrameBytes`.
   */
  next(): boolean {
    const size = this.peekInt();
    if (size === undefined) return false;
    if (size < 0 || size > this.maxFrameBytes) {
      throw new ProtocolError(`a frame of ${size} bytes; the limit (${this.#limit}) is ${this.maxFrameBytes}`);
    }
    if (this.#filled - this.#read < 4 + size) return false;
    this.start = this.#read + 4;
    this.end = this.start + size;
    this.#read = this.end;
    return true;
  }

  /** Takes `size` bytes that are no frame (a four-letter word's argument), or undefined until they are there. */
  take(size: number): Uint8Array | undefined {
    if (this.#filled - this.#read < size) return undefined;
    const taken = this.bytes.subarray(this.#read, this.#read + size);
    this.#read += size;
    return taken;
  }
}
