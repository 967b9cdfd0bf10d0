/** What a batch of seeds has been through, in numbers that can be added up. */
import type { SeedReport } from "../run-seed.ts";
import { replayCommand, story } from "../story.ts";

export interface Failure {
  readonly seed: number;
  readonly servers: number;
  readonly rule: string;
  readonly story: string;
}

export interface Tally {
  seeds: number;
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
  const { simulatedMs, events, operations, acknowledged, committed, faults, violation, seed, servers } = report;
  const failures = violation === null ? [] : [{ seed, servers, rule: violation.rule, story: story(report) }];
  return { seeds: 1, simulatedMs, events, operations, acknowledged, committed, faults, failures };
}

export function addTally(total: Tally, more: Tally): void {
  total.seeds += more.seeds;
  total.simulatedMs += more.simulatedMs;
  total.events += more.events;
  total.operations += more.operations;
  total.acknowledged += more.acknowledged;
  total.committed += more.committed;
  for (const [kind, count] of Object.entries(more.faults)) total.faults[kind] = (total.faults[kind] ?? 0) + count;
  total.failures.push(...more.failures);
}

const HOUR_MS = 3_600_000;

/** The closing lines of a batch. */
export function describeTally(tally: Tally, seconds: number): string {
  const { seeds, simulatedMs, events, operations, acknowledged, committed, faults, failures } = tally;
  const struck = Object.entries(faults).sort(([a], [b]) => (a < b ? -1 : 1));
  const count = (value: number): string => value.toLocaleString("en");
  const lines = [
    `seeds            ${count(seeds)} in ${seconds.toFixed(1)} s, ${(seeds / seconds).toFixed(1)} a second`,
    `simulated        ${(simulatedMs / HOUR_MS).toFixed(2)} hours, ${count(events)} events`,
    `calls            ${count(operations)}, of which ${count(acknowledged)} answered with success; ${count(committed)} transactions committed`,
    `faults           ${struck.map(([kind, times]) => `${count(times)} ${kind}`).join(", ") || "none"}`,
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
