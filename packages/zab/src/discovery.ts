/**
 * Discovery, the leader's side: which epoch is new to a quorum, and whether that quorum knows nothing that the leader
 * does not. A quorum that has promised the new epoch will listen to no leader of an older one; and any transaction that
 * was ever committed is known to one of its members, hence to the leader.
 *
 * @see fact sheet "quorum-protocol", section 6; Leader.getEpochToPropose, waitForEpochAck
 */
import type { Zxid } from "@vivarium/protocol";
import type { QuorumVerifier } from "./quorum-verifier.ts";
import type { Rules } from "./rules.ts";

export interface History {
  readonly currentEpoch: number;
  readonly lastZxid: Zxid;
}

export class Discovery {
  readonly #own: History;
  readonly #verifier: QuorumVerifier;
  readonly #rules: Rules;
  readonly #told: Set<number>;
  readonly #acked: Set<number>;
  #highestAccepted: number;
  #epoch: number | null = null;

  constructor(id: number, own: History & { acceptedEpoch: number }, verifier: QuorumVerifier, rules: Rules) {
    this.#own = own;
    this.#verifier = verifier;
    this.#rules = rules;
    this.#told = new Set([id]);
    this.#acked = new Set([id]);
    this.#highestAccepted = own.acceptedEpoch;
  }

  /** The new epoch, once a quorum has told what it accepted before. */
  get epoch(): number | null {
    return this.#epoch;
  }

  /** A learner tells the epoch it accepted last; those of observers raise the new one, but do not count. */
  tell(id: number, acceptedEpoch: number, follower: boolean): void {
    if (this.#epoch !== null) return;
    if (this.#rules.epochAboveAllAccepted) this.#highestAccepted = Math.max(this.#highestAccepted, acceptedEpoch);
    if (follower || !this.#rules.countOnlyVoters) this.#told.add(id);
    this.decide();
  }

  /** Settles the epoch if a quorum has told; alone at the start, for an ensemble of one. */
  decide(): void {
    if (this.#epoch === null && this.#isQuorum(this.#told)) this.#epoch = this.#highestAccepted + 1;
  }

  /** A learner accepted the epoch. @returns false if it knows more than we do: then it must not be counted. */
  ack(id: number, { currentEpoch, lastZxid }: History, follower: boolean): boolean {
    const own = this.#own;
    const knowsMore = currentEpoch > own.currentEpoch || (currentEpoch === own.currentEpoch && lastZxid > own.lastZxid);
    if (knowsMore && this.#rules.leaderHasLongestHistory) return false;
    if ((follower || !this.#rules.countOnlyVoters) && lastZxid !== -1) this.#acked.add(id);
    return true;
  }

  get acknowledged(): boolean {
    return this.#isQuorum(this.#acked);
  }

  #isQuorum(ids: ReadonlySet<number>): boolean {
    if (!this.#rules.countOnlyVoters) return ids.size > this.#verifier.voters.length >> 1;
    return this.#verifier.hasQuorum((id) => ids.has(id));
  }
}
