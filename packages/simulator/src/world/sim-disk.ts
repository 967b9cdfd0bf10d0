/**
 * A machine's disk: a MemoryDisk whose answers take time, belong to the process that asked, and may be the moment at
 * which the power fails. What the faults are is decided elsewhere (faults/); this is where they take effect.
 */
import { type DiskOperation, MemoryDisk } from "@vivarium/runtime";
import type { Process } from "./event-loop.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

/** The power fails at the disk operation after so many others, before or after it was carried out. */
export interface CrashPoint {
  operationsLeft: number;
  after: boolean;
  crash: () => void;
  /** Only such operations count. Default: all. */
  counts?: (operation: DiskOperation, path: string) => boolean;
}

export class SimDisk extends MemoryDisk {
  readonly #machine: Machine;
  readonly #world: World;
  /** How long an operation takes, in milliseconds. */
  latencyMs: (operation: DiskOperation, path: string) => number = () => 0;
  crashPoint: CrashPoint | null = null;
  /** Operations carried out. */
  operations = 0;
  syncs = 0;

  constructor(machine: Machine, world: World) {
    super({ clock: machine.clock, random: world.stream("disk") });
    this.#machine = machine;
    this.#world = world;
  }

  override perform<T>(operation: DiskOperation, path: string, act: () => T): Promise<T> {
    const { process } = this.#machine;
    const { loop } = this.#world;
    return new Promise((resolve, reject) => {
      // An answer of 0 ms still comes later than the call.
      loop.after(this.latencyMs(operation, path), process, () => {
        this.operations++;
        if (operation === "datasync") this.syncs++;
        if (this.#crashesHere(process, { operation, path, act })) return;
        const code = this.fault(operation, path);
        if (code !== null) return reject(failure(code, operation, path));
        try {
          resolve(act());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** True: the machine is off now, and nobody waits for this answer any more. */
  #crashesHere(process: Process, at: { operation: DiskOperation; path: string; act: () => unknown }): boolean {
    const point = this.crashPoint;
    if (point === null || point.counts?.(at.operation, at.path) === false) return false;
    if (point.operationsLeft-- > 0) return false;
    this.crashPoint = null;
    if (point.after) tryTo(at.act);
    point.crash();
    return !process.alive;
  }
}

function tryTo(act: () => unknown): void {
  try {
    act();
  } catch {
    // The operation would have failed; now nobody hears of it.
  }
}

function failure(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code, path });
}
