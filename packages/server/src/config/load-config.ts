// Reads the configuration files from disk: zoo.cfg, the dynamic file it may name, and myid. The only file access here.

import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "./config-error.ts";
import { type Override, type ParsedConfig, parseConfig } from "./parse-config.ts";
import { PropertiesSyntaxError, parseProperties } from "./properties.ts";

/**
 * Reads and parses a zoo.cfg, or what the command line says where there is none.
 *
 * @throws ConfigError when the file, or one that it names, cannot be read or used.
 */
export async function loadConfig(file: string | undefined, overrides: readonly Override[] = []): Promise<ParsedConfig> {
  const hint = "Check the path, or leave the file out to try a server on defaults.";
  const text = file === undefined ? undefined : await readText(file, hint);
  const named = namedFiles(text ?? "", overrides);
  const dynamicFile = named.dynamicConfigFile && resolve(dirname(file ?? ""), named.dynamicConfigFile);
  const dynamic =
    dynamicFile === undefined
      ? undefined
      : { file: dynamicFile, text: await readText(dynamicFile, "Correct dynamicConfigFile, or write the file.") };
  const idFile = named.dataDir && join(named.dataDir, "myid");
  const myid = idFile === undefined ? undefined : { file: idFile, text: await readOptional(idFile) };
  return parseConfig({ file, text, overrides, dynamic, myid });
}

/** Other files that a configuration speaks of; whether it makes sense is for parseConfig to say. */
function namedFiles(text: string, overrides: readonly Override[]): { dataDir?: string; dynamicConfigFile?: string } {
  try {
    const values = new Map(parseProperties(text).map(({ key, value }) => [key, value]));
    for (const { name, value } of overrides) values.set(name, value);
    const [dataDir, dynamicConfigFile] = [values.get("dataDir"), values.get("dynamicConfigFile")];
    return { ...(dataDir && { dataDir }), ...(dynamicConfigFile && { dynamicConfigFile }) };
  } catch (error) {
    if (error instanceof PropertiesSyntaxError) return {};
    throw error;
  }
}

async function readText(file: string, hintIfMissing: string): Promise<string> {
  try {
    return decodeConfig(await readFile(file));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const hint = code === "ENOENT" ? hintIfMissing : "";
    throw new ConfigError([{ file: undefined, line: undefined, key: file, message: reasons[code] ?? code, hint }]);
  }
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return decodeConfig(await readFile(file));
  } catch {
    return undefined;
  }
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
