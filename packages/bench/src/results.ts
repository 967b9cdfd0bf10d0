/** All that a run of the bench found, as it is kept in a file. */
import type { Figure, Unit } from "@vivarium/load";
import type { Contender, Role } from "./contender.ts";
import type { Line, Scale } from "./part.ts";

export interface FigureInfo {
  readonly title: string;
  readonly unit: Unit;
  readonly better: "more" | "less";
  readonly part: string;
}

/** One number that one contender gave in one turn. */
export interface Measurement {
  readonly role: Role;
  /** From 1. */
  readonly turn: number;
  readonly key: string;
  readonly value: number;
}

export interface DrawnLine extends Line {
  readonly role: Role;
}

export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly commit: string;
  readonly names: Readonly<Partial<Record<Role, string>>>;
  readonly scale: Scale;
  readonly figures: Record<string, FigureInfo>;
  readonly measurements: Measurement[];
  readonly lines: DrawnLine[];
  /** What the reader of the figures must know, each once. */
  readonly remarks: string[];
}

/** Enough digits for anybody, and a file that stays small. */
export const rounded = (value: number): number => Number(value.toPrecision(6));

export class ResultsCollector {
  readonly results: Results;

  constructor(about: Pick<Results, "date" | "machine" | "commit" | "scale">, contenders: readonly Contender[]) {
    const names = Object.fromEntries(contenders.map(({ role, name }) => [role, name]));
    this.results = { ...about, names, figures: {}, measurements: [], lines: [], remarks: [] };
  }

  record(where: { part: string; role: Role; turn: number }, { key, title, unit, better, value }: Figure): void {
    const { part, role, turn } = where;
    const { figures, measurements } = this.results;
    figures[key] ??= { title, unit, better, part };
    measurements.push({ role, turn, key, value: rounded(value) });
  }

  draw(role: Role, line: Line): void {
    const points = line.points.map(([x, y]) => [rounded(x), rounded(y)] as const);
    this.results.lines.push({ ...line, role, points });
  }

  remark(name: string, text: string): void {
    const remark = `${name}: ${text}`;
    if (!this.results.remarks.includes(remark)) this.results.remarks.push(remark);
  }
}

/** One measurement a line, so that a change can be read. */
export function resultsText(results: Results): string {
  const { measurements, lines, ...about } = results;
  const list = (items: readonly unknown[]) => items.map((item) => `    ${JSON.stringify(item)}`).join(",\n");
  const head = JSON.stringify(about, null, 1).slice(0, -2);
  return `${head},\n "measurements": [\n${list(measurements)}\n ],\n "lines": [\n${list(lines)}\n ]\n}\n`;
}
