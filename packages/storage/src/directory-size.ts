import { join } from "node:path";
import type { Disk } from "@vivarium/runtime";

/** The lengths of all files under `directory`, reserved space included, as Apache counts them. */
export async function directorySizeBytes(disk: Disk, directory: string): Promise<number> {
  let total = 0;
  for (const name of await disk.readDirectory(directory)) {
    const path = join(directory, name);
    const found = await disk.stat(path);
    if (found === null) continue;
    total += found.kind === "directory" ? await directorySizeBytes(disk, path) : found.sizeBytes;
  }
  return total;
}
