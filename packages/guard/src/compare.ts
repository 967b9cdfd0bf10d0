/** What was measured beside what is allowed: which figures are worse, and which are so much better that the budget should follow. */
import { type Figures, figures } from "./figures.ts";
import type { Measured } from "./measure.ts";

/** As much better than its budget, as a part of it, that the budget should be lowered. */
const CLEARLY_BETTER = 0.05;

export interface Finding {
  readonly workload: string;
  readonly figure: string;
  readonly measured: number;
  readonly budget: number;
  readonly text: string;
}

export interface Verdict {
  readonly worse: readonly Finding[];
  readonly better: readonly Finding[];
}

export interface CompareOptions {
  readonly workload: string;
  readonly measured: Measured;
  readonly budget: Figures;
  /** False where the budget's figures of the heap were measured with another V8. Default true. */
  readonly judgesHeap?: boolean;
}

export function compare({ workload, measured, budget, judgesHeap = true }: CompareOptions): Verdict {
  const worse: Finding[] = [];
  const better: Finding[] = [];
  for (const { name, about, per, tolerance, slack = 0 } of figures) {
    if (name === "heap" && !judgesHeap) continue;
    const now = measured.figures[name];
    const allowed = budget[name];
    const what = `${workload}: ${name} ${now}, budget ${allowed} (${about} per ${per === 1 ? "request" : `${per} requests`})`;
    const found = { workload, figure: name, measured: now, budget: allowed };
    if (now - allowed > Math.max(allowed * tolerance, slack)) {
      const most = name === "heap" ? measured.allocators.map(({ where, bytes }) => `\n    ${bytes} ${where}`) : [];
      worse.push({ ...found, text: [what, ...most].join("") });
    } else if (allowed - now > Math.max(allowed * CLEARLY_BETTER, slack)) {
      better.push({ ...found, text: `${what}: lower the budget to ${now}` });
    }
  }
  return { worse, better };
}
