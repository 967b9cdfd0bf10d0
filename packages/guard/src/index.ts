/** What a request costs, counted: the regression guard. */
export { budgets, HEAP_MEASURED_ON_NODE } from "./budgets.ts";
export { compare, type Finding, type Verdict } from "./compare.ts";
export { type Figure, type FigureName, type Figures, figures } from "./figures.ts";
export type { Measured } from "./measure.ts";
export { asCode, besideBudgets } from "./report.ts";
export { measureAll } from "./run-guard.ts";
export { type Workload, workloads } from "./workloads.ts";
