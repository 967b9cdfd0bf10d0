/**
 * Looks for more input for a moment before the event loop goes to sleep. A processor that has gone to sleep takes tens of
 * microseconds to wake, longer than a read takes to answer; a client that sends one request after another waits for that
 * every time.
 *
 * It costs only while it pays: input must have come in quick succession, or nothing is looked for at all; and where
 * somebody else wants the processor, it is left to them for a while.
 */

/** Weight of the last gap in the average of gaps. */
const GAP_WEIGHT = 1 / 8;
/** A turn without input that took longer was interrupted by somebody who needs the processor, or had other work itself. */
const INTERRUPTED_MS = 0.5;
/** For so long the processor is left to them. */
const YIELD_MS = 1000;
/** Interrupted for this long, the process was not let run, as where a container has used up its share: that is worse. */
const THROTTLED_MS = 10;
/** Each time that happens again the pause is twice as long, up to this. */
const LONGEST_YIELD_MS = 60_000;

export interface BusyPollOptions {
  /** How long is looked for more, in milliseconds, and the longest average gap at which it is. */
  readonly forMs: number;
  now(): number;
  /** Calls back in the next turn of the event loop, and keeps that from sleeping before it. */
  defer(callback: () => void): void;
}

export class BusyPoll {
  readonly #options: BusyPollOptions;
  #lastInputMs = Number.NEGATIVE_INFINITY;
  #averageGapMs: number;
  #isPolling = false;
  #lastLookMs = 0;
  #yieldUntilMs = Number.NEGATIVE_INFINITY;
  #throttledYieldMs = YIELD_MS;

  constructor(options: BusyPollOptions) {
    this.#options = options;
    this.#averageGapMs = 2 * options.forMs;
  }

  /** Input has arrived. */
  input(): void {
    const { forMs, now } = this.#options;
    const nowMs = now();
    // A long pause says no more than that the input was not quick: it must not take long to be quick again.
    const gapMs = Math.min(nowMs - this.#lastInputMs, 4 * forMs);
    this.#averageGapMs += (gapMs - this.#averageGapMs) * GAP_WEIGHT;
    this.#lastInputMs = nowMs;
    if (this.#isPolling || this.#averageGapMs > forMs || nowMs < this.#yieldUntilMs) return;
    this.#isPolling = true;
    this.#look(nowMs);
  }

  #look(nowMs: number): void {
    this.#lastLookMs = nowMs;
    this.#options.defer(this.#again);
  }

  readonly #again = (): void => {
    const { forMs, now } = this.#options;
    const nowMs = now();
    const wasIdle = this.#lastInputMs < this.#lastLookMs;
    if (wasIdle && nowMs - this.#lastLookMs > INTERRUPTED_MS) this.#interrupted(nowMs - this.#lastLookMs, nowMs);
    if (nowMs - this.#lastInputMs <= forMs && nowMs >= this.#yieldUntilMs) this.#look(nowMs);
    else this.#isPolling = false;
  };

  #interrupted(forMs: number, nowMs: number): void {
    if (forMs < THROTTLED_MS) {
      this.#yieldUntilMs = nowMs + YIELD_MS;
      return;
    }
    const isLongAgo = nowMs - this.#yieldUntilMs > 10 * this.#throttledYieldMs;
    this.#throttledYieldMs = isLongAgo ? YIELD_MS : Math.min(2 * this.#throttledYieldMs, LONGEST_YIELD_MS);
    this.#yieldUntilMs = nowMs + this.#throttledYieldMs;
  }
}
