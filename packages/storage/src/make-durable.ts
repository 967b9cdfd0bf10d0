/**
 * Files that a killed process wrote but did not sync are read back whole, until the power fails. So before a server
 * builds on what it found, it syncs it.
 */
import { dirname } from "node:path";
import type { Disk } from "@vivarium/runtime";
import { storageErrorFrom } from "./storage-error.ts";

export async function makeDurable(disk: Disk, path: string): Promise<void> {
  try {
    const file = await disk.open(path, "update");
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    await disk.syncDirectory(dirname(path));
  } catch (error) {
    throw storageErrorFrom(error, path, "syncing");
  }
}
