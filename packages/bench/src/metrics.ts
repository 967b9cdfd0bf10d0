/** What is measured, by name: the words and units of the table, and which way is better. */
export interface Metric {
  readonly title: string;
  readonly unit: "ops/s" | "µs" | "MB" | "s";
  /** Whether a larger number is the better one. */
  readonly larger: boolean;
}

export const metrics = {
  reads: { title: "100 % reads, 50 connections", unit: "ops/s", larger: true },
  readsP99: { title: "– 99th percentile", unit: "µs", larger: false },
  writes: { title: "100 % writes, 50 connections", unit: "ops/s", larger: true },
  writesP99: { title: "– 99th percentile", unit: "µs", larger: false },
  mixed: { title: "2 reads : 1 write, 50 connections", unit: "ops/s", larger: true },
  sequentialRead: { title: "one connection, one read at a time, median", unit: "µs", larger: false },
  sequentialWrite: { title: "one connection, one write at a time, median", unit: "µs", larger: false },
  fill: { title: "creating 100-byte znodes, one connection", unit: "ops/s", larger: true },
  residentFilled: { title: "memory with all of them", unit: "MB", larger: false },
  restart: { title: "restart with them, to the first session", unit: "s", larger: false },
  residentRestarted: { title: "memory after the restart", unit: "MB", larger: false },
  ensembleReads: { title: "three servers: 100 % reads, 30 connections", unit: "ops/s", larger: true },
  ensembleWrites: { title: "three servers: 100 % writes", unit: "ops/s", larger: true },
  ensembleWritesP99: { title: "– 99th percentile", unit: "µs", larger: false },
  ensembleMixed: { title: "three servers: 2 reads : 1 write", unit: "ops/s", larger: true },
  ensembleResident: { title: "three servers: memory of one, mean", unit: "MB", larger: false },
} as const satisfies Record<string, Metric>;
export type MetricName = keyof typeof metrics;

/** One number that one server gave in one turn. */
export interface Measurement {
  readonly server: string;
  /** From 1. */
  readonly turn: number;
  readonly metric: MetricName;
  readonly value: number;
}
