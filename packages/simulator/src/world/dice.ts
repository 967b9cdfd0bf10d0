/** Draws from one stream of the seed, in the units that faults and workloads are made of. */
import type { Random, SeededRandom } from "@vivarium/runtime";

/** Durations are multiples of this many milliseconds: sums of them stay exact, whatever their order. */
const QUANTUM_MS = 1 / 16;
const STEPS = 2 ** 30;

export class Dice {
  readonly random: Random;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  int(below: number): number {
    return this.random.int(below);
  }

  /** `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.random.int(to - from + 1);
  }

  chance(probability: number): boolean {
    return this.random.int(STEPS) < probability * STEPS;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.random.int(choices.length)] as T;
  }

  /** Milliseconds, evenly between two limits. */
  ms(from: number, to: number): number {
    return quantize(from + ((to - from) * this.random.int(STEPS)) / STEPS);
  }

  /** Milliseconds until something that happens on average every `meanMs`. */
  waitMs(meanMs: number): number {
    const even = (this.random.int(STEPS) + 1) / STEPS;
    return quantize(-meanMs * Math.log(even));
  }
}

export function quantize(ms: number): number {
  return Math.round(ms / QUANTUM_MS) * QUANTUM_MS;
}
