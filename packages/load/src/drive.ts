/**
 * Keeps a window of requests in flight on every session and measures: the closed loop behind all throughput and latency
 * figures. A reply makes room for the next request; requests that are due together leave in one write.
 */
import { elapse, within } from "./elapse.ts";
import { Histogram } from "./histogram.ts";
import type { LoadSession } from "./session.ts";

/** What the sessions send. */
export interface Traffic {
  /** What its requests are called, for one histogram each. */
  readonly kinds: readonly string[];
  /** Gives the sender of one connection: it writes one request, and tells which kind it was. */
  connection(index: number): (session: LoadSession) => number;
}

export interface DriveOptions {
  /** Requests in flight per session. */
  readonly window: number;
  readonly seconds: number;
  /** Seconds before that, which do not count; one unless the load is shorter. */
  readonly warmUpSeconds?: number;
  readonly signal?: AbortSignal;
  /** Called about ten times a second with the share of the time that is over. */
  readonly onProgress?: (share: number) => void;
}

export interface DriveResult {
  readonly perSecond: number;
  readonly all: Histogram;
  readonly byKind: ReadonlyMap<string, Histogram>;
  /** Requests answered in each tenth of a second. */
  readonly timeline: readonly number[];
  /** Refusals by error code. */
  readonly errors: ReadonlyMap<number, number>;
  /** How busy this process was, 1 for one core: near 1 means that the generator may have been the limit. */
  readonly generatorBusy: number;
}

export const TIMELINE_MS = 100;
const DRAIN_DEADLINE_MS = 30_000;

export async function drive(
  sessions: readonly LoadSession[],
  traffic: Traffic,
  options: DriveOptions,
): Promise<DriveResult> {
  const { window, seconds, warmUpSeconds = Math.min(1, seconds), signal, onProgress = () => {} } = options;
  const meter = new Meter(traffic.kinds);
  const lanes = sessions.map((session, index) => new Lane(session, traffic.connection(index), window, meter));
  const abort = new AbortController();
  const stopped = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
  for (const session of sessions) session.onLost = (error) => abort.abort(error);
  try {
    for (const lane of lanes) lane.start();
    await elapse(warmUpSeconds * 1000, stopped);
    const cpu = process.cpuUsage();
    meter.start();
    await elapse(seconds * 1000, stopped, onProgress);
    const measuredMs = meter.stop();
    const { user, system } = process.cpuUsage(cpu);
    const drained = Promise.all(lanes.map((lane) => lane.drained()));
    await within(DRAIN_DEADLINE_MS, "answering the last requests", stopped, drained);
    return meter.result(measuredMs, (user + system) / 1000 / measuredMs);
  } finally {
    for (const lane of lanes) lane.end();
  }
}

class Meter {
  isOn = false;
  readonly #kinds: readonly string[];
  readonly #histograms: Histogram[];
  readonly #timeline: number[] = [];
  readonly #errors = new Map<number, number>();
  #startMs = 0;

  constructor(kinds: readonly string[]) {
    this.#kinds = kinds;
    this.#histograms = kinds.map(() => new Histogram());
  }

  start(): void {
    this.#startMs = performance.now();
    this.isOn = true;
  }

  /** @returns milliseconds measured */
  stop(): number {
    this.isOn = false;
    return performance.now() - this.#startMs;
  }

  answered(kind: number, sentMs: number, nowMs: number, err: number): void {
    if (err !== 0) this.#errors.set(err, (this.#errors.get(err) ?? 0) + 1);
    if (!this.isOn) return;
    (this.#histograms[kind] as Histogram).add((nowMs - sentMs) * 1000);
    const slot = Math.floor((nowMs - this.#startMs) / TIMELINE_MS);
    this.#timeline[slot] = (this.#timeline[slot] ?? 0) + 1;
  }

  result(measuredMs: number, generatorBusy: number): DriveResult {
    const all = new Histogram();
    for (const histogram of this.#histograms) all.addAll(histogram);
    return {
      perSecond: (all.count / measuredMs) * 1000,
      all,
      byKind: new Map(this.#kinds.map((kind, index) => [kind, this.#histograms[index] as Histogram])),
      timeline: Array.from(this.#timeline, (count) => count ?? 0),
      errors: this.#errors,
      generatorBusy,
    };
  }
}

/** One session's requests in flight: when each was sent and what it was, in a ring. */
class Lane {
  readonly #session: LoadSession;
  readonly #write: (session: LoadSession) => number;
  readonly #window: number;
  readonly #meter: Meter;
  readonly #sentMs: Float64Array;
  readonly #kinds: Uint8Array;
  #first = 0;
  #count = 0;
  #isEnding = false;
  #onDrained: () => void = () => {};

  constructor(session: LoadSession, write: (session: LoadSession) => number, window: number, meter: Meter) {
    this.#session = session;
    this.#write = write;
    this.#window = window;
    this.#meter = meter;
    this.#sentMs = new Float64Array(window);
    this.#kinds = new Uint8Array(window);
  }

  start(): void {
    this.#session.onReply = (err) => this.#answered(err);
    this.#session.onBatch = () => this.#fill();
    this.#fill();
  }

  #answered(err: number): void {
    const at = this.#first;
    this.#first = at + 1 === this.#window ? 0 : at + 1;
    this.#count--;
    this.#meter.answered(this.#kinds[at] as number, this.#sentMs[at] as number, this.#session.arrivedMs, err);
  }

  #fill(): void {
    if (this.#isEnding) {
      if (this.#count === 0) this.#onDrained();
      return;
    }
    const nowMs = performance.now();
    while (this.#count < this.#window) {
      const at = (this.#first + this.#count) % this.#window;
      this.#kinds[at] = this.#write(this.#session);
      this.#sentMs[at] = nowMs;
      this.#count++;
    }
    this.#session.flush();
  }

  /** Sends no more; resolves when every request is answered. */
  drained(): Promise<void> {
    this.#isEnding = true;
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      if (this.#count === 0) resolve();
    });
  }

  end(): void {
    this.#isEnding = true;
    this.#session.onReply = this.#session.answerCall;
    this.#session.onBatch = () => {};
    this.#session.onLost = () => {};
  }
}
