/** What a workload is given, and what it tells. */
import type { Network } from "@vivarium/runtime";
import type { Histogram } from "./histogram.ts";
import type { Address, LoadSession } from "./session.ts";

export type Unit = "ops/s" | "µs" | "ms" | "s" | "MB" | "KB" | "%" | "×";

/** One number. */
export interface Figure {
  /** Short and unique: "reads", "sizes.1024.write". */
  readonly key: string;
  readonly title: string;
  readonly unit: Unit;
  readonly better: "more" | "less";
  readonly value: number;
}

export interface Settings {
  readonly connections: number;
  /** Requests in flight per connection. */
  readonly window: number;
  /** Seconds of each load, after one that does not count. */
  readonly seconds: number;
  readonly sizeBytes: number;
  /** Of the mixed load. */
  readonly readPercent: number;
  /** How many sessions are held, come back or expire, and how many watches one node has. */
  readonly sessions: number;
  /** How many children the longest list has. */
  readonly children: number;
}

/** What can be seen of a server's process from outside, when it is on this machine. */
export interface ServerProcessView {
  residentMegabytes(): number;
  cpuSeconds(): number;
}

export interface Arena {
  readonly network: Network;
  readonly hosts: readonly Address[];
  /** A node for this workload alone, removed afterwards with all below it. */
  readonly root: string;
  readonly settings: Settings;
  /** Aborted when somebody wants to stop; what is under way then throws. */
  readonly signal: AbortSignal;
  /** A session for making what the workload needs. */
  readonly control: LoadSession;
  readonly process?: ServerProcessView;
  /** Takes part in the progress of the whole: what is being done, and how much of it is over. */
  readonly onProgress: (doing: string, share: number) => void;
  /** Something that the reader of the figures must know. */
  readonly onRemark: (remark: string) => void;
}

export interface Workload {
  readonly name: string;
  /** What it does, for a list. */
  readonly about: string;
  run(arena: Arena): Promise<Figure[]>;
}

/** The first server, for what speaks with one only. */
export function addressOf([address]: readonly Address[]): Address {
  if (address === undefined) throw new RangeError("no server");
  return address;
}

export const opsPerSecond = (key: string, title: string, value: number): Figure => ({
  key,
  title,
  unit: "ops/s",
  better: "more",
  value,
});

const lower =
  (unit: Unit) =>
  (key: string, title: string, value: number): Figure => ({
    key,
    title,
    unit,
    better: "less",
    value,
  });
export const microseconds = lower("µs");
export const milliseconds = lower("ms");
export const seconds = lower("s");
export const megabytes = lower("MB");
export const kilobytes = lower("KB");
export const percent = lower("%");

export const p50 = (histogram: Histogram): number => histogram.percentileUs(0.5);
export const p99 = (histogram: Histogram): number => histogram.percentileUs(0.99);
