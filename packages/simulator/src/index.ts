/** Servers and clients in one process under one seed, with faults and checkers. */
export type { Violation } from "./checkers/violation.ts";
export { FAULTS, type FaultKind } from "./faults/faults.ts";
export { runSeed, type SeedOptions, type SeedReport } from "./run-seed.ts";
export { formatLine, type TraceLine } from "./world/trace.ts";
