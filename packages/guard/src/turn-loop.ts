/**
 * An event loop whose turns are counted: the clock of servers whose every step is to be the same in each run. A turn runs
 * what was deferred before it and the timers that are due, then lets promises settle, and takes a fixed time.
 *
 * Time passes only by turns, or, for who wants to wait, jumps to the next timer when there is nothing else to do.
 */
import type { Clock, Timer } from "@vivarium/runtime";

/** Odd on purpose: real times have fractions, and V8 keeps whole numbers in less memory than others. */
const TURN_MS = 0.27;
const WALL_START_MS = 1_720_000_000_000;
/** Nothing that is measured takes so many. */
const MAX_TURNS = 1_000_000;

interface Waiting extends Timer {
  readonly dueMs: number;
  callback: (() => void) | null;
}

export class TurnLoop implements Clock {
  #nowMs = TURN_MS;
  #deferred: (() => void)[] = [];
  #running: (() => void)[] = [];
  #timers: Waiting[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return Math.floor(WALL_START_MS + this.#nowMs);
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: Waiting = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      callback,
      cancel() {
        timer.callback = null;
      },
    };
    this.#timers.push(timer);
    return timer;
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /**
   * Turns until `done`, which is asked before each of them.
   * @param waits whether time may jump
   * @returns how many turns it took
   */
  run(done: () => boolean, { waits = false } = {}): Promise<number> {
    return new Promise((resolve, reject) => {
      let turns = 0;
      const step = (): void => {
        try {
          if (done()) return resolve(turns);
          if (++turns > MAX_TURNS) throw new Error(`not done after ${MAX_TURNS} turns`);
          if (waits && this.#deferred.length === 0) this.#jump();
          this.#turn();
          setImmediate(step);
        } catch (error) {
          reject(error);
        }
      };
      step();
    });
  }

  /** Waits for a promise. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.run(() => settled, { waits: true });
    return promise;
  }

  #turn(): void {
    this.#nowMs += TURN_MS;
    const running = this.#deferred;
    this.#deferred = this.#running;
    this.#running = running;
    for (let i = 0; i < running.length; i++) (running[i] as () => void)();
    running.length = 0;
    if (this.#nextDueMs() <= this.#nowMs) this.#runTimers();
  }

  #jump(): void {
    const dueMs = this.#nextDueMs();
    if (dueMs > this.#nowMs && dueMs !== Number.POSITIVE_INFINITY) this.#nowMs = dueMs;
  }

  #nextDueMs(): number {
    let dueMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#timers.length; i++) {
      const timer = this.#timers[i] as Waiting;
      if (timer.callback !== null && timer.dueMs < dueMs) dueMs = timer.dueMs;
    }
    return dueMs;
  }

  #runTimers(): void {
    const due = this.#timers.filter(({ callback, dueMs }) => callback !== null && dueMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => timer.callback !== null && !due.includes(timer));
    for (const timer of due.sort((a, b) => a.dueMs - b.dueMs)) timer.callback?.();
  }
}
