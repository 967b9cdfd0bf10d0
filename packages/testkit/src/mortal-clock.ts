/**
 * The time of one server's life. When the server is killed its timers end with it, so that nothing of it happens later
 * and nothing stays open.
 */
import type { Clock, Timer, TimerOptions } from "@vivarium/runtime";

export class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers set and neither fired nor cancelled. */
  get openTimers(): number {
    return this.#timers.size;
  }

  end(): void {
    this.#isOver = true;
    for (const timer of [...this.#timers]) timer.cancel();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  setTimer(delayMs: number, callback: () => void, options?: TimerOptions): Timer {
    if (this.#isOver) return { cancel: () => {} };
    const inner = this.#clock.setTimer(
      delayMs,
      () => {
        this.#timers.delete(timer);
        callback();
      },
      options,
    );
    const timer: Timer = {
      cancel: () => {
        this.#timers.delete(timer);
        inner.cancel();
      },
    };
    this.#timers.add(timer);
    return timer;
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => {
      if (!this.#isOver) callback();
    });
  }
}
