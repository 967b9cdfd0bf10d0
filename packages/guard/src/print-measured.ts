/** The end of a process that measures: its answer goes to its output as JSON. */
import process from "node:process";
import { measure } from "./measure.ts";
import type { Plant } from "./stage.ts";
import { workloads } from "./workloads.ts";

export async function printMeasured(name: string | undefined, plant?: Plant): Promise<void> {
  const workload = workloads.find((workload) => workload.name === name);
  if (workload === undefined) throw new Error(`no workload is called ${name}`);
  process.stdout.write(JSON.stringify(await measure(workload, plant)), () => process.exit());
}
