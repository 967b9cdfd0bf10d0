/**
 * The leader: makes an epoch its own, brings every learner to its own history, and then puts transactions in order.
 *
 *   discovery ─► acceptedEpoch stored ─► acks of the epoch ─► currentEpoch stored ─► sync each learner ─► quorum of
 *   NEWLEADER's acks ─► activate ─► propose … acks … commit, in zxid order
 *
 * All history that a leader begins with is committed by the quorum that acknowledges NEWLEADER. A leader that is without
 * a quorum steps down and never comes back. What is said to each learner, and when, is in LearnerLinks.
 *
 * @see fact sheet "quorum-protocol", sections 6 to 10; Leader
 */
import { MAX_COUNTER, makeZxid, QuorumPacketType, quorumPacket, type Zxid, zxidCounter } from "@vivarium/protocol";
import { Discovery } from "./discovery.ts";
import type { LeaderInput, LeaderOptions, LeaderOutput, LearnerCounts, Link } from "./leader-io.ts";
import { LinkPhase } from "./learner-link.ts";
import { LearnerLinks } from "./learner-links.ts";
import { PendingSyncs } from "./pending-syncs.ts";
import { Proposals } from "./proposals.ts";
import { allRules, type Rules } from "./rules.ts";

const LeaderPhase = { discovery: 0, epochAcks: 1, newLeaderAcks: 2, active: 3, ended: 4 } as const;
type LeaderPhase = (typeof LeaderPhase)[keyof typeof LeaderPhase];

/** What each wait of `initLimit` is for, by phase. */
const waitingFor = [
  "a quorum to tell the epochs it accepted",
  "a quorum to accept the new epoch",
  "a quorum to be in step",
];

export class Leader {
  readonly #options: LeaderOptions;
  readonly #rules: Rules;
  readonly #discovery: Discovery;
  readonly #links: LearnerLinks;
  readonly #proposals: Proposals;
  readonly #syncs: PendingSyncs;
  #phase: LeaderPhase = LeaderPhase.discovery;
  #epoch = 0;
  #acceptedStored = false;
  #currentStored = false;
  #makingWayFor = 0;
  #lastProposed: Zxid;
  #phaseDeadlineMs = Number.POSITIVE_INFINITY;
  #nextHalfTickMs = Number.POSITIVE_INFINITY;
  #halfTicks = 0;
  #nowMs = 0;
  #outputs: LeaderOutput[] = [];

  constructor(options: LeaderOptions) {
    const { id, quorums, committedLog, lastZxid } = options;
    if (committedLog.last !== lastZxid) {
      throw new Error(`the committed log ends at ${committedLog.last}, the log at ${lastZxid}: our bug`);
    }
    this.#options = options;
    this.#rules = options.rules ?? allRules;
    this.#lastProposed = lastZxid;
    this.#discovery = new Discovery(id, options, quorums.committed, this.#rules);
    this.#proposals = new Proposals(quorums);
    this.#links = new LearnerLinks(options, this.#rules, this.#proposals);
    this.#syncs = new PendingSyncs(this.#links.pings);
    committedLog.keepAfter = lastZxid;
  }

  /** The epoch of this leader; 0 before discovery found it. */
  get epoch(): number {
    return this.#epoch;
  }

  get isActive(): boolean {
    return this.#phase === LeaderPhase.active;
  }

  /** The zxid of the next proposal. */
  get nextZxid(): Zxid {
    return this.#lastProposed + 1;
  }

  get lastCommitted(): Zxid {
    return this.#options.committedLog.last;
  }

  /** Proposed, not committed. */
  get outstanding(): number {
    return this.#proposals.length;
  }

  get learnerCounts(): LearnerCounts {
    return this.#links.counts;
  }

  /** When the next `tick` is due. */
  get deadlineMs(): number {
    return Math.min(this.#phaseDeadlineMs, this.#nextHalfTickMs);
  }

  step(input: LeaderInput, nowMs: number): LeaderOutput[] {
    if (this.#phase === LeaderPhase.ended) return [];
    this.#nowMs = nowMs;
    this.#outputs = [];
    this.#links.begin(this.#outputs, nowMs);
    this.#take(input);
    return this.#outputs;
  }

  #take(input: LeaderInput): void {
    const links = this.#links;
    switch (input.type) {
      case "start":
        return this.#start();
      case "connected":
        return links.connected(input.link);
      case "packet":
        links.packet(input.link, input.packet, this.#discovery);
        if (links.higherEpoch > this.#makingWayFor) this.#makeWay();
        return this.#advance();
      case "disconnected":
        return links.disconnected(input.link);
      case "acceptedEpochStored":
        if (input.epoch > this.#epoch) {
          return this.#stepDown(`a voter has accepted epoch ${input.epoch}: a leader of a later one is needed`);
        }
        this.#acceptedStored = true;
        return this.#advance();
      case "currentEpochStored":
        this.#currentStored = true;
        return this.#advance();
      case "propose":
        return this.#propose(input.zxid, input.entry);
      case "flushed":
        this.#proposals.ack(this.#options.id, input.zxid);
        return this.#commit();
      case "applied":
        this.#options.committedLog.keepAfter = input.zxid;
        return;
      case "logRead":
        return links.logRead(input.link, input.entries);
      case "snapshotSent":
        return links.snapshotSent(input.link);
      case "sync":
        return this.#sync(input.link, input.id);
      case "revalidated":
        return links.revalidated(input.link, input.sessionId, input.valid);
      case "tick":
        return this.#tick();
    }
  }

  #start(): void {
    this.#nextHalfTickMs = this.#nowMs + this.#options.tickTimeMs / 2;
    this.#enter(LeaderPhase.discovery);
    this.#discovery.decide();
    this.#advance();
  }

  #enter(phase: LeaderPhase): void {
    const { tickTimeMs, initLimit } = this.#options;
    this.#phase = phase;
    const waits = phase < LeaderPhase.active;
    this.#phaseDeadlineMs = waits ? this.#nowMs + initLimit * tickTimeMs : Number.POSITIVE_INFINITY;
  }

  /**
   * A voter that has accepted a later epoch would be shut out for as long as this leader lasts. Once we have accepted it
   * too, the next election leads beyond it.
   */
  #makeWay(): void {
    const { higherEpoch } = this.#links;
    if (higherEpoch <= this.#makingWayFor || !this.#rules.makeWayForHigherEpoch) return;
    this.#makingWayFor = higherEpoch;
    this.#outputs.push({ type: "storeAcceptedEpoch", epoch: higherEpoch });
  }

  /** Goes as far as what is known and stored allows. */
  #advance(): void {
    if (this.#phase === LeaderPhase.active) return this.#commit();
    if (this.#phase === LeaderPhase.discovery && this.#epoch === 0 && this.#discovery.epoch !== null) {
      this.#epoch = this.#discovery.epoch;
      this.#lastProposed = makeZxid(this.#epoch, this.#options.initialCounter ?? 0);
      this.#outputs.push({ type: "storeAcceptedEpoch", epoch: this.#epoch });
    }
    if (this.#phase === LeaderPhase.discovery && this.#acceptedStored) {
      this.#enter(LeaderPhase.epochAcks);
      this.#links.invite(this.#epoch);
    }
    if (this.#phase === LeaderPhase.epochAcks && this.#discovery.acknowledged) {
      this.#enter(LeaderPhase.newLeaderAcks);
      this.#outputs.push({ type: "storeCurrentEpoch", epoch: this.#epoch });
    }
    if (this.#phase === LeaderPhase.newLeaderAcks && this.#currentStored) {
      this.#links.syncAll();
      if (this.#options.quorums.hasQuorum((id) => this.#isSynced(id))) this.#activate();
    }
  }

  #isSynced(id: number): boolean {
    return id === this.#options.id || this.#links.phaseOf(id) >= LinkPhase.synced;
  }

  #activate(): void {
    this.#enter(LeaderPhase.active);
    this.#outputs.push({ type: "activate", epoch: this.#epoch });
    this.#links.activateAll();
  }

  #propose(zxid: Zxid, entry: Uint8Array): void {
    if (this.#phase !== LeaderPhase.active || zxid !== this.nextZxid) {
      throw new Error(`proposed ${zxid} where ${this.nextZxid} is next, in phase ${this.#phase}: our bug`);
    }
    this.#lastProposed = zxid;
    this.#proposals.push(zxid, entry);
    this.#outputs.push({ type: "append", zxid, entry });
    this.#links.propose(zxid, entry);
    // The next counter would run into the epoch: a new leader begins a new one with 1.
    if (zxidCounter(zxid) === MAX_COUNTER)
      this.#stepDown("the counter of this epoch is used up; a new epoch is needed");
  }

  #commit(): void {
    const { committedLog } = this.#options;
    for (let next = this.#proposals.nextCommitted(); next !== undefined; next = this.#proposals.nextCommitted()) {
      const { zxid, entry } = next;
      committedLog.add(zxid, entry);
      this.#links.commit(zxid, entry);
      this.#outputs.push({ type: "commit", zxid, entry });
      this.#answerSyncs(zxid + 1);
    }
    this.#answerSyncs(this.#proposals.first);
  }

  #sync(link: Link | null, id: number): void {
    const round = this.#rules.syncAsksQuorum ? this.#links.pings.round + 1 : 0;
    this.#syncs.push({ zxid: this.#lastProposed, round, link, id });
    this.#answerSyncs(this.#proposals.first);
  }

  /** @param outstanding the first zxid that is not committed */
  #answerSyncs(outstanding: Zxid): void {
    if (this.#syncs.needsRound()) this.#links.ping(this.#lastProposed);
    for (let sync = this.#syncs.next(outstanding); sync !== undefined; sync = this.#syncs.next(outstanding)) {
      if (sync.link === null) this.#outputs.push({ type: "synced", id: sync.id });
      else this.#links.send(sync.link, quorumPacket(QuorumPacketType.SYNC, 0));
    }
  }

  #tick(): void {
    if (this.#nowMs >= this.#phaseDeadlineMs) {
      return this.#stepDown(`${this.#options.initLimit} ticks were not enough for ${waitingFor[this.#phase]}`);
    }
    if (this.#nowMs < this.#nextHalfTickMs) return;
    this.#nextHalfTickMs = this.#nowMs + this.#options.tickTimeMs / 2;
    this.#halfTicks++;
    this.#links.closeLate();
    this.#links.ping(this.#lastProposed);
    if (this.#halfTicks % 2 !== 0 || this.#phase !== LeaderPhase.active) return;
    const { id: own, quorums } = this.#options;
    if (!quorums.hasQuorum((id) => id === own || this.#links.phaseOf(id) >= LinkPhase.connected)) {
      this.#stepDown("too few followers are left for a quorum");
    }
  }

  #stepDown(reason: string): void {
    this.#phase = LeaderPhase.ended;
    this.#nextHalfTickMs = Number.POSITIVE_INFINITY;
    this.#phaseDeadlineMs = Number.POSITIVE_INFINITY;
    this.#options.committedLog.keepAfter = Number.POSITIVE_INFINITY;
    this.#outputs.push({ type: "stepDown", reason });
  }
}
