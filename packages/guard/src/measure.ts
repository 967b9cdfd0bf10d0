/**
 * What one workload costs: first the memory that it allocates, while nothing else looks on; then everything that can be
 * counted, with the copy meter on. Only in a process started with `vmFlags`, which does nothing else.
 */
import { type CountName, Counts } from "./counts.ts";
import { type FigureName, type Figures, figures } from "./figures.ts";
import { type Allocated, type Allocator, allocatedBy, allocatorsOf } from "./heap-meter.ts";
import { chunkOf } from "./requests.ts";
import { type Plant, Stage } from "./stage.ts";
import type { Workload } from "./workloads.ts";

export interface Measured {
  readonly figures: Figures;
  /** The functions that allocate most, in bytes per request. */
  readonly allocators: readonly Allocator[];
}

/** Replies and events before anything is measured: V8 has compiled by then what it is going to compile. */
const WARM_UP_PACKETS = 15_000;
/** Odd, for a median: something rare, such as a table that doubles, falls into one of them. */
const HEAP_MEASUREMENTS = 5;
const COUNT_MEASUREMENTS = 5;
const ALLOCATORS_SHOWN = 3;

type Work = () => Promise<void>;
type Counted = Record<CountName | "copied", number>;
const countNames = [...(Object.keys(new Counts()) as CountName[]), "copied"] as const;

export async function measure(workload: Workload, plant?: Plant): Promise<Measured> {
  const stage = await Stage.open({ ...workload, plant });
  for (const request of workload.prepare) await stage.play([[chunkOf([request])]], [1]);
  const next = player(stage, workload);
  while (stage.packets < WARM_UP_PACKETS) await next()();

  const allocated = await memoryOf(stage, next);
  const allocators = await allocatorsOf(next());
  const counted = await countsOf(stage, next);
  const requests = workload.requestsPerRound * workload.rounds;
  return {
    figures: inUnits({ ...allocated, ...counted }, requests),
    allocators: allocators
      .slice(0, ALLOCATORS_SHOWN)
      .map(({ where, bytes }) => ({ where, bytes: Math.round(bytes / requests) })),
  };
}

/** Each call makes the requests of one measurement, and a function that plays them. */
function player(stage: Stage, { connections, rounds, packets, sends }: Workload): () => Work {
  const everyone = Array.from({ length: connections }, (_, connection) => connection);
  const wanted = everyone.map(packets);
  let round = 0;
  return () => {
    const chunks = Array.from({ length: rounds }, () => {
      const now = round++;
      return everyone.map((connection) => chunkOf(sends(connection, now)));
    });
    return () => stage.play(chunks, wanted);
  };
}

async function memoryOf(stage: Stage, next: () => Work): Promise<Allocated> {
  const measured: Allocated[] = [];
  for (let i = 0; i < HEAP_MEASUREMENTS; i++) {
    const before = stage.counts.turns;
    const busy = await allocatedBy(next());
    // What measuring itself and turning the loop allocate is taken off.
    const idle = await allocatedBy(() => stage.idle(stage.counts.turns - before));
    measured.push({ heap: busy.heap - idle.heap, buffers: busy.buffers - idle.buffers });
  }
  // Buffers are often allocated for many requests at a time, so only all measurements together say how much it is.
  const buffers = measured.reduce((sum, one) => sum + one.buffers, 0) / HEAP_MEASUREMENTS;
  return { heap: median(measured.map(({ heap }) => heap)), buffers };
}

/** Of each count, what it usually is in one measurement: a timer that comes once a second falls into one of them. */
async function countsOf({ counts, copies }: Stage, next: () => Work): Promise<Counted> {
  const totals = (): Counted => ({ ...counts, copied: copies.bytes });
  const measured: Counted[] = [];
  copies.start();
  for (let i = 0; i < COUNT_MEASUREMENTS; i++) {
    const work = next();
    const before = totals();
    await work();
    const after = totals();
    measured.push(mapped(countNames, (name) => after[name] - before[name]));
  }
  copies.stop();
  return mapped(countNames, (name) => median(measured.map((one) => one[name])));
}

function inUnits(totals: Readonly<Record<FigureName, number>>, requests: number): Figures {
  const values = figures.map(({ name, per }) => [name, Math.round((totals[name] / requests) * per * 10) / 10]);
  return Object.fromEntries(values) as Figures;
}

function mapped<K extends string>(names: readonly K[], value: (name: K) => number): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<K, number>;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
