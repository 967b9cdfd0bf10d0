/** What a batch of seeds has been through, in numbers that can be added up. */
import type { WorldChoice } from "../faults/swarm.ts";
import type { SeedReport } from "../run-seed.ts";
import { replayCommand, story } from "../story.ts";

export interface Failure {
  readonly seed: number;
  readonly servers: number;
  readonly worlds: WorldChoice;
  readonly rule: string;
  readonly story: string;
}

export interface Tally {
  seeds: number;
  /** Seeds whose world had so many voting servers. */
  readonly sizes: Record<string, number>;
  /** Seeds whose world had observers too. */
  observed: number;
  simulatedMs: number;
  events: number;
  operations: number;
  acknowledged: number;
  committed: number;
  readonly faults: Record<string, number>;
  readonly failures: Failure[];
}

export function emptyTally(): Tally {
  return {
    seeds: 0,
    sizes: {},
    observed: 0,
    simulatedMs: 0,
    events: 0,
    operations: 0,
    acknowledged: 0,
    committed: 0,
    faults: {},
    failures: [],
  };
}

export function tallyOf(report: SeedReport): Tally {
  const { simulatedMs, events, operations, acknowledged, committed, faults, violation } = report;
  const { seed, servers, worlds, observers } = report;
  const failures = violation === null ? [] : [{ seed, servers, worlds, rule: violation.rule, story: story(report) }];
  return {
    seeds: 1,
    sizes: { [servers]: 1 },
    observed: observers > 0 ? 1 : 0,
    simulatedMs,
    events,
    operations,
    acknowledged,
    committed,
    faults,
    failures,
  };
}

export function addTally(total: Tally, more: Tally): void {
  total.seeds += more.seeds;
  addCounts(total.sizes, more.sizes);
  total.observed += more.observed;
  total.simulatedMs += more.simulatedMs;
  total.events += more.events;
  total.operations += more.operations;
  total.acknowledged += more.acknowledged;
  total.committed += more.committed;
  addCounts(total.faults, more.faults);
  total.failures.push(...more.failures);
}

function addCounts(total: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) total[name] = (total[name] ?? 0) + count;
}

const HOUR_MS = 3_600_000;

/** The closing lines of a batch. */
export function describeTally(tally: Tally, seconds: number): string {
  const { seeds, sizes, observed, simulatedMs, events, operations, acknowledged, committed, faults, failures } = tally;
  const struck = Object.entries(faults).sort(([a], [b]) => (a < b ? -1 : 1));
  const count = (value: number): string => value.toLocaleString("en");
  const sized = Object.entries(sizes).map(([servers, worlds]) => `${count(worlds)} of ${servers}`);
  const total = struck.reduce((sum, [, times]) => sum + times, 0);
  const lines = [
    `seeds            ${count(seeds)} in ${seconds.toFixed(1)} s, ${(seeds / seconds).toFixed(1)} a second`,
    `servers          ${sized.join(", ")}; ${count(observed)} worlds had observers too`,
    `simulated        ${(simulatedMs / HOUR_MS).toFixed(2)} hours, ${count(events)} events`,
    `calls            ${count(operations)}, of which ${count(acknowledged)} answered with success; ${count(committed)} transactions committed`,
    `faults           ${count(total)}: ${struck.map(([kind, times]) => `${count(times)} ${kind}`).join(", ") || "none"}`,
    `violations       ${count(failures.length)}`,
  ];
  const byRule = new Map<string, Failure[]>();
  for (const failure of failures) byRule.set(failure.rule, [...(byRule.get(failure.rule) ?? []), failure]);
  for (const [rule, list] of byRule) {
    lines.push(
      `  ${rule}: seeds ${list
        .map(({ seed }) => seed)
        .slice(0, 20)
        .join(" ")}`,
    );
    const [first] = list;
    if (first !== undefined) lines.push(`    ${replayCommand(first)}`);
  }
  return lines.join("\n");
}
