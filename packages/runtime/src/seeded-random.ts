/**
 * Randomness that one seed repeats exactly, for tests and the simulator: Chris Doty-Humphrey's sfc32, which is small,
 * fast in 32-bit arithmetic and passes PractRand. Never for anything that must not be guessed.
 */
import type { Random } from "./random.ts";

const WARM_UP_ROUNDS = 15;

export class SeededRandom implements Random {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#seed = seed;
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.#next();
  }

  /** A stream of its own for one purpose: what is drawn from it leaves the other streams of the seed unchanged. */
  fork(name: string): SeededRandom {
    let hash = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    return new SeededRandom((this.#seed ^ hash) >>> 0 || hash >>> 0);
  }

  int(below: number): number {
    if (!(below >= 1 && below <= 0x1_0000_0000)) throw new RangeError(`int(below): 1 to 2^32 expected, not ${below}`);
    return Math.floor((this.#next() / 0x1_0000_0000) * below);
  }

  bytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[i] = this.#next() & 0xff;
    return bytes;
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }
}
