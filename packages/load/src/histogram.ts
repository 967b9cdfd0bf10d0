/**
 * How long requests took, in microseconds: counts in buckets that are exact to 63 µs and at most 1/64 wide above, so
 * that adding costs a few instructions and a histogram has the same small size after any number of requests.
 */
const SUB_BITS = 6;
const SUB_BUCKETS = 1 << SUB_BITS;
const MAX_US = 0x7fff_ffff;
const BUCKETS = (31 - SUB_BITS + 1) * SUB_BUCKETS;

function bucketOf(us: number): number {
  if (us < SUB_BUCKETS) return us;
  const exponent = 31 - Math.clz32(us);
  return (exponent - SUB_BITS + 1) * SUB_BUCKETS + ((us >> (exponent - SUB_BITS)) & (SUB_BUCKETS - 1));
}

/** The largest value that falls into a bucket. */
function topOf(bucket: number): number {
  const octave = bucket >> SUB_BITS;
  if (octave === 0) return bucket;
  const width = 2 ** (octave - 1);
  return (SUB_BUCKETS + (bucket & (SUB_BUCKETS - 1)) + 1) * width - 1;
}

export class Histogram {
  count = 0;
  /** The longest, exact. */
  mostUs = 0;
  readonly #counts = new Uint32Array(BUCKETS);

  add(us: number): void {
    const whole = us < 0 ? 0 : us > MAX_US ? MAX_US : us | 0;
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.count++;
    if (whole > this.mostUs) this.mostUs = whole;
  }

  addAll(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#counts[bucket] = (this.#counts[bucket] as number) + (other.#counts[bucket] as number);
    }
    this.count += other.count;
    this.mostUs = Math.max(this.mostUs, other.mostUs);
  }

  /** The time within which `share` (0 to 1) of the requests were answered; 0 when there were none. */
  percentileUs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= wanted) return Math.min(topOf(bucket), this.mostUs);
    }
    return this.mostUs;
  }
}
