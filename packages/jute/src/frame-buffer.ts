/**
 * Cuts a byte stream into frames: int length, then that many bytes. Chunks go in as the network delivers them; frames
 * come out one at a time, so that a connection under back-pressure simply stops asking.
 *
 *   append(chunk) … next() → true: the frame is bytes[start, end) … next() → false: more chunks needed
 *
 * Frames that lie whole in one chunk are not copied. Of a frame in pieces, no more memory is held than twice what has
 * arrived, whatever length its first bytes claim.
 */
import { ProtocolError } from "./protocol-error.ts";

const EMPTY = new Uint8Array(0);

export class FrameBuffer {
  /** The memory that holds the current frame. */
  bytes: Uint8Array = EMPTY;
  /** First byte of the current frame's payload. */
  start = 0;
  /** After the last byte of the current frame's payload. */
  end = 0;

  /** Largest payload accepted, in bytes. */
  maxFrameBytes: number;
  /** What the operator knows that limit as. */
  readonly #limit: string;
  #read = 0;
  #filled = 0;
  /** True while `bytes` is memory of our own, into which later chunks are copied. */
  #owned = false;

  constructor(maxFrameBytes: number, limit = "jute.maxbuffer") {
    this.maxFrameBytes = maxFrameBytes;
    this.#limit = limit;
  }

  /** Bytes received that belong to no frame handed out so far. */
  get pending(): number {
    return this.#filled - this.#read;
  }

  append(chunk: Uint8Array): void {
    const pending = this.pending;
    if (pending === 0) {
      this.bytes = chunk;
      this.#owned = false;
      this.#read = 0;
      this.#filled = chunk.length;
      return;
    }
    const total = pending + chunk.length;
    if (!this.#owned || this.#filled + chunk.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(total, pending * 2));
      grown.set(this.bytes.subarray(this.#read, this.#filled));
      this.bytes = grown;
      this.#owned = true;
      this.#read = 0;
      this.#filled = pending;
    }
    this.bytes.set(chunk, this.#filled);
    this.#filled += chunk.length;
  }

  /** The next four bytes as an integer without taking them, or undefined until they are there. */
  peekInt(): number | undefined {
    if (this.pending < 4) return undefined;
    const b = this.bytes;
    const i = this.#read;
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
    if (this.pending < 4 + size) return false;
    this.start = this.#read + 4;
    this.end = this.start + size;
    this.#read = this.end;
    return true;
  }

  /** Takes `size` bytes that are no frame (a four-letter word's argument), or undefined until they are there. */
  take(size: number): Uint8Array | undefined {
    if (this.pending < size) return undefined;
    const taken = this.bytes.subarray(this.#read, this.#read + size);
    this.#read += size;
    return taken;
  }
}
