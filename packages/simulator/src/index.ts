/** Servers and clients in one process under one seed, with faults and checkers. */
export { type BatchOptions, runBatch } from "./batch/run-batch.ts";
export { describeTally, type Tally } from "./batch/tally.ts";
export type { Violation } from "./checkers/violation.ts";
export { FAULTS, type FaultKind } from "./faults/faults.ts";
export { WORLD_SIZES, type WorldChoice } from "./faults/swarm.ts";
export { runSeed, type SeedOptions, type SeedReport } from "./run-seed.ts";
export { replayCommand, story } from "./story.ts";
export { formatLine, type TraceLine } from "./world/trace.ts";
