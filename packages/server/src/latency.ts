/** Minimum, average and maximum of what one connection or the whole server has measured; times in milliseconds. */
export class Latency {
  count = 0;
  totalMs = 0;
  minMs = 0;
  maxMs = 0;

  add(ms: number): void {
    if (this.count === 0 || ms < this.minMs) this.minMs = ms;
    if (ms > this.maxMs) this.maxMs = ms;
    this.count++;
    this.totalMs += ms;
  }

  get averageMs(): number {
    return this.count === 0 ? 0 : this.totalMs / this.count;
  }

  reset(): void {
    this.count = 0;
    this.totalMs = 0;
    this.minMs = 0;
    this.maxMs = 0;
  }
}

/** Each power of two is divided into this many buckets; values below it have one each. */
const STEPS = 32;
const BUCKETS = STEPS * 28;

/** A latency that also knows its percentiles, within a thirtieth, in memory that does not grow. */
export class LatencyDistribution extends Latency {
  readonly #buckets = new Float64Array(BUCKETS);

  override add(ms: number): void {
    super.add(ms);
    const at = bucketOf(Math.max(0, Math.floor(ms)));
    this.#buckets[at] = (this.#buckets[at] as number) + 1;
  }

  override reset(): void {
    super.reset();
    this.#buckets.fill(0);
  }

  /** The time that this part of all measurements did not exceed, in whole milliseconds; `part` from 0 to 1. */
  percentileMs(part: number): number {
    let left = Math.ceil(part * this.count);
    for (let at = 0; at < BUCKETS && left > 0; at++) {
      left -= this.#buckets[at] as number;
      if (left <= 0) return Math.min(bucketStart(at + 1) - 1, Math.floor(this.maxMs));
    }
    return 0;
  }
}

function bucketOf(ms: number): number {
  if (ms < STEPS) return ms;
  const power = Math.min(Math.floor(Math.log2(ms)), 31);
  const within = Math.floor(ms / 2 ** (power - 5)) - STEPS;
  return Math.min((power - 4) * STEPS + within, BUCKETS - 1);
}

function bucketStart(at: number): number {
  if (at < 2 * STEPS) return at;
  const power = Math.floor(at / STEPS) + 4;
  return (STEPS + (at % STEPS)) * 2 ** (power - 5);
}
