// Side by side with Apache ZooKeeper: what is measured, and how it is shown.
export { type Contender, measure, type Plan, type RunningEnsemble, type RunningServer } from "./measure.ts";
export { type Measurement, metrics } from "./metrics.ts";
export { type Row, replaceTable, summarise, table } from "./summary.ts";
export { buildZkload } from "./zkload.ts";
