/**
 * Many seeds on several processes. Each worker takes a few seeds at a time, so that a slow one keeps nobody waiting, and a
 * worker that dies is a failure of the seeds that it had.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { WorldChoice } from "../faults/swarm.ts";
import { replayCommand } from "../story.ts";
import { addTally, emptyTally, type Tally } from "./tally.ts";

export interface BatchOptions {
  firstSeed: number;
  count: number;
  /** One of these for each seed, in turn. */
  servers: readonly number[];
  /** Default: mixed. */
  worlds?: WorldChoice;
  /** Default: one per core. */
  workers?: number;
  /** No more seeds are begun after this time. */
  limitSeconds?: number;
  /** True: no more seeds are begun after the first violation. */
  stopAtFailure?: boolean;
  onProgress?: (tally: Tally) => void;
}

/** What a worker is asked for; it answers with a Tally. */
export interface Portion {
  readonly seeds: readonly { readonly seed: number; readonly servers: number; readonly worlds: WorldChoice }[];
}

const PORTION_SEEDS = 4;
/** More room for what lives shortly; and no stacks but those that somebody will read. */
const WORKER_FLAGS = ["--max-semi-space-size=32", "--stack-trace-limit=0", "--enable-source-maps"];

export async function runBatch(options: BatchOptions): Promise<Tally> {
  const { workers = availableParallelism(), limitSeconds = Number.POSITIVE_INFINITY, count } = options;
  const total = emptyTally();
  const startMs = performance.now();
  let next = 0;
  const take = (): Portion | null => {
    const isOver = next >= count || performance.now() - startMs > limitSeconds * 1000;
    if (isOver || (options.stopAtFailure === true && total.failures.length > 0)) return null;
    const from = next;
    next = Math.min(count, next + PORTION_SEEDS);
    return portion(options, from, next);
  };
  const add = (tally: Tally): void => {
    addTally(total, tally);
    options.onProgress?.(total);
  };
  const needed = Math.max(1, Math.min(workers, Math.ceil(count / PORTION_SEEDS)));
  await Promise.all(Array.from({ length: needed }, () => work(take, add)));
  total.failures.sort((a, b) => a.seed - b.seed);
  return total;
}

function portion({ firstSeed, servers, worlds = "mixed" }: BatchOptions, from: number, to: number): Portion {
  const seeds = [];
  for (let at = from; at < to; at++) {
    const seed = firstSeed + at;
    seeds.push({ seed, servers: servers[seed % servers.length] ?? 1, worlds });
  }
  return { seeds };
}

/** One worker, from its first portion to its last. */
async function work(take: () => Portion | null, add: (tally: Tally) => void): Promise<void> {
  let worker: ChildProcess | null = null;
  for (let next = take(); next !== null; next = take()) {
    worker ??= fork(fileURLToPath(new URL("./worker.js", import.meta.url)), { execArgv: WORKER_FLAGS });
    const answer = await ask(worker, next);
    if (answer.failures.some(({ rule }) => rule === WORKER_DIED)) worker = null;
    add(answer);
  }
  worker?.disconnect();
}

const WORKER_DIED = "a worker ended";

function ask(worker: ChildProcess, { seeds }: Portion): Promise<Tally> {
  return new Promise((resolve) => {
    const died = (code: number | null, signal: string | null): void => {
      const why = `the process that ran it ended with ${signal ?? code}`;
      const failures = seeds.map((seed) => ({
        ...seed,
        rule: WORKER_DIED,
        story: `seed ${seed.seed}: ${why}\nreplay: ${replayCommand(seed)}`,
      }));
      resolve({ ...emptyTally(), seeds: seeds.length, failures });
    };
    worker.once("exit", died);
    worker.once("message", (tally) => {
      worker.off("exit", died);
      resolve(tally as Tally);
    });
    worker.send({ seeds } satisfies Portion);
  });
}
