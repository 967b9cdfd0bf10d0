/**
 * The runs: ours and theirs in turns on one machine, each turn with a fresh process and an empty data directory, and
 * never two servers at a time.
 */
import { readFileSync } from "node:fs";
import { fill, oneSession } from "./fill.ts";
import type { Measurement, MetricName } from "./metrics.ts";
import { type Load, runLoad } from "./zkload.ts";

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly dataDir: string;
  /** Ends the process cleanly. */
  stop(): Promise<unknown>;
}

export interface RunningEnsemble {
  readonly servers: readonly RunningServer[];
  /** Ends the processes and takes away what they wrote. */
  end(): Promise<unknown>;
}

export interface Contender {
  readonly name: string;
  /** Starts a process, without waiting for it; on an empty directory of its own unless one is given. */
  start(dataDir?: string): Promise<RunningServer>;
  /** Starts three servers that are one ensemble, and waits until they serve. */
  startEnsemble(): Promise<RunningEnsemble>;
  /** Takes away a directory that is no longer needed. */
  remove(dataDir: string): void;
}

export interface Plan {
  readonly contenders: readonly Contender[];
  readonly turns: number;
  /** Seconds of each load, after a second that does not count. */
  readonly seconds: number;
  /** Znodes of the memory run; 0 leaves it out. */
  readonly znodes: number;
  /** Whether to measure one server, three, or both. */
  readonly parts: { readonly single: boolean; readonly ensemble: boolean };
  /** Path of the built load generator. */
  readonly zkload: string;
  readonly onMeasurement: (measurement: Measurement) => void;
}

const ZNODE_BYTES = 100;
const START_DEADLINE_MS = 300_000;
/** A server collects garbage and ends what it still writes before its memory is looked at. */
const SETTLE_MS = 3000;

const crowd = { connections: 50, window: 20, sizeBytes: 1024 };
const ensembleCrowd = { connections: 30, window: 20, sizeBytes: 1024 };
const alone = { connections: 1, window: 1, sizeBytes: 1024 };

export async function measure(plan: Plan): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (let turn = 1; turn <= plan.turns; turn++) {
    for (const contender of plan.contenders) {
      const record = (metric: MetricName, value: number) => {
        const measurement = { server: contender.name, turn, metric, value };
        measurements.push(measurement);
        plan.onMeasurement(measurement);
      };
      if (plan.parts.single) await measureSpeed(contender, plan, record);
      if (plan.parts.single && plan.znodes > 0) await measureMemory(contender, plan.znodes, record);
      if (plan.parts.ensemble) await measureEnsemble(contender, plan, record);
    }
  }
  return measurements;
}

type Record = (metric: MetricName, value: number) => void;

async function measureSpeed(contender: Contender, plan: Plan, record: Record): Promise<void> {
  const server = await contender.start();
  try {
    await untilServing(server.port);
    const load = (options: Omit<Load, "seconds">) =>
      runLoad(plan.zkload, [server.port], { ...options, seconds: plan.seconds });
    // Once for nothing: both runtimes compile what is hot only after a while.
    await load({ ...crowd, readPercent: 50 });
    const reads = await load({ ...crowd, readPercent: 100 });
    record("reads", reads.ops_s);
    record("readsP99", reads.read_p99_us);
    const writes = await load({ ...crowd, readPercent: 0 });
    record("writes", writes.ops_s);
    record("writesP99", writes.write_p99_us);
    record("mixed", (await load({ ...crowd, readPercent: 67 })).ops_s);
    record("sequentialRead", (await load({ ...alone, readPercent: 100 })).read_p50_us);
    record("sequentialWrite", (await load({ ...alone, readPercent: 0 })).write_p50_us);
  } finally {
    await server.stop();
    contender.remove(server.dataDir);
  }
}

/** Memory is looked at after the load: what the servers hold to carry it. */
async function measureEnsemble(contender: Contender, plan: Plan, record: Record): Promise<void> {
  const { servers, end } = await contender.startEnsemble();
  const ports = servers.map(({ port }) => port);
  const load = (readPercent: number) =>
    runLoad(plan.zkload, ports, { ...ensembleCrowd, readPercent, seconds: plan.seconds });
  try {
    await load(50);
    record("ensembleReads", (await load(100)).ops_s);
    const writes = await load(0);
    record("ensembleWrites", writes.ops_s);
    record("ensembleWritesP99", writes.write_p99_us);
    record("ensembleMixed", (await load(67)).ops_s);
    await settle();
    const megabytes = servers.map(({ pid }) => residentMegabytes(pid));
    record("ensembleResident", megabytes.reduce((sum, each) => sum + each, 0) / servers.length);
  } finally {
    await end();
  }
}

async function measureMemory(contender: Contender, znodes: number, record: Record): Promise<void> {
  let server = await contender.start();
  try {
    await untilServing(server.port);
    record("fill", znodes / (await fill(server.port, { count: znodes, sizeBytes: ZNODE_BYTES })));
    await settle();
    record("residentFilled", residentMegabytes(server.pid));
    await server.stop();
    const startMs = performance.now();
    server = await contender.start(server.dataDir);
    await untilServing(server.port);
    record("restart", (performance.now() - startMs) / 1000);
    await settle();
    record("residentRestarted", residentMegabytes(server.pid));
  } finally {
    await server.stop();
    contender.remove(server.dataDir);
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

async function untilServing(port: number): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      await oneSession(port);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
