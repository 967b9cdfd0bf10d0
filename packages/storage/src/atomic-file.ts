/** Small text files that are either the old ones or the new ones, whatever happens: NAME.tmp, sync, rename, sync. */
import { dirname } from "node:path";
import type { Disk } from "@vivarium/runtime";
import { storageErrorFrom } from "./storage-error.ts";

const ASCII_ONLY = /^[\x20-\x7e\n]*$/;

export async function writeFileAtomically(disk: Disk, path: string, text: string): Promise<void> {
  if (!ASCII_ONLY.test(text)) throw new RangeError(`${path}: only ASCII text expected`);
  const unfinished = `${path}.tmp`;
  try {
    const file = await disk.open(unfinished, "create");
    try {
      await file.write(
        Uint8Array.from(text, (character) => character.charCodeAt(0)),
        0,
      );
      await file.datasync();
    } finally {
      await file.close();
    }
    await disk.rename(unfinished, path);
    await disk.syncDirectory(dirname(path));
  } catch (error) {
    throw storageErrorFrom(error, path, "writing");
  }
}

/** Null if there is no such file. */
export async function readSmallFile(disk: Disk, path: string): Promise<string | null> {
  try {
    if ((await disk.stat(path)) === null) return null;
    const file = await disk.open(path, "read");
    try {
      const bytes = new Uint8Array(await file.size());
      const count = await file.read(bytes, 0);
      return String.fromCharCode(...bytes.subarray(0, count));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storageErrorFrom(error, path, "reading");
  }
}
