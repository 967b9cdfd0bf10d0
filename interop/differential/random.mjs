// Seeded randomness: the same seed gives the same operations on every machine and every version of Node.

/** Small and good enough to spread operations: mulberry32. */
export class SeededRandom {
  #state;

  constructor(seed) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
  }

  /** 0 <= value < 1 */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer from `low` to `high`, both included. */
  int(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(items) {
    return items[this.int(0, items.length - 1)];
  }

  /** @param {[number, any][]} weighted pairs of weight and item */
  weighted(weighted) {
    let left = this.next() * weighted.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of weighted) {
      left -= weight;
      if (left < 0) return item;
    }
    return weighted[0][1];
  }

  /** `count` items, each made by `make`. */
  list(count, make) {
    return Array.from({ length: count }, make);
  }
}
