/**
 * Bytes that have arrived and are not yet understood, in one piece of memory, behind a reader. What arrives is lent: it
 * is read where it lies, and only what is left over when its memory is taken back is copied, to a place of our own that
 * is used again and again. It grows to twice what waits at most.
 */
import { Reader } from "@vivarium/jute";

const EMPTY = new Uint8Array(0);
/** Memory that one large packet needed is not kept beyond this. */
const KEPT_BYTES = 1 << 20;

export class ByteQueue {
  /** A window on all that waits, good until the next `append` or `keep`. Whoever reads moves it on. */
  readonly reader = new Reader(EMPTY);
  #own = EMPTY;

  /** `chunk` must stay as it is until `keep`. */
  append(chunk: Uint8Array): void {
    const { reader } = this;
    const waiting = reader.remaining;
    if (waiting === 0) return reader.reset(chunk, 0, chunk.length);
    // A large packet comes in many chunks: what is there of it must not be moved for each.
    const hasRoom = reader.bytes === this.#own && reader.end + chunk.length <= this.#own.length;
    if (!hasRoom) this.#moveTo(waiting + chunk.length);
    this.#own.set(chunk, reader.end);
    reader.end += chunk.length;
  }

  /** The memory of the last chunk is taken back. */
  keep(): void {
    const { reader } = this;
    if (reader.remaining === 0) this.clear();
    else if (reader.bytes !== this.#own) this.#moveTo(reader.remaining);
  }

  clear(): void {
    this.reader.reset(EMPTY, 0, 0);
    if (this.#own.length > KEPT_BYTES) this.#own = EMPTY;
  }

  /** Moves what waits to the beginning of our own memory, which has room for so many bytes then. */
  #moveTo(size: number): void {
    const { reader } = this;
    const { bytes, offset, end, remaining } = reader;
    if (size > this.#own.length) this.#own = new Uint8Array(Math.max(size, 2 * remaining));
    if (bytes === this.#own) bytes.copyWithin(0, offset, end);
    else this.#own.set(bytes.subarray(offset, end));
    reader.reset(this.#own, 0, remaining);
  }
}
