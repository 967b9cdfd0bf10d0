// A log record as one line of text: for people, or JSON for programs.
//
//   text   2026-11-23T10:15:02.114Z WARN  fsync was slow  ms=1820 file=log.1a
//   JSON   {"time":"2026-11-23T10:15:02.114Z","level":"warn","message":"fsync was slow","ms":1820,"file":"log.1a"}
//
// Invariant: one record is exactly one line, whatever a client put into a path or a name: control characters are escaped, so
// that nobody can forge a line or a terminal sequence.

import { styleText } from "node:util";
import type { LogLevel, LogRecord } from "./logger.ts";

export type LineFormat = (record: LogRecord) => string;

export interface TextFormatOptions {
  /** Colours the level, for a terminal. Default false. */
  readonly colour?: boolean;
  /** Adds where errors come from, for finding a fault. Default false. */
  readonly stacks?: boolean;
}

const levelColours = { error: "red", warn: "yellow", info: "green", debug: "gray" } as const satisfies Record<
  LogLevel,
  string
>;

/** Lines for people. */
export function textFormat(options: TextFormatOptions = {}): LineFormat {
  const { colour = false, stacks = false } = options;
  return ({ timeMs, level, message, fields }) => {
    const word = level.toUpperCase().padEnd(5);
    const shown = colour ? styleText(levelColours[level], word, { validateStream: false }) : word;
    let line = `${new Date(timeMs).toISOString()} ${shown} ${printable(message)}`;
    let gap = "  ";
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      line += `${gap}${name}=${textValue(value)}`;
      gap = " ";
      if (stacks && value instanceof Error) line += ` at=${quoteIfNeeded(framesOf(value))}`;
    }
    return `${line}\n`;
  };
}

export const jsonFormat: LineFormat = ({ timeMs, level, message, fields }) => {
  const line = { time: new Date(timeMs).toISOString(), level, message };
  const extra: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) extra[name in line ? `${name}_` : name] = jsonValue(value);
  return `${JSON.stringify({ ...line, ...extra })}\n`;
};

function textValue(value: unknown): string {
  if (typeof value === "string") return quoteIfNeeded(value);
  if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof Error) return quoteIfNeeded(value.message);
  return quoteIfNeeded(safeJson(value));
}

function framesOf(error: Error): string {
  const frames = error.stack?.split("\n").filter((line) => line.startsWith("    at ")) ?? [];
  return frames.map((line) => line.slice("    at ".length)).join(" < ");
}

// Blanks, quotes and = would make a field's end unclear.
function quoteIfNeeded(text: string): string {
  return /^[^\s"=\p{C}]+$/u.test(text) ? text : JSON.stringify(text).replace(unprintable, escaped);
}

const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

function printable(text: string): string {
  return text.replace(unprintable, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function jsonValue(value: unknown): unknown {
  if (value instanceof Error) return { message: value.message, stack: value.stack, ...causeOf(value) };
  if (typeof value === "bigint") return String(value);
  if (typeof value === "object" && value !== null) return JSON.parse(safeJson(value));
  return value;
}

function causeOf(error: Error): { cause?: unknown } {
  return error.cause === undefined ? {} : { cause: String(error.cause) };
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part)) ?? "null";
  } catch {
    return '"[cannot be shown]"';
  }
}
