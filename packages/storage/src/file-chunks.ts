/**
 * Reads a file from its start to its end, one chunk ahead of who works on it: recovery has hundreds of megabytes to go
 * through, and the disk need not wait for that.
 */
import type { DiskFile } from "@vivarium/runtime";

export const CHUNK_BYTES = 1024 * 1024;

/** Each chunk is valid until the next is asked for. Meanwhile that is read already. */
export async function* fileChunks(file: DiskFile): AsyncGenerator<Uint8Array, void, void> {
  const sizeBytes = Math.min(CHUNK_BYTES, await file.size());
  let chunk = new Uint8Array(sizeBytes);
  let other = new Uint8Array(sizeBytes);
  let position = 0;
  const read = (into: Uint8Array): Promise<number> => {
    const reading = file.read(into, position);
    // It may fail before anyone waits for it.
    reading.catch(() => {});
    return reading;
  };
  let reading = read(chunk);
  try {
    for (let count = await reading; count > 0; count = await reading) {
      position += count;
      reading = read(other);
      yield chunk.subarray(0, count);
      [chunk, other] = [other, chunk];
    }
  } finally {
    // Who stops early closes the file, and must not do so under a read.
    await reading.catch(() => {});
  }
}
