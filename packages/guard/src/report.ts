/** Measured figures as text: beside their budgets for people, and as the rows of `budgets.ts`. */
import { type Figures, figures } from "./figures.ts";

type ByWorkload = ReadonlyMap<string, Figures>;

/** One line per workload; a figure that is not what the budget says has the budget in brackets. */
export function besideBudgets(measured: ByWorkload, budgets: ByWorkload): string {
  const head = ["", ...figures.map(({ name, per }) => (per === 1 ? name : `${name}/k`))];
  const rows = [...measured].map(([workload, values]) => {
    const budget = budgets.get(workload);
    const cells = figures.map(({ name }) =>
      values[name] === budget?.[name] ? `${values[name]}` : `${values[name]} (${budget?.[name] ?? "no budget"})`,
    );
    return [workload, ...cells];
  });
  return aligned([head, ...rows], "  ");
}

/** The rows of the table in `budgets.ts`, with what was measured as the budget. */
export function asCode(measured: ByWorkload): string {
  const head = ["  //", ...figures.map(({ name }) => name)];
  const rows = [...measured].map(([workload, values]) => {
    const cells = figures.map(({ name }, index) => `${values[name]}${index === figures.length - 1 ? "]," : ","}`);
    return [`  [${JSON.stringify(workload)},`, ...cells];
  });
  return aligned([head, ...rows], " ");
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[], gap: string): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, column) => cell[column === 0 ? "padEnd" : "padStart"](widths[column] ?? 0)).join(gap))
    .join("\n");
}
