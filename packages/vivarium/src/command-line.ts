// The words of a command line, over node:util's parseArgs, with errors that say what was meant.
//
// parseArgs splits words into tokens and decides nothing else: which options exist, which of them need a value and what
// the help says comes from one list of OptionSpec, so that help and behaviour agree.

import { parseArgs } from "node:util";
import { nearestName } from "@vivarium/server";
import { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

export interface OptionSpec {
  /** Without its dashes. */
  readonly name: string;
  readonly short?: string;
  /** What its value is called in the help; left out, it takes none. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly doc: string;
}

export interface CommandLine {
  /** Whether an option was given. */
  has(name: string): boolean;
  /** Its last value. */
  value(name: string): string | undefined;
  /** All its values, in order. */
  values(name: string): readonly string[];
  /** The words that are no options. */
  readonly operands: readonly string[];
}

/** The command line makes no sense. The message is a sentence or two for the operator. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws UsageError for an unknown option, and for a value that is missing or too much. */
export function readCommandLine(words: readonly string[], specs: readonly OptionSpec[]): CommandLine {
  const options = Object.fromEntries(
    specs.map(({ name, short, value }) => [
      name,
      {
        type: value === undefined ? "boolean" : "string",
        multiple: true,
        ...(short === undefined ? {} : { short }),
      } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });

  const given = new Map<string, string[]>();
  const operands: string[] = [];
  let repeating: string[] | undefined;
  for (const token of tokens) {
    if (token.kind === "positional") {
      // `--set a=1 b=2`: the words behind the value of an option that may be repeated are values too, if they look alike.
      if (repeating?.[0]?.includes("=") && token.value.includes("=")) repeating.push(token.value);
      else operands.push(token.value);
      continue;
    }
    repeating = undefined;
    if (token.kind !== "option") continue;
    const spec = specs.find(({ name }) => name === token.name);
    if (spec === undefined) throw unknownOption(token.rawName, specs);
    const { value } = token;
    if (spec.value === undefined && value !== undefined) throw new UsageError(`${token.rawName} takes no value.`);
    // The next option is not a value: somebody forgot it.
    const forgotten = value === undefined || (!token.inlineValue && value.startsWith("--"));
    if (spec.value !== undefined && forgotten) {
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${spec.value}.`);
    }
    const values = given.get(spec.name) ?? [];
    values.push(value ?? "");
    given.set(spec.name, values);
    if (spec.multiple === true) repeating = values;
  }
  return {
    has: (name) => given.has(name),
    value: (name) => given.get(name)?.at(-1),
    values: (name) => given.get(name) ?? [],
    operands,
  };
}

/** The options as lines of a help text. */
export function optionsHelp(specs: readonly OptionSpec[]): string {
  const left = specs.map(({ name, short, value, multiple }) => {
    const dashes = `${short === undefined ? "" : `-${short}, `}--${name}`;
    return `${dashes}${value === undefined ? "" : ` ${value}`}${multiple === true ? " ..." : ""}`;
  });
  const width = Math.max(...left.map(({ length }) => length));
  return specs.map(({ doc }, index) => `  ${left[index]?.padEnd(width)}  ${doc}`).join("\n");
}

/** The value of an option that is a number. @throws UsageError when it is another, or none */
export function wholeNumber(
  line: CommandLine,
  { name, from, to, otherwise }: { name: string; from: number; to: number; otherwise: number },
): number {
  const text = line.value(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new UsageError(`--${name} ${text} is not a whole number from ${from} to ${to}.`);
}

function unknownOption(written: string, specs: readonly OptionSpec[]): UsageError {
  const nearest = nearestName(
    written.replace(/^-+/, ""),
    specs.map(({ name }) => name),
  );
  return new UsageError(`there is no option ${written}.${nearest === undefined ? "" : ` Did you mean --${nearest}?`}`);
}

/**
 * What the words after a command ask for, as `readPlan` makes it of them; the exit code instead when they ask for the help,
 * or make no sense: then the user has been told.
 */
export function planOf<Plan extends object>(
  command: {
    readonly name: string;
    readonly words: readonly string[];
    readonly options: readonly OptionSpec[];
    readonly help: string;
    /** @throws UsageError */
    readPlan(line: CommandLine): Plan;
  },
  terminal: Terminal,
): Plan | ExitCode {
  try {
    const line = readCommandLine(command.words, command.options);
    if (!line.has("help")) return command.readPlan(line);
    terminal.print(command.help);
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.complain(`vivarium ${command.name}: ${error.message}\n`);
    return ExitCode.invalidInvocation;
  }
}
