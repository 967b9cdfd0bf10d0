/**
 * Transactions between proposal and commit: in zxid order in, in zxid order out, each when a quorum has it on disk.
 * Servers acknowledge in order, so what a server has is one number.
 */
import type { Zxid } from "@vivarium/protocol";
import type { LogEntry } from "./committed-log.ts";
import { Fifo } from "./fifo.ts";
import type { Quorums } from "./quorum-verifier.ts";

export class Proposals {
  readonly #quorums: Quorums;
  readonly #outstanding = new Fifo<LogEntry>();
  readonly #acked = new Map<number, Zxid>();
  #candidate: Zxid = 0;
  readonly #hasCandidate = (id: number): boolean => (this.#acked.get(id) ?? -1) >= this.#candidate;

  constructor(quorums: Quorums) {
    this.#quorums = quorums;
  }

  get length(): number {
    return this.#outstanding.length;
  }

  /** The zxid of the first that is not committed; infinity if all are. */
  get first(): Zxid {
    return this.#outstanding.at(0)?.zxid ?? Number.POSITIVE_INFINITY;
  }

  push(zxid: Zxid, entry: Uint8Array): void {
    this.#outstanding.push({ zxid, entry });
  }

  /** The server has all up to `zxid` on disk. */
  ack(id: number, zxid: Zxid): void {
    if (zxid > (this.#acked.get(id) ?? -1)) this.#acked.set(id, zxid);
  }

  /** What that server has acknowledged is worth nothing any more. */
  forget(id: number): void {
    this.#acked.delete(id);
  }

  /** Takes the first out if it is committed. */
  nextCommitted(): LogEntry | undefined {
    const first = this.#outstanding.at(0);
    if (first === undefined) return undefined;
    this.#candidate = first.zxid;
    return this.#quorums.hasQuorum(this.#hasCandidate) ? this.#outstanding.shift() : undefined;
  }

  [Symbol.iterator](): Iterator<LogEntry> {
    return this.#outstanding[Symbol.iterator]();
  }
}
