/** Measures every workload, each in a process of its own, so that what one makes V8 compile means nothing to another. */
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Measured } from "./measure.ts";
import { vmFlags } from "./vm-flags.ts";

const DEADLINE_MS = 300_000;
const MAX_OUTPUT_BYTES = 1 << 20;

export interface GuardOptions {
  /** Names of workloads. */
  readonly names: readonly string[];
  /** The program that measures the one that its last argument names, with the arguments before. */
  readonly program?: readonly string[];
}

/** @throws Error when a workload could not be measured, with what its process said */
export async function measureAll({ names, program = [measureMain] }: GuardOptions): Promise<Map<string, Measured>> {
  const found = new Map<string, Measured>();
  const left = [...names];
  const worker = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      found.set(name, await measureApart([...program, name]));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return found;
}

const measureMain = fileURLToPath(new URL("./measure-main.js", import.meta.url));

async function measureApart(command: readonly string[]): Promise<Measured> {
  const { stdout } = await promisify(execFile)(process.execPath, [...vmFlags, ...command], {
    timeout: DEADLINE_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return JSON.parse(stdout);
}
