/**
 * Deadlines rounded up to ticks, so that moving one costs nothing while it stays in its tick and thousands that fall
 * due together are found together. Holds sessions and connections alike.
 *
 * An entry falls due between its timeout and one tick more after it was last touched. @see ExpiryQueue
 */

export interface Expiring {
  /** The tick at which this entry falls due, in milliseconds of the monotonic clock; set by the queue. */
  dueMs: number;
}

export class ExpiryQueue<T extends Expiring> {
  readonly #tickMs: number;
  readonly #buckets = new Map<number, Set<T>>();

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** Puts the entry's deadline at `timeoutMs` from now. */
  touch(entry: T, timeoutMs: number, nowMs: number): void {
    const dueMs = (Math.floor((nowMs + timeoutMs) / this.#tickMs) + 1) * this.#tickMs;
    if (dueMs === entry.dueMs) return;
    this.remove(entry);
    entry.dueMs = dueMs;
    const bucket = this.#buckets.get(dueMs);
    if (bucket === undefined) this.#buckets.set(dueMs, new Set([entry]));
    else bucket.add(entry);
  }

  remove(entry: T): void {
    const bucket = this.#buckets.get(entry.dueMs);
    if (bucket === undefined) return;
    bucket.delete(entry);
    if (bucket.size === 0) this.#buckets.delete(entry.dueMs);
    entry.dueMs = 0;
  }

  /** Takes out up to `limit` entries that are due by `nowMs`, earliest tick first. */
  takeDue(nowMs: number, limit: number): T[] {
    const due: T[] = [];
    for (const dueMs of [...this.#buckets.keys()].filter((ms) => ms <= nowMs).sort((a, b) => a - b)) {
      for (const entry of this.#buckets.get(dueMs) ?? []) {
        if (due.length === limit) return due;
        this.remove(entry);
        due.push(entry);
      }
    }
    return due;
  }

  /** The ticks that hold entries, in order: what the four-letter word `dump` shows. */
  *sets(): Generator<readonly [dueMs: number, entries: ReadonlySet<T>]> {
    for (const dueMs of [...this.#buckets.keys()].sort((a, b) => a - b)) {
      yield [dueMs, this.#buckets.get(dueMs) as Set<T>];
    }
  }
}
