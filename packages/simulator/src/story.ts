/** What to tell people about a seed that broke a promise: the promise, the lines that led there, the way to see it again. */
import type { SeedReport } from "./run-seed.ts";
import { formatLine, type TraceLine } from "./world/trace.ts";

/** Lines that matter whatever the violation is about. */
const ALWAYS: readonly string[] = ["seed", "fault", "phase", "server", "crash", "check"];
const LONGEST_LINE = 200;

export interface StoryOptions {
  /** Lines at most. */
  limit?: number;
}

export function story(report: SeedReport, { limit = 40 }: StoryOptions = {}): string {
  const { violation, seed, servers, trace, stack } = report;
  if (violation === null) return "";
  const lines = trace.filter((line) => isTold(line, violation.about)).map((line) => cut(formatLine(line)));
  const left = lines.length - limit;
  const told = left > 0 ? [`… ${left} lines before`, ...lines.slice(left)] : lines;
  return [
    `seed ${seed}, ${servers} servers: ${violation.rule}`,
    `  ${violation.what}`,
    ...(stack === "" ? [] : [stack]),
    "",
    ...told.map((line) => `  ${line}`),
    "",
    `replay: ${replayCommand(report)}`,
  ].join("\n");
}

export function replayCommand({ seed, servers, worlds }: Pick<SeedReport, "seed" | "servers" | "worlds">): string {
  return `npm run sim -- --seed ${seed} --servers ${servers} --worlds ${worlds} --trace`;
}

function isTold({ kind, who, what }: TraceLine, about: readonly string[]): boolean {
  if (ALWAYS.includes(kind)) return true;
  return about.some((word) => who === word || what.includes(word));
}

function cut(line: string): string {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
