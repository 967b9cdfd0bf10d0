/**
 * What a dead process wrote is read back whole from the operating system's memory, whether or not it ever reached the
 * disk. So before a server builds on what it found, it makes that safe.
 *
 * To sync the file is not enough. When a sync fails, the system gives up on what it was to save but goes on showing it,
 * and later syncs succeed without it. The process died of that error, so its last group may be such a thing: it is
 * written once more, with the same bytes. (Found by the simulator.)
 */
import { dirname } from "node:path";
import type { Disk, DiskFile } from "@vivarium/runtime";
import { storageErrorFrom } from "./storage-error.ts";

export interface MakeDurableOptions {
  /** Where the content ends that was perhaps written by a sync that failed. */
  end: number;
  /** How much one sync writes at most. */
  sizeBytes: number;
}

export async function makeDurable(disk: Disk, path: string, doubtful?: MakeDurableOptions): Promise<void> {
  try {
    const file = await disk.open(path, "update");
    try {
      if (doubtful !== undefined) await writeAgain(file, doubtful);
      await file.datasync();
    } finally {
      await file.close();
    }
    await disk.syncDirectory(dirname(path));
  } catch (error) {
    throw storageErrorFrom(error, path, "syncing");
  }
}

async function writeAgain(file: DiskFile, { end, sizeBytes }: MakeDurableOptions): Promise<void> {
  const start = Math.max(0, end - sizeBytes);
  const bytes = new Uint8Array(end - start);
  const count = await file.read(bytes, start);
  await file.write(bytes.subarray(0, count), start);
}
