/** A load generator for any ZooKeeper: sessions on raw frames, traffic, workloads and their figures. */
export { childPaths, dataOf } from "./bodies.ts";
export { closeSessions, createMany, makeNode, openSessions, removeTree, withSessions } from "./bulk.ts";
export { type DriveOptions, type DriveResult, drive, TIMELINE_MS, type Traffic } from "./drive.ts";
export { elapse, within } from "./elapse.ts";
export { Histogram } from "./histogram.ts";
export { Prober } from "./prober.ts";
export { type RunOptions, runWorkloads } from "./run-workloads.ts";
export { type Address, LoadSession, ServerError, type SessionOptions } from "./session.ts";
export { creates, readsAndWrites, readsAndWritesAmong } from "./traffic.ts";
export * from "./workload.ts";
export { workloads } from "./workloads/index.ts";
