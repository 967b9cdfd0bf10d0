/**
 * Keeps the records of requests that have to wait, for what a socket delivers is only lent. They are small and many,
 * so they share memory; it goes when the last request of it is answered.
 */
import { copyBytes } from "@vivarium/jute";
import type { RequestFrame } from "./client-connection.ts";

/** Records are cut from memory of this size. */
const CHUNK_BYTES = 16 * 1024;
/** A longer record gets memory of its own. */
const LARGE_BYTES = CHUNK_BYTES / 8;

export class RecordMemory {
  #chunk = new Uint8Array(0);
  #used = 0;

  /** A copy of bytes[start, end). */
  keep(bytes: Uint8Array, start: number, end: number): RequestFrame {
    const size = end - start;
    if (size > LARGE_BYTES) return { bytes: Uint8Array.prototype.slice.call(bytes, start, end), start: 0, end: size };
    if (this.#chunk.length - this.#used < size) {
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    const chunk = this.#chunk;
    this.#used = at + size;
    copyBytes(bytes, start, size, chunk, at);
    return { bytes: chunk, start: at, end: at + size };
  }
}
