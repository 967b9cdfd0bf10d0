/**
 * The memory in which log entries are made, or kept: chunks that many entries share. Where it is known until when an
 * entry is looked at, a chunk is used again after that; otherwise it is left to the garbage collector.
 */
import { SpareMemory, Writer } from "@vivarium/jute";
import type { Zxid } from "@vivarium/protocol";

const CHUNK_BYTES = 64 * 1024;
/** Of chunks that wait to be used again, at most. */
const SPARE_BYTES = 16 << 20;

/** Up to which zxid nobody looks at entries any more; it never goes back. */
export type Released = () => Zxid;

interface FullChunk {
  readonly memory: Uint8Array;
  /** Every entry in it is of this zxid or an earlier one. */
  readonly lastZxid: Zxid;
}

export class EntryMemory {
  /** Where the next entry is made, behind those before it. */
  readonly writer = new Writer(CHUNK_BYTES);
  readonly #released: Released | undefined;
  readonly #full: FullChunk[] = [];
  readonly #spare = new SpareMemory(SPARE_BYTES);
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
      this.#full.push({ memory: writer.bytes, lastZxid: this.#lastZxid });
      this.#takeBack(this.#released());
    }
    writer.moveTo(this.#spare.take(Math.max(CHUNK_BYTES, bytes)));
  }

  #takeBack(released: Zxid): void {
    for (let first = this.#full[0]; first !== undefined && first.lastZxid <= released; first = this.#full[0]) {
      this.#full.shift();
      this.#spare.give(first.memory);
    }
  }
}
