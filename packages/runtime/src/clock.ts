/**
 * Time as the rest of the house sees it. Machines take the time as an input; only their drivers hold a Clock, so that
 * a test or the simulator can stand in the place of the operating system.
 */
export interface Timer {
  /** After this the callback is never called. Cancelling twice, or after it was called, does nothing. */
  cancel(): void;
}

export interface TimerOptions {
  /** True: a process with nothing else to do may end without waiting for this timer. Default false. */
  background?: boolean;
}

export interface Clock {
  /** Milliseconds, with fractions, since some fixed moment; never goes back. For durations and deadlines. */
  monotonicMs(): number;
  /** Whole milliseconds since 1970; may jump. Only for what people and other servers read: ctime, mtime, log lines. */
  wallMs(): number;
  /** Calls `callback` once, `delayMs` from now at the earliest, never within this call. */
  setTimer(delayMs: number, callback: () => void, options?: TimerOptions): Timer;
  /** Calls `callback` soon, after input and output that is already waiting: how long work is cut into slices. */
  defer(callback: () => void): void;
}
