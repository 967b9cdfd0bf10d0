/**
 * Pings in rounds, and which of them a quorum has answered. Each round goes to all learners in service at once, and each
 * learner answers them in order; so counting its answers tells which round it has answered.
 */
import type { LearnerLink } from "./learner-link.ts";
import type { Quorums } from "./quorum-verifier.ts";

export class PingRounds {
  readonly #own: number;
  readonly #quorums: Quorums;
  readonly #linkOf: (serverId: number) => LearnerLink | undefined;
  #round = 0;
  #answered = 0;

  /** @param linkOf the connection of a server that has one */
  constructor(own: number, quorums: Quorums, linkOf: (serverId: number) => LearnerLink | undefined) {
    this.#own = own;
    this.#quorums = quorums;
    this.#linkOf = linkOf;
  }

  /** The last one that was sent. */
  get round(): number {
    return this.#round;
  }

  begin(): void {
    this.#round++;
  }

  /** Whether a quorum has answered that round, or a later one. */
  isAnswered(round: number): boolean {
    if (round <= this.#answered) return true;
    const isAnswered = round <= this.#round && this.#quorums.hasQuorum((id) => this.#hasAnswered(id, round));
    if (isAnswered) this.#answered = round;
    return isAnswered;
  }

  #hasAnswered(serverId: number, round: number): boolean {
    if (serverId === this.#own) return true;
    const link = this.#linkOf(serverId);
    return link?.follower === true && link.answeredRound >= round;
  }
}
