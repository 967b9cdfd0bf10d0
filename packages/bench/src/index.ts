// Side by side with Apache ZooKeeper: what is measured, and how it is shown.
export type { Contender, Role, RunningEnsemble, RunningServer } from "./contender.ts";
export { replaceBetweenMarks } from "./page.ts";
export { scales } from "./part.ts";
export { parts } from "./parts/index.ts";
export { drawPlot, plots } from "./plots.ts";
export { type Results, ResultsCollector, resultsText } from "./results.ts";
export { type Plan, runParts } from "./run-parts.ts";
export { stallReader } from "./stall-reader.ts";
export { goalRows, otherRows } from "./summary.ts";
export { table } from "./table.ts";
export { buildZkload } from "./zkload.ts";
