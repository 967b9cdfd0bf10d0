// Reads a configuration file from disk. The only file access of this folder.

import { readFile } from "node:fs/promises";
import { ConfigError } from "./config-error.ts";
import { type Override, type ParsedConfig, parseConfig } from "./parse-config.ts";

/**
 * Reads and parses a zoo.cfg.
 *
 * @throws ConfigError when the file cannot be read or used.
 */
export async function loadConfig(file: string, overrides: readonly Override[] = []): Promise<ParsedConfig> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const hint = code === "ENOENT" ? "Check the path, or leave the file out to try a server on defaults." : "";
    throw new ConfigError([{ file: undefined, line: undefined, key: file, message: reasons[code] ?? code, hint }]);
  }
  return parseConfig({ file, text: decodeConfig(bytes), overrides });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read it",
  EISDIR: "it is a directory, not a configuration file",
};

/** UTF-8, or Latin-1 (what Java takes such files for) when the bytes are not UTF-8. */
export function decodeConfig(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}
