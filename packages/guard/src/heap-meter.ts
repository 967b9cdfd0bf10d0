/**
 * How much memory a piece of work allocates, to the byte: by how far V8's young generation and Node.js's count of
 * ArrayBuffers have grown, in a process whose young generation is so large that nothing is collected meanwhile. The flags
 * for that are in `vm-flags.ts`.
 *
 * Which functions allocated it, V8's sampling profiler tells, within a few percent.
 */
import { type HeapProfiler, Session } from "node:inspector";
import process from "node:process";
import { GCProfiler, getHeapSpaceStatistics } from "node:v8";

export interface Allocated {
  /** Bytes on the JavaScript heap. */
  readonly heap: number;
  /** Bytes of ArrayBuffers, which lie outside it. */
  readonly buffers: number;
}

/** @throws Error when memory was collected meanwhile, so that nobody knows how much there was */
export async function allocatedBy(work: () => Promise<void>): Promise<Allocated> {
  globalThis.gc?.();
  const profiler = new GCProfiler();
  profiler.start();
  const before = inUse();
  await work();
  const after = inUse();
  const collections = profiler.stop().statistics.length;
  if (collections > 0) throw new Error(`V8 collected garbage ${collections} times in one measurement: make it shorter`);
  return { heap: after.heap - before.heap, buffers: after.buffers - before.buffers };
}

function inUse(): Allocated {
  let heap = 0;
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (space_name === "new_space" || space_name === "new_large_object_space") heap += space_used_size;
  }
  return { heap, buffers: process.memoryUsage().arrayBuffers };
}

export interface Allocator {
  /** As "prepare tree/prepare.js:51". */
  readonly where: string;
  readonly bytes: number;
}

const SAMPLING_INTERVAL_BYTES = 1024;

/** The functions that allocate while `work` is done, the greatest first. */
export async function allocatorsOf(work: () => Promise<void>): Promise<Allocator[]> {
  const session = new Session();
  session.connect();
  const options = {
    samplingInterval: SAMPLING_INTERVAL_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  session.post("HeapProfiler.startSampling", options);
  await work();
  const profile = await new Promise<HeapProfiler.SamplingHeapProfile>((resolve, reject) =>
    session.post("HeapProfiler.stopSampling", (error, result) =>
      error === null ? resolve(result.profile) : reject(error),
    ),
  );
  session.disconnect();
  const bytes = new Map<string, number>();
  const add = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): void => {
    const where = placeOf(callFrame);
    const isMeter = callFrame.url === "node:inspector";
    if (!isMeter) bytes.set(where, (bytes.get(where) ?? 0) + selfSize);
    for (const child of children) add(child);
  };
  add(profile.head);
  return [...bytes].map(([where, bytes]) => ({ where, bytes })).sort((a, b) => b.bytes - a.bytes);
}

/** V8 counts lines from 0; its own functions have no file. */
function placeOf({ functionName, url, lineNumber }: { functionName: string; url: string; lineNumber: number }): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (url === "") return name;
  const file = url.replace(/^.*\/packages\//, "").replace("/dist/", "/");
  return `${name} ${file}:${lineNumber + 1}`;
}
