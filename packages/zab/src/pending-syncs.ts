/**
 * Syncs that a leader has been asked for, in the order they came. One is answered when
 *
 *   - all that was proposed before it is committed, and
 *   - a quorum has answered a ping that was sent after it came: so nobody else had a quorum then, and whatever anybody
 *     had been told is committed here.
 *
 * While a round of pings that was begun for a sync is under way, the syncs that come wait for the next one: however many there are, one ping per
 * round trip is enough. Apache's leader does not ask, and answers from the past until it notices that it was deposed.
 *
 * @see fact sheet "known-protocol-bugs", section E
 */
import type { Zxid } from "@vivarium/protocol";
import { Fifo } from "./fifo.ts";
import type { Link } from "./leader-io.ts";
import type { PingRounds } from "./ping-rounds.ts";

export interface PendingSync {
  readonly zxid: Zxid;
  /** The ping that must be answered; 0 for none. */
  readonly round: number;
  /** Whose learner's, or null for the leader's own clients. */
  readonly link: Link | null;
  readonly id: number;
}

export class PendingSyncs {
  readonly #waiting = new Fifo<PendingSync>();
  readonly #pings: PingRounds;
  /** The last round that was begun for a sync. */
  #asked = 0;

  constructor(pings: PingRounds) {
    this.#pings = pings;
  }

  push(sync: PendingSync): void {
    this.#waiting.push(sync);
  }

  /** Takes the first out if it may be answered. @param outstanding the first zxid that is not committed */
  next(outstanding: Zxid): PendingSync | undefined {
    const first = this.#waiting.at(0);
    if (first === undefined || first.zxid >= outstanding) return undefined;
    return first.round === 0 || this.#pings.isAnswered(first.round) ? this.#waiting.shift() : undefined;
  }

  /** Whether a round of pings is to begin now, for those who wait for one that nobody has begun. */
  needsRound(): boolean {
    const { round } = this.#pings;
    if ((this.#waiting.last()?.round ?? 0) <= round || !this.#pings.isAnswered(this.#asked)) return false;
    this.#asked = round + 1;
    return true;
  }
}
