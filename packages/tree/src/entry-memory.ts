/**
 * The memory in which log entries are made, or kept: chunks that many entries share. Where it is known until when an
 * entry is looked at, a chunk is used again after that; otherwise it is left to the garbage collector.
 */
import { Writer } from "@vivarium/jute";
import type { Zxid } from "@vivarium/protocol";

const CHUNK_BYTES = 64 * 1024;
/** Chunks that wait to be used again, at most. */
const SPARE_CHUNKS = 32;

/** Up to which zxid nobody looks at entries any more; it never goes back. */
export type Released = () => Zxid;

interface FullChunk {
  readonly writer: Writer;
  /** Every entry in it is of this zxid or an earlier one. */
  readonly lastZxid: Zxid;
}

export class EntryMemory {
  /** Where the next entry is made, behind those before it. */
  writer = new Writer(CHUNK_BYTES);
  readonly #released: Released | undefined;
  readonly #full: FullChunk[] = [];
  readonly #spare: Writer[] = [];
  #lastZxid: Zxid = -1;

  constructor(released?: Released) {
    this.#released = released;
  }

  /** Makes room for an entry of that size. */
  reserve(bytes: number, zxid: Zxid): void {
    if (this.writer.bytes.length - this.writer.length < bytes) this.#nextChunk(bytes);
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
  }

  /** A copy of an entry that is only lent. */
  keep(entry: Uint8Array, zxid: Zxid): Uint8Array {
    this.reserve(entry.length, zxid);
    const start = this.writer.length;
    this.writer.raw(entry);
    return this.writer.bytes.subarray(start, this.writer.length);
  }

  #nextChunk(bytes: number): void {
    const { writer } = this;
    if (this.#released !== undefined) {
      if (writer.bytes.length === CHUNK_BYTES) this.#full.push({ writer, lastZxid: this.#lastZxid });
      this.#takeBack(this.#released());
    }
    const spare = bytes <= CHUNK_BYTES ? this.#spare.pop() : undefined;
    this.writer = spare ?? new Writer(Math.max(CHUNK_BYTES, bytes));
  }

  #takeBack(released: Zxid): void {
    for (let first = this.#full[0]; first !== undefined && first.lastZxid <= released; first = this.#full[0]) {
      this.#full.shift();
      if (this.#spare.length === SPARE_CHUNKS) continue;
      first.writer.reset();
      this.#spare.push(first.writer);
    }
  }
}
