/** All workloads, in the order in which they run. */
import type { Workload } from "../workload.ts";
import { children } from "./children.ts";
import { expiry } from "./expiry.ts";
import { sessions } from "./sessions.ts";
import { sizes } from "./sizes.ts";
import { storm } from "./storm.ts";
import { crowdWorkloads, sequential } from "./traffic.ts";
import { watches } from "./watches.ts";
import { ephemeral, multi, replicas } from "./writes.ts";

export const workloads: readonly Workload[] = [
  ...crowdWorkloads,
  sequential,
  sizes,
  children,
  multi,
  ephemeral,
  replicas,
  watches,
  sessions,
  storm,
  expiry,
];
