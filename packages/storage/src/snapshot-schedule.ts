/**
 * When a snapshot is due: after snapCount transactions or snapSizeLimitInKb of log, each less a random part of up to
 * half, so that the servers of an ensemble do not all take theirs at once.
 */
import type { Random } from "@vivarium/runtime";
import type { StorageConfig } from "./storage-config.ts";

const TWO_POW_32 = 0x1_0000_0000;
/** Apache's least snapCount. */
const MIN_SNAP_COUNT = 2;

export class SnapshotSchedule {
  readonly #random: Random;
  readonly #halfCount: number;
  readonly #halfBytes: number;
  #txns = 0;
  #bytes = 0;
  #txnLimit = 0;
  #byteLimit = 0;

  constructor(config: Pick<StorageConfig, "snapCount" | "snapSizeLimitInKb">, random: Random) {
    this.#random = random;
    this.#halfCount = Math.floor(Math.max(config.snapCount, MIN_SNAP_COUNT) / 2);
    this.#halfBytes = config.snapSizeLimitInKb > 0 ? config.snapSizeLimitInKb * 512 : Number.POSITIVE_INFINITY;
    this.restart(0);
  }

  /** A snapshot was begun, or the server started with `txns` transactions that its last one lacks. */
  restart(txns: number): void {
    this.#txns = txns;
    this.#bytes = 0;
    this.#txnLimit = this.#halfCount + this.#below(this.#halfCount);
    this.#byteLimit = this.#halfBytes + (Number.isFinite(this.#halfBytes) ? this.#below(this.#halfBytes) : 0);
  }

  /** Counts a logged transaction; true when a snapshot is due. */
  count(bytes: number): boolean {
    this.#txns++;
    this.#bytes += bytes;
    return this.#txns > this.#txnLimit || this.#bytes > this.#byteLimit;
  }

  #below(limit: number): number {
    return Math.floor((this.#random.int(TWO_POW_32) / TWO_POW_32) * limit);
  }
}
