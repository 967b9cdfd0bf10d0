/**
 * The last committed transactions in memory, without a gap, from which a leader serves learners that are only a little
 * behind. One per server: it outlives roles, so that a new leader can serve what it learned as a follower.
 *
 *   before ─► entries, each the successor of the one before it ─► last
 *
 * @see known-protocol-bugs, 4925 and design rule 6
 */
import { type Zxid, zxidCounter, zxidEpoch } from "@vivarium/protocol";

export interface LogEntry {
  readonly zxid: Zxid;
  /** Header, body and digest, as in the log. */
  readonly entry: Uint8Array;
}

/** Apache's `zookeeper.commitLogCount`. */
export const COMMIT_LOG_COUNT = 500;

/** Within an epoch counters follow each other; a later epoch begins with 1. */
export function isSuccessor(zxid: Zxid, previous: Zxid): boolean {
  return zxid === previous + 1 || (zxidEpoch(zxid) > zxidEpoch(previous) && zxidCounter(zxid) === 1);
}

export class CommittedLog {
  readonly #limit: number;
  /** Entries before `#first` are dropped already; compacted now and then. */
  #entries: LogEntry[] = [];
  #first = 0;
  #before: Zxid;
  /** Entries after this one are kept whatever the limit says: a leader sets it to what its tree has applied. */
  keepAfter: Zxid = Number.POSITIVE_INFINITY;

  /** @param last what the tree stands at; entries follow it. */
  constructor(last: Zxid, limit = COMMIT_LOG_COUNT) {
    this.#before = last;
    this.#limit = limit;
  }

  /** What stands directly before the first entry; history before it is not here. */
  get before(): Zxid {
    return this.#before;
  }

  get last(): Zxid {
    return this.#entries.at(-1)?.zxid ?? this.#before;
  }

  get length(): number {
    return this.#entries.length - this.#first;
  }

  /** Forgets all: the tree now stands at `last`, however it came there. */
  reset(last: Zxid): void {
    this.#entries = [];
    this.#first = 0;
    this.#before = last;
  }

  /** Adds the successor. One that is not begins the log anew, for nobody may be served across a gap. */
  add(zxid: Zxid, entry: Uint8Array, { checked = true } = {}): void {
    if (checked && !isSuccessor(zxid, this.last)) this.reset(zxid - 1);
    this.#entries.push({ zxid, entry });
    while (this.length > this.#limit && (this.#entries[this.#first] as LogEntry).zxid <= this.keepAfter) {
      this.#before = (this.#entries[this.#first] as LogEntry).zxid;
      this.#first++;
    }
    if (this.#first > this.#limit) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** The last zxid of this history that is not after `zxid`; undefined if that is before all that is here. */
  floor(zxid: Zxid): Zxid | undefined {
    if (zxid < this.#before) return undefined;
    const index = this.#indexAfter(zxid) - 1;
    return index < this.#first ? this.#before : (this.#entries[index] as LogEntry).zxid;
  }

  /** Entries after `zxid`, in order. */
  after(zxid: Zxid): LogEntry[] {
    return this.#entries.slice(this.#indexAfter(zxid));
  }

  /** Index of the first entry after `zxid`. */
  #indexAfter(zxid: Zxid): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as LogEntry).zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
