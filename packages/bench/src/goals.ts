/** What the figures are to reach, as ratios within one run: the goals of the performance issue, one line each. */
import type { Scale } from "./part.ts";
import { STALL } from "./with-server.ts";

/** What a figure of ours is compared with. */
export type Over =
  | { readonly role: "theirs" | "bare" }
  /** Another figure of ours; per so much more of what is counted. */
  | { readonly key: string; readonly per?: number }
  /** Nothing: the worst value itself is judged. */
  | "nothing";

export interface Goal {
  readonly key: string;
  readonly over: Over;
  readonly atLeast?: number;
  readonly atMost?: number;
}

const apache = { role: "theirs" } as const;
const bare = { role: "bare" } as const;
/** "Linear in n" allows for noise: what each costs may be so much more with many. */
const LINEAR = 1.3;

export function goalsOf({ children, sessions }: Scale): readonly Goal[] {
  const fewSessions = Math.floor(sessions / 8);
  return [
    { key: "reads", over: apache, atLeast: 5 },
    { key: "reads.p99", over: apache, atMost: 0.5 },
    { key: "writes", over: apache, atLeast: 2.5 },
    { key: "writes.p99", over: apache, atMost: 0.5 },
    { key: "mixed", over: apache, atLeast: 4 },
    { key: "mixed.read.p99", over: apache, atMost: 0.5 },
    { key: "mixed.write.p99", over: apache, atMost: 0.5 },
    { key: "sequential.read", over: apache, atMost: 0.4 },
    { key: "sequential.write", over: apache, atMost: 0.85 },
    { key: "creates", over: apache, atLeast: 3 },
    { key: "creates.p99", over: apache, atMost: 0.15 },
    { key: "memory.restarted", over: apache, atMost: 0.4 },
    { key: "memory.peak", over: apache, atMost: 0.2 },
    { key: "restart", over: apache, atMost: 0.25 },
    { key: "ensemble.reads", over: apache, atLeast: 4 },
    { key: "ensemble.writes", over: apache, atLeast: 3 },
    { key: "ensemble.mixed", over: apache, atLeast: 3 },
    { key: "ensemble.memory", over: apache, atMost: 0.3 },
    { key: "start", over: apache, atMost: 0.5 },
    { key: "grown.large.reads", over: { key: "grown.small.reads" }, atLeast: 0.8 },
    { key: "grown.large.writes", over: { key: "grown.small.writes" }, atLeast: 0.8 },
    { key: "scattered.large", over: { key: "scattered.small" }, atLeast: 0.8 },
    { key: `children.${children}`, over: { key: `children.${children / 10}`, per: 10 }, atMost: LINEAR },
    { key: `expiry.${sessions}.cpu`, over: { key: `expiry.${fewSessions}.cpu` }, atMost: LINEAR },
    { key: "reads", over: bare, atLeast: 0.6 },
    { key: "writes", over: bare, atLeast: 0.6 },
    { key: "mixed", over: bare, atLeast: 0.6 },
    { key: STALL, over: "nothing", atMost: 20 },
  ];
}
