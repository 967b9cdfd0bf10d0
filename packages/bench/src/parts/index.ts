/** All parts, in the order in which they run. */
import type { Part } from "../part.ts";
import { curves } from "./curves.ts";
import { ensemble } from "./ensemble.ts";
import { memory } from "./memory.ts";
import { snapshots } from "./snapshots.ts";
import { speed } from "./speed.ts";
import { start } from "./start.ts";
import { workloadParts } from "./workloads.ts";

export const parts: readonly Part[] = [speed, snapshots, memory, ensemble, start, ...workloadParts, curves];
