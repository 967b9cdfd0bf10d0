/**
 * Time that stands still until a test moves it, while everything that is due now still happens by itself: replies
 * arrive and disks answer, but no session grows older.
 */
import { type Timer, VirtualClock } from "@vivarium/runtime";

export class TestClock extends VirtualClock {
  #pump: NodeJS.Immediate | null = null;

  override setTimer(delayMs: number, callback: () => void): Timer {
    const timer = super.setTimer(delayMs, callback);
    if (delayMs <= 0) this.#schedule();
    return timer;
  }

  /** Runs what is due on a fresh turn, so that promises settle in between as they would in real time. */
  #schedule(): void {
    if (this.#pump !== null) return;
    this.#pump = setImmediate(() => {
      this.#pump = null;
      this.advance(0);
      if (this.nextDueMs() === 0) this.#schedule();
    });
  }

  /** Moves time on, from one thing that is due to the next, until the promise settles. */
  async runUntilSettled<T>(promise: Promise<T>, limitMs: number): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    const untilMs = this.monotonicMs() + limitMs;
    await this.run(0);
    while (!settled) {
      const stepMs = this.nextDueMs();
      if (stepMs === null) throw new Error("nothing is due any more, and the promise is not settled");
      if (this.monotonicMs() + stepMs > untilMs) {
        throw new Error(`${limitMs} ms of virtual time have passed, and the promise is not settled`);
      }
      await this.run(stepMs);
    }
    return promise;
  }
}
