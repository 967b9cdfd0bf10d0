/**
 * What this member has appended to its log in this term and not applied to its tree. When the term ends it is applied,
 * committed or not, so that the next vote speaks for all that is on disk. The log has it too, but takes as long to read
 * as it is long, and nobody can write meanwhile.
 */
import type { Zxid } from "@vivarium/protocol";
import type { LogEntry } from "@vivarium/zab";
import { Fifo } from "../fifo.ts";

export class UnappliedTail {
  readonly #entries = new Fifo<LogEntry>();

  /** @param applied the zxid at which the tree stands */
  push(entry: LogEntry, applied: Zxid): void {
    this.#forget(applied);
    this.#entries.push(entry);
  }

  #forget(applied: Zxid): void {
    while ((this.#entries.peek()?.zxid ?? Number.POSITIVE_INFINITY) <= applied) this.#entries.shift();
  }

  /** Takes out, oldest first, what the tree does not have; undefined when it has all. */
  take(applied: Zxid): LogEntry | undefined {
    this.#forget(applied);
    return this.#entries.shift();
  }

  /** The tree was made anew from the log. */
  clear(): void {
    this.#entries.clear();
  }
}
