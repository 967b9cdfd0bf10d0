/**
 * The memory in which log entries are made: chunks that many entries share. Where nobody keeps an entry beyond its
 * transaction's being applied, a chunk is used again once all that lies in it are; otherwise it is left to whoever does.
 */
import { Writer } from "@vivarium/jute";
import type { Zxid } from "@vivarium/protocol";

const CHUNK_BYTES = 64 * 1024;
/** Chunks that wait to be used again, at most. */
const SPARE_CHUNKS = 32;

interface FullChunk {
  readonly writer: Writer;
  /** Every entry in it is of this zxid or an earlier one. */
  readonly lastZxid: Zxid;
}

export class EntryMemory {
  /** Where the next entry is made, behind those before it. */
  writer = new Writer(CHUNK_BYTES);
  readonly #reuses: boolean;
  readonly #full: FullChunk[] = [];
  readonly #spare: Writer[] = [];

  /** @param reuses whether an entry is of no use to anybody once its transaction is applied */
  constructor(reuses: boolean) {
    this.#reuses = reuses;
  }

  /** Makes room for an entry of that size, whose zxid comes after those of all before it. */
  reserve(bytes: number, zxid: Zxid): void {
    if (this.writer.bytes.length - this.writer.length >= bytes) return;
    if (this.#reuses && this.writer.bytes.length === CHUNK_BYTES) {
      this.#full.push({ writer: this.writer, lastZxid: zxid - 1 });
    }
    const spare = bytes <= CHUNK_BYTES ? this.#spare.pop() : undefined;
    this.writer = spare ?? new Writer(Math.max(CHUNK_BYTES, bytes));
  }

  /** All transactions up to this one are applied. */
  applied(zxid: Zxid): void {
    while (this.#full.length > 0 && (this.#full[0] as FullChunk).lastZxid <= zxid) {
      const { writer } = this.#full.shift() as FullChunk;
      if (this.#spare.length === SPARE_CHUNKS) continue;
      writer.reset();
      this.#spare.push(writer);
    }
  }
}
