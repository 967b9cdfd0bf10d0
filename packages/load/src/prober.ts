/**
 * Somebody else on the server while it is busy: one session, in a thread of its own, that sends a ping, then a read, then
 * a ping, each when the one before is answered. What it waits is what other clients wait.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Address } from "./session.ts";

export interface Probe {
  readonly pings: number;
  readonly pingMostUs: number;
  readonly readMostUs: number;
}

export interface ProberTask {
  readonly address: Address;
  /** A node to read. */
  readonly path: string;
}

export class Prober {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Resolves when it is at work. */
  static async start(task: ProberTask): Promise<Prober> {
    const worker = new Worker(new URL("./prober-main.js", import.meta.url), { workerData: task });
    const prober = new Prober(worker);
    await prober.#message();
    return prober;
  }

  /** The next message of the thread. @throws what ended it */
  async #message(): Promise<Probe> {
    const [probe] = await once(this.#worker, "message");
    return probe as Probe;
  }

  /** What it has seen since the last time it was asked. */
  report(): Promise<Probe> {
    const answer = this.#message();
    this.#worker.postMessage("report");
    return answer;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

export async function withProber<T>(task: ProberTask, work: (prober: Prober) => Promise<T>): Promise<T> {
  const prober = await Prober.start(task);
  try {
    return await work(prober);
  } finally {
    await prober.stop();
  }
}
