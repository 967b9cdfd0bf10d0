/**
 * A queue of actions on their way: in order, each at its time at the earliest, and none while the gate is shut. With
 * nothing before it and no delay, an action happens at once, within the call.
 */
import type { Clock, Timer } from "@vivarium/runtime";

interface Waiting {
  readonly atMs: number;
  readonly action: () => void;
}

export class Gate {
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #shut = false;
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when whatever passes now would not happen at once. */
  get isBusy(): boolean {
    return this.#shut || this.#waiting.length > 0;
  }

  pass(action: () => void, delayMs = 0): void {
    if (!this.isBusy && delayMs <= 0) return action();
    this.#waiting.push({ atMs: this.#clock.monotonicMs() + delayMs, action });
    this.#arm();
  }

  shut(): void {
    this.#shut = true;
    this.#disarm();
  }

  open(): void {
    this.#shut = false;
    this.#run();
  }

  /** Opens the gate, and all that waits happens now. */
  hurry(): void {
    this.#shut = false;
    this.#disarm();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { action } of waiting) action();
  }

  /** Everything that waits will not happen. */
  clear(): void {
    this.#waiting = [];
    this.#disarm();
  }

  #run(): void {
    for (let next = this.#waiting[0]; !this.#shut && next !== undefined; next = this.#waiting[0]) {
      if (next.atMs > this.#clock.monotonicMs()) break;
      this.#waiting.shift();
      next.action();
    }
    this.#arm();
  }

  #arm(): void {
    const next = this.#waiting[0];
    if (this.#shut || this.#timer !== null || next === undefined) return;
    this.#timer = this.#clock.setTimer(next.atMs - this.#clock.monotonicMs(), () => {
      this.#timer = null;
      this.#run();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
