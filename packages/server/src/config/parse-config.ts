// From the text of zoo.cfg and the words of the command line to a ServerConfig.
//
// Flow: properties.ts → given values with their places → the table (settings.ts) reads each → settle-config.ts joins them.
// Pure: no files, no environment. Precedence: command line, then file (its last line for a key), then default.
// Invariant: all problems are collected and reported together; nothing is used of a configuration that has one.

import { readWholeNumber } from "@vivarium/protocol";
import { ConfigError, type ConfigProblem } from "./config-error.ts";
import { PropertiesSyntaxError, type PropertyEntry, parseProperties } from "./properties.ts";
import { type Given, place, type Readings } from "./readings.ts";
import type { ServerConfig } from "./server-config.ts";
import type { Setting } from "./setting.ts";
import { type BuiltField, type BuiltValues, builtSettings, findSetting } from "./settings.ts";
import { settleConfig } from "./settle-config.ts";

/** A setting given outside the file. */
export interface Override {
  /** With or without `zookeeper.`. */
  readonly name: string;
  readonly value: string;
  /** What the operator typed, for messages: `--port`. Left out: `--set <name>`. */
  readonly option?: string;
}

export interface ParseConfigOptions {
  /** Name of the file, for messages. */
  readonly file?: string | undefined;
  /** Its text; left out, the server runs on the defaults of a first try: 127.0.0.1:2181 and ./data. */
  readonly text?: string | undefined;
  readonly overrides?: readonly Override[];
  /** The file that dynamicConfigFile names. */
  readonly dynamic?: { readonly file: string; readonly text: string } | undefined;
  /** The file dataDir/myid; its text is undefined when there is none. */
  readonly myid?: { readonly file: string; readonly text: string | undefined } | undefined;
}

export interface ParsedConfig {
  readonly config: ServerConfig;
  /** What the operator should know at start: misspelt keys, settings without effect, adjusted values. */
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Reads a configuration.
 *
 * @throws ConfigError with every problem found, when there is one that stops the server.
 */
export function parseConfig(options: ParseConfigOptions): ParsedConfig {
  const { file, text, overrides = [], dynamic, myid } = options;
  const errors: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  const inFile = text === undefined ? [] : fileValues({ file, entries: readEntries(file, text), warnings });

  if (dynamic !== undefined) {
    inFile.push(...dynamicValues({ ...dynamic, entries: readEntries(dynamic.file, dynamic.text), warnings, errors }));
    inFile.push(...versionInName(dynamic.file));
  }

  const given = new Map<string, Given>();
  const patterned = new Map<string, Readings["patterned"][number]>();
  for (const { name, value } of [...inFile, ...overrides.map(overrideValue)]) {
    const found = findSetting(name);
    if (found.as === "setting") given.set(found.setting.name, value);
    else if (found.as === "pattern") patterned.set(name, { name: found.name, part: found.part, given: value });
    else warnings.push({ ...place(value), ...describeStranger(found) });
  }

  const checks = { given, errors, warnings, defaults: text === undefined ? tryOutDefaults : {} };
  const values = readBuilt(checks);
  checkOthers(checks);
  const id = readWholeNumber(myid?.text?.split(/\r?\n/, 1)[0]);
  const readings = {
    file,
    values,
    given,
    patterned: [...patterned.values()],
    id,
    idFile: myid?.file,
    errors,
    warnings,
  };
  const config = settleConfig(readings);
  const [first, ...others] = errors.sort(byLine);
  warnings.sort(byLine);
  if (first !== undefined) throw new ConfigError([first, ...others], warnings);
  return { config, warnings };
}

/** What a server without a zoo.cfg runs on: 127.0.0.1:2181, data under ./data, and the default of every other setting. */
export function defaultConfig(overrides: readonly Override[] = []): ServerConfig {
  return parseConfig({ overrides }).config;
}

// The command line's problems have no line and come last, after what concerns the file as a whole.
function byLine(left: ConfigProblem, right: ConfigProblem): number {
  return (left.line ?? Number.MAX_SAFE_INTEGER) - (right.line ?? Number.MAX_SAFE_INTEGER);
}

interface NamedValue {
  readonly name: string;
  readonly value: Given;
}

/** Without a zoo.cfg these three have a value too. */
const tryOutDefaults: Readonly<Record<string, string>> = {
  clientPort: "2181",
  clientPortAddress: "127.0.0.1",
  dataDir: "./data",
};

function overrideValue({ name, value, option }: Override): NamedValue {
  return { name, value: { key: option ?? `--set ${name}`, value: value.trim(), file: undefined, line: undefined } };
}

function readEntries(file: string | undefined, text: string): PropertyEntry[] {
  try {
    return parseProperties(text);
  } catch (error) {
    if (!(error instanceof PropertiesSyntaxError)) throw error;
    const hint = "Write the four digits, or / instead of \\ in a path.";
    throw new ConfigError([{ file, line: error.line, key: "syntax", message: error.message, hint }]);
  }
}

function fileValues(input: {
  readonly file: string | undefined;
  readonly entries: readonly PropertyEntry[];
  readonly warnings: ConfigProblem[];
}): NamedValue[] {
  const { file, entries, warnings } = input;
  const lines = new Map<string, number>();
  return entries.map(({ key, value, line }) => {
    const earlier = lines.get(key);
    if (earlier !== undefined) {
      const message = `set a second time; line ${earlier} no longer counts`;
      warnings.push({ file, line, key, message, hint: "Keep one of the two lines." });
    }
    lines.set(key, line);
    return { name: key, value: { key, value, file, line } };
  });
}

/** A dynamic file holds the membership and nothing else. */
function dynamicValues(input: Parameters<typeof fileValues>[0] & { readonly errors: ConfigProblem[] }): NamedValue[] {
  return fileValues(input).filter(({ name, value }) => {
    if (/^(server|group|weight)\.|^version$/.test(name)) return true;
    const message = "does not belong into a dynamic configuration file";
    input.errors.push({ ...place(value), message, hint: "Only server.N, group.N, weight.N and version lines do." });
    return false;
  });
}

/** Servers that reconfigure write zoo.cfg.dynamic.100000003; such a name counts more than a line. */
function versionInName(file: string): NamedValue[] {
  const value = /\.([0-9a-fA-F]{1,16})$/.exec(file)?.[1];
  return value === undefined ? [] : [{ name: "version", value: { key: "version", value, file, line: undefined } }];
}

function describeStranger(found: Exclude<ReturnType<typeof findSetting>, { as: "setting" | "pattern" }>): {
  message: string;
  hint: string;
} {
  if (found.as === "label") {
    return {
      message: "a heading of Apache's guide, not a setting; it has no effect",
      hint: `Write ${found.instead} instead.`,
    };
  }
  const hint = found.nearest === undefined ? "" : `Did you mean ${found.nearest}?`;
  return { message: "not a known setting; it has no effect", hint };
}

interface Checks {
  /** Defaults that come before those of the table. */
  readonly defaults: Readonly<Record<string, string>>;
  readonly given: ReadonlyMap<string, Given>;
  readonly errors: ConfigProblem[];
  readonly warnings: ConfigProblem[];
}

function readBuilt(checks: Checks): BuiltValues {
  const values: Partial<Record<BuiltField, unknown>> = {};
  for (const [field, setting] of Object.entries<Setting>(builtSettings)) {
    const value = checks.given.get(setting.name);
    values[field as BuiltField] =
      value === undefined ? readDefault(setting, checks) : readGiven(setting, value, checks);
  }
  // Each field was read by its own row, which is where its type comes from.
  return values as BuiltValues;
}

function readDefault(setting: Setting, { defaults }: Checks): unknown {
  const text = defaults[setting.name] ?? setting.default;
  if (text === undefined) return undefined;
  const parsed = setting.kind.parse(text);
  if ("problem" in parsed) throw new Error(`the default of ${setting.name} is not ${parsed.problem}`);
  return parsed.value;
}

/** Reads a value; with an error in it, records that and goes on with the default so that other problems are found too. */
function readGiven(setting: Setting, value: Given, checks: Checks): unknown {
  const parsed = setting.kind.parse(value.value);
  if ("problem" in parsed) {
    const example = setting.default === undefined ? "" : `, for example ${setting.name}=${setting.default}`;
    const hint = `Write ${parsed.problem}${example}.`;
    checks.errors.push({ ...place(value), message: `"${value.value}" cannot be used`, hint });
    return readDefault(setting, checks);
  }
  if (parsed.note !== undefined) {
    checks.warnings.push({ ...place(value), message: `"${value.value}": ${parsed.note}`, hint: "" });
  }
  return parsed.value;
}

/** Settings without a field: their values are checked, and those that ask for something not built yet are named. */
function checkOthers(checks: Checks): void {
  for (const [name, value] of checks.given) {
    const found = findSetting(name);
    if (found.as !== "setting" || found.setting.status === "built") continue;
    const { setting } = found;
    const parsed = readGiven(setting, value, checks);
    if (setting.form === "environment") {
      const message = "a variable of Apache's start scripts, not a setting; it has no effect";
      checks.warnings.push({ ...place(value), message, hint: setting.doc });
    } else if (setting.feature !== undefined && asksForMore(setting, parsed)) {
      const message = `belongs to ${setting.feature}, which this version does not have yet; it has no effect`;
      checks.warnings.push({ ...place(value), message, hint: "" });
    }
  }
}

function asksForMore(setting: Setting, value: unknown): boolean {
  const off = setting.off ?? setting.default;
  if (off === undefined) return true;
  const parsed = setting.kind.parse(off);
  return "problem" in parsed || String(parsed.value) !== String(value);
}
