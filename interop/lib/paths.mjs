// Where interop keeps things. Everything fetched or built lives under the cache, which git ignores.

import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const interopDir = dirname(dirname(fileURLToPath(import.meta.url)));
export const repoDir = dirname(interopDir);
export const cacheDir = join(interopDir, ".cache");

/** A directory inside the cache, made if missing. */
export function cached(...parts) {
  const dir = join(cacheDir, ...parts);
  mkdirSync(dir, { recursive: true });
  return dir;
}
