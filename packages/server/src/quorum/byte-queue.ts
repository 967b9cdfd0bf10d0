/**
 * Bytes that have arrived and are not yet understood, in one piece of memory, behind a reader. Chunks are not copied
 * while nothing is left over from the one before; otherwise no more is held than twice what has arrived.
 */
import { Reader } from "@vivarium/jute";

const EMPTY = new Uint8Array(0);

export class ByteQueue {
  /** A window on all that waits. Whoever reads moves it on. */
  readonly reader = new Reader(EMPTY);

  /** `chunk` is this queue's to keep. */
  append(chunk: Uint8Array): void {
    const { reader } = this;
    const { bytes, offset, end, remaining } = reader;
    if (remaining === 0) {
      reader.reset(chunk, 0, chunk.length);
    } else if (end + chunk.length <= bytes.length) {
      // Only memory of our own has room behind the window: a chunk fills its memory.
      bytes.set(chunk, end);
      reader.end = end + chunk.length;
    } else {
      const grown = new Uint8Array(Math.max(remaining + chunk.length, remaining * 2));
      grown.set(bytes.subarray(offset, end));
      grown.set(chunk, remaining);
      reader.reset(grown, 0, remaining + chunk.length);
    }
  }

  clear(): void {
    this.reader.reset(EMPTY, 0, 0);
  }
}
