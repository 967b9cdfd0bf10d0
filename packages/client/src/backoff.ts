/** How long to wait before the next round of attempts: doubling, with full jitter, so that clients do not come in step. */
import type { Random } from "@vivarium/runtime";

export interface BackoffOptions {
  /** Longest wait before the second round, in milliseconds. Default 100. */
  firstMs?: number;
  /** Longest wait of all, in milliseconds. Default 10 000. */
  maxMs?: number;
}

export class Backoff {
  readonly #random: Random;
  readonly #firstMs: number;
  readonly #maxMs: number;
  #rounds = 0;

  constructor(random: Random, { firstMs = 100, maxMs = 10_000 }: BackoffOptions = {}) {
    this.#random = random;
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** Between half and all of the current limit: never nothing, so that no loop can be hot. */
  nextMs(): number {
    const limit = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#rounds, 30));
    this.#rounds++;
    return limit / 2 + this.#random.int(Math.ceil(limit / 2) + 1);
  }

  reset(): void {
    this.#rounds = 0;
  }
}
