/** The clock of one machine: it may run a little fast or slow, and the time on its wall may jump. */
import type { Clock, Timer } from "@vivarium/runtime";
import type { EventLoop } from "./event-loop.ts";
import type { Machine } from "./machine.ts";

/** Some moment in 2024: traces and Stats show times that look like times. */
const WALL_START_MS = 1_720_000_000_000;

export class MachineClock implements Clock {
  readonly #machine: Machine;
  readonly #loop: EventLoop;
  readonly rate: number;
  #wallOffsetMs = WALL_START_MS;
  /** What the clock has shown at least: no timer runs before its time, however sums are rounded. */
  #shownMs = 0;

  constructor(machine: Machine, loop: EventLoop, rate: number) {
    this.#machine = machine;
    this.#loop = loop;
    this.rate = rate;
  }

  monotonicMs(): number {
    return Math.max(this.#shownMs, this.#loop.nowMs * this.rate);
  }

  wallMs(): number {
    return Math.floor(this.#wallOffsetMs + this.#loop.nowMs * this.rate);
  }

  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const { process } = this.#machine;
    if (this.rate === 1) return this.#loop.after(Math.max(0, delayMs), process, callback);
    const localMs = this.monotonicMs() + Math.max(0, delayMs);
    return this.#loop.schedule(localMs / this.rate, process, () => {
      this.#shownMs = Math.max(this.#shownMs, localMs);
      callback();
    });
  }

  defer(callback: () => void): void {
    this.#loop.after(0, this.#machine.process, callback);
  }
}
