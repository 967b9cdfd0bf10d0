/**
 * What time it is in this turn of the event loop: read at the first question and kept until the turn's output leaves,
 * because a turn may answer hundreds of requests and each of them is only counted by it.
 */
import type { Clock } from "@vivarium/runtime";

export class TurnClock {
  readonly #clock: Clock;
  #monotonicMs = -1;
  #wallMs = -1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get monotonicMs(): number {
    if (this.#monotonicMs < 0) this.#monotonicMs = this.#clock.monotonicMs();
    return this.#monotonicMs;
  }

  get wallMs(): number {
    if (this.#wallMs < 0) this.#wallMs = this.#clock.wallMs();
    return this.#wallMs;
  }

  endTurn(): void {
    this.#monotonicMs = -1;
    this.#wallMs = -1;
  }
}
