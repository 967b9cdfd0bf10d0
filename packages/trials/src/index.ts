// The real command under SIGKILL and under malformed frames.
export { type CrashOptions, type CrashReport, crashTrial } from "./crash/crash-trial.ts";
export { type EnsembleCrashOptions, type EnsembleCrashReport, ensembleCrashTrial } from "./ensemble/ensemble-trial.ts";
export { type FuzzOptions, type FuzzReport, fuzzTrial } from "./fuzz/fuzz-trial.ts";
