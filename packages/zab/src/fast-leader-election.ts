/**
 * FastLeaderElection: every server tells whom it would follow, adopts better votes, and is done when a quorum agrees.
 *
 *   look ─► tell my vote ─► better one? adopt and tell ─► quorum agrees ─► wait a moment for a better one ─► elected
 *              ▲                                        └ a quorum has a leader already ────────────────────► elected
 *              └── nobody answers: tell again, after ever longer pauses
 *
 * Nobody is waited for who agrees already, or to whom there is no connection: with a leader that was killed, the others
 * are done as soon as they have heard each other.
 *
 * Rounds are numbered (electionEpoch, each server's own count): votes of older rounds do not count, a newer round makes
 * us begin anew. Votes of servers that have a leader are kept apart, because they may be of any round. When the
 * election is over, this machine goes on telling latecomers who leads.
 *
 * Nothing of it is needed for safety, which discovery sees to; a wrong winner only costs time.
 * @see fact sheet "quorum-protocol", section 4; FastLeaderElection
 */
import { NO_VOTE, NOTIFICATION_VERSION, type Notification, ServerState } from "@vivarium/protocol";
import type { ElectionInput, ElectionOptions, ElectionOutput, Vote } from "./election-io.ts";
import { allRules, type Rules } from "./rules.ts";
import { isNewer, supports, type ToldVote, toldVote } from "./vote.ts";

const FINALIZE_WAIT_MS = 200;
const MIN_NOTIFICATION_INTERVAL_MS = 200;
const MAX_NOTIFICATION_INTERVAL_MS = 60_000;

const never = Number.POSITIVE_INFINITY;

export class FastLeaderElection {
  readonly #options: ElectionOptions;
  readonly #rules: Rules;
  #state: ServerState = ServerState.LOOKING;
  #looking = false;
  /** The round: "logical clock". */
  #round = 0;
  #initial: Vote;
  /** What we tell: the proposal while looking, the outcome after. */
  #vote: Vote;
  /** Votes of this round by server. */
  #received = new Map<number, ToldVote>();
  /** Votes of servers that have a leader, of any round. */
  #settled = new Map<number, ToldVote>();
  /** Who was told our vote once more. */
  readonly #repeatedTo = new Set<number>();
  #intervalMs = 0;
  #resendAtMs = never;
  #finalAtMs = never;
  #outputs: ElectionOutput[] = [];

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#rules = options.rules ?? allRules;
    this.#initial = { leader: NO_VOTE, zxid: NO_VOTE, electionEpoch: 0, peerEpoch: NO_VOTE };
    this.#vote = this.#initial;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Whom we would follow, or do. */
  get vote(): Vote {
    return this.#vote;
  }

  /** When the next `tick` is due; infinity when none is. */
  get deadlineMs(): number {
    return Math.min(this.#resendAtMs, this.#finalAtMs);
  }

  /** Observers, and servers of another membership, only listen: nobody counts what they say. */
  get #stands(): boolean {
    const { id, participant, quorums } = this.#options;
    return participant && quorums.isVoter(id);
  }

  step(input: ElectionInput, nowMs: number): ElectionOutput[] {
    this.#outputs = [];
    switch (input.type) {
      case "look":
        this.#look(input.zxid, input.peerEpoch, nowMs);
        break;
      case "notification":
        this.#hear(input.from, input.notification, nowMs);
        break;
      case "tick":
        this.#tick(nowMs);
        break;
      case "disconnected":
        if (this.#finalAtMs !== never && !this.#mayHearBetter()) this.#conclude(this.#vote);
        break;
      case "established":
        this.#vote = { ...this.#vote, peerEpoch: input.epoch };
        break;
    }
    return this.#outputs;
  }

  #look(zxid: number, peerEpoch: number, nowMs: number): void {
    const { id, minNotificationIntervalMs } = this.#options;
    this.#state = ServerState.LOOKING;
    this.#looking = true;
    this.#received.clear();
    this.#settled.clear();
    this.#finalAtMs = never;
    this.#intervalMs = minNotificationIntervalMs ?? MIN_NOTIFICATION_INTERVAL_MS;
    this.#resendAtMs = nowMs + this.#intervalMs;
    this.#round++;
    this.#initial = this.#stands
      ? { leader: id, zxid, electionEpoch: this.#round, peerEpoch }
      : { leader: NO_VOTE, zxid: NO_VOTE, electionEpoch: this.#round, peerEpoch: NO_VOTE };
    this.#propose(this.#initial, nowMs);
  }

  #tick(nowMs: number): void {
    if (!this.#looking) return;
    if (nowMs >= this.#finalAtMs) {
      this.#conclude(this.#vote);
    } else if (nowMs >= this.#resendAtMs) {
      this.#outputs.push({ type: "reconnect" });
      this.#tellAll();
      this.#intervalMs = Math.min(
        this.#intervalMs * 2,
        this.#options.maxNotificationIntervalMs ?? MAX_NOTIFICATION_INTERVAL_MS,
      );
      this.#resendAtMs = nowMs + this.#intervalMs;
    }
  }

  #hear(from: number, notification: Notification, nowMs: number): void {
    const { quorums, id } = this.#options;
    if (from === id) return;
    const voter = quorums.isVoter(from);
    if (this.#stands && this.#needsAnswer(voter, notification)) this.#tell(from);
    if (!this.#looking || !voter || !quorums.isVoter(notification.leader)) return;
    this.#resendAtMs = nowMs + this.#intervalMs;
    if (notification.state === ServerState.LOOKING) this.#hearLooking(from, notification, nowMs);
    else if (notification.state !== ServerState.OBSERVING) this.#hearSettled(from, notification);
  }

  /**
   * Whoever looks while we have a leader, or is rounds behind us, needs to hear from us; and so does an observer, unless
   * it is rounds ahead, when it would not listen. Apache answers observers always and lets them answer too, which goes
   * back and forth for as long as both look.
   */
  #needsAnswer(voter: boolean, { state, electionEpoch }: Notification): boolean {
    if (state !== ServerState.LOOKING) return false;
    return !this.#looking || electionEpoch < this.#round || (!voter && electionEpoch === this.#round);
  }

  #hearLooking(from: number, notification: Notification, nowMs: number): void {
    if (this.#initial.zxid === -1 || notification.zxid === -1) return;
    if (notification.electionEpoch < this.#round) return;
    if (notification.electionEpoch > this.#round) {
      this.#round = notification.electionEpoch;
      this.#received.clear();
      this.#received.set(from, toldVote(notification));
      this.#propose(this.#isNewer(notification, this.#initial) ? notification : this.#initial, nowMs);
      return;
    }
    this.#received.set(from, toldVote(notification));
    if (this.#isNewer(notification, this.#vote)) return this.#propose(notification, nowMs);
    if (this.#isNewer(this.#vote, notification)) this.#repeat(from);
    this.#checkQuorum(nowMs);
  }

  /** Perhaps it had a leader still when it was told our vote. Once, because it may not count what we say, and answer. */
  #repeat(to: number): void {
    if (!this.#stands || this.#repeatedTo.has(to)) return;
    this.#repeatedTo.add(to);
    this.#tell(to);
  }

  #isNewer(vote: Omit<Vote, "electionEpoch">, current: Omit<Vote, "electionEpoch">): boolean {
    return this.#options.quorums.weight(vote.leader) > 0 && isNewer(vote, current);
  }

  #hearSettled(from: number, notification: Notification): void {
    const vote = toldVote(notification);
    if (notification.electionEpoch === this.#round) {
      this.#received.set(from, vote);
      if (this.#isSettled(this.#received, vote)) return this.#conclude(vote);
    }
    this.#settled.set(from, vote);
    if (!this.#isSettled(this.#settled, vote)) return;
    this.#round = notification.electionEpoch;
    this.#conclude(vote);
  }

  /** A quorum follows that leader, and it says itself that it leads. */
  #isSettled(votes: ReadonlyMap<number, ToldVote>, vote: ToldVote): boolean {
    return this.#hasQuorum(votes, vote) && this.#leads(votes, vote);
  }

  #leads(votes: ReadonlyMap<number, ToldVote>, vote: ToldVote): boolean {
    if (vote.leader === this.#options.id) return vote.electionEpoch === this.#round;
    return !this.#rules.leaderMustLead || votes.get(vote.leader)?.state === ServerState.LEADING;
  }

  #hasQuorum(votes: ReadonlyMap<number, ToldVote>, vote: ToldVote): boolean {
    return this.#options.quorums.hasQuorum((id) => {
      const other = votes.get(id);
      return other !== undefined && supports(vote, other, this.#rules.settledVotesByLeaderAndEpoch);
    });
  }

  #ownVote(): ToldVote {
    return { ...this.#vote, state: ServerState.LOOKING, version: NOTIFICATION_VERSION };
  }

  #propose({ leader, zxid, peerEpoch }: Omit<Vote, "electionEpoch">, nowMs: number): void {
    this.#vote = { leader, zxid, peerEpoch, electionEpoch: this.#round };
    this.#repeatedTo.clear();
    this.#finalAtMs = never;
    if (this.#stands) this.#received.set(this.#options.id, this.#ownVote());
    this.#tellAll();
    this.#checkQuorum(nowMs);
  }

  /** Starts, keeps or stops the wait that ends the election. */
  #checkQuorum(nowMs: number): void {
    if (!this.#hasQuorum(this.#received, this.#ownVote())) {
      this.#finalAtMs = never;
    } else if (this.#finalAtMs === never) {
      if (!this.#rules.finalizeWait || !this.#mayHearBetter()) return this.#conclude(this.#vote);
      this.#finalAtMs = nowMs + (this.#options.finalizeWaitMs ?? FINALIZE_WAIT_MS);
    }
  }

  /** Whether someone who could be heard soon has not voted as we do. */
  #mayHearBetter(): boolean {
    const { id, quorums, isReachable = () => true } = this.#options;
    const own = this.#ownVote();
    return quorums.voters.some((voter) => {
      const vote = this.#received.get(voter);
      const agrees = vote !== undefined && supports(own, vote, this.#rules.settledVotesByLeaderAndEpoch);
      return voter !== id && !agrees && isReachable(voter);
    });
  }

  #conclude({ leader, zxid, peerEpoch }: Vote): void {
    const { id, participant } = this.#options;
    const state = leader === id ? ServerState.LEADING : participant ? ServerState.FOLLOWING : ServerState.OBSERVING;
    this.#vote = { leader, zxid, peerEpoch, electionEpoch: this.#round };
    this.#state = state;
    this.#looking = false;
    this.#resendAtMs = never;
    this.#finalAtMs = never;
    this.#received.clear();
    this.#settled.clear();
    this.#outputs.push({ type: "elected", state, vote: this.#vote });
  }

  #tellAll(): void {
    for (const id of this.#options.quorums.voters) if (id !== this.#options.id) this.#tell(id);
  }

  #tell(to: number): void {
    const { leader, zxid, electionEpoch, peerEpoch } = this.#vote;
    const config = this.#options.config ?? null;
    const version = NOTIFICATION_VERSION;
    const notification = { state: this.#state, leader, zxid, electionEpoch, peerEpoch, version, config };
    this.#outputs.push({ type: "notify", to, notification });
  }
}
