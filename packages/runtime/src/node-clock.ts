/** The Clock of the operating system. */
import type { Clock, Timer, TimerOptions } from "./clock.ts";

export class NodeClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  setTimer(delayMs: number, callback: () => void, options?: TimerOptions): Timer {
    return new NodeTimer(delayMs, callback, options?.background === true);
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }
}

/** Node fires a longer delay at once, so longer ones are waited for in parts. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

class NodeTimer implements Timer {
  readonly #callback: () => void;
  readonly #background: boolean;
  #timeout: NodeJS.Timeout | undefined;

  constructor(delayMs: number, callback: () => void, background: boolean) {
    this.#callback = callback;
    this.#background = background;
    this.#start(delayMs);
  }

  #start(delayMs: number): void {
    this.#timeout =
      delayMs > LONGEST_DELAY_MS
        ? setTimeout(() => this.#start(delayMs - LONGEST_DELAY_MS), LONGEST_DELAY_MS)
        : setTimeout(this.#callback, Math.max(0, Math.ceil(delayMs)));
    if (this.#background) this.#timeout.unref();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}
