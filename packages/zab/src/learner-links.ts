/**
 * A leader's learners: what each is told, in which order.
 *
 *   FOLLOWERINFO ► ◄ LEADERINFO   ACKEPOCH ► ◄ DIFF | TRUNC | SNAP, PROPOSAL and COMMIT…, NEWLEADER
 *   ACK ► ◄ UPTODATE              and from the sync's decision on ◄ every PROPOSAL and COMMIT, or INFORM
 *
 * The sync of a learner is decided, and the learner registered for all that follows, in one step: between the last
 * transaction of the sync and the first live one nothing can be missed. An acknowledgement counts as long as the
 * connection it came by: the sync of the next one may take away what was acknowledged.
 *
 * @see fact sheet "quorum-protocol", sections 6, 7 and 10; LearnerHandler
 */
import { encode, int, ProtocolError, utf8Length, utf8Write } from "@vivarium/jute";
import {
  encodeInt,
  makeZxid,
  packetData,
  QUORUM_PROTOCOL_VERSION,
  type QuorumPacket,
  QuorumPacketType,
  quorumPacket,
  quorumPacketName,
  RevalidateReply,
  RevalidateRequest,
  type Zxid,
  zxidCounter,
  zxidEpoch,
} from "@vivarium/protocol";
import type { LogEntry } from "./committed-log.ts";
import type { Discovery } from "./discovery.ts";
import { introducedServer } from "./introduction.ts";
import type { LeaderOptions, LeaderOutput, LearnerCounts, Link } from "./leader-io.ts";
import { LearnerLink, LinkPhase, type SyncKind } from "./learner-link.ts";
import { PingRounds } from "./ping-rounds.ts";
import type { Proposals } from "./proposals.ts";
import type { Rules } from "./rules.ts";
import { planSync, planSyncFromDisk, type SyncPlan, type SyncQuestion } from "./sync-decision.ts";

const never = Number.POSITIVE_INFINITY;
const CONCURRENT_SYNCS = { snap: 10, diff: 100 };

export class LearnerLinks {
  readonly #options: LeaderOptions;
  readonly #rules: Rules;
  readonly #proposals: Proposals;
  readonly pings: PingRounds;
  readonly #links = new Map<Link, LearnerLink>();
  readonly #byServer = new Map<number, LearnerLink>();
  /** Who gets PROPOSAL and COMMIT, and who INFORM; replaced, never changed, because outputs hold them. */
  #forwarding: readonly Link[] = [];
  #observing: readonly Link[] = [];
  #epoch = 0;
  #higherEpoch = 0;
  #invites = false;
  #syncs = false;
  #isActive = false;
  #outputs: LeaderOutput[] = [];
  #nowMs = 0;

  constructor(options: LeaderOptions, rules: Rules, proposals: Proposals) {
    this.#options = options;
    this.#rules = rules;
    this.#proposals = proposals;
    this.pings = new PingRounds(options.id, options.quorums, (id) => this.#byServer.get(id));
  }

  /** Where outputs go, and the time, from now on. */
  begin(outputs: LeaderOutput[], nowMs: number): void {
    this.#outputs = outputs;
    this.#nowMs = nowMs;
  }

  /** How far a server is; -1 if it has no connection, or observes. */
  phaseOf(serverId: number): LinkPhase | -1 {
    const link = this.#byServer.get(serverId);
    return link?.follower ? link.phase : -1;
  }

  /** A later epoch that a voter has accepted, by mishap of a leader that came to nothing; 0 if there is none. */
  get higherEpoch(): number {
    return this.#higherEpoch;
  }

  get counts(): LearnerCounts {
    const { quorums } = this.#options;
    const isVoter = (link: Link): boolean => quorums.isVoter(this.#links.get(link)?.serverId ?? -1);
    return {
      learners: this.#links.size,
      syncedFollowers: this.#forwarding.length,
      syncedNonVotingFollowers: this.#forwarding.filter((link) => !isVoter(link)).length,
      syncedObservers: this.#observing.length,
    };
  }

  connected(link: Link): void {
    this.#links.set(link, new LearnerLink(link, { nowMs: this.#nowMs, deadlineMs: this.#nowMs + this.#patienceMs() }));
  }

  /** A learner that is not yet in step may take until initLimit, and the syncLimit that counts from there. */
  #patienceMs(): number {
    const { tickTimeMs, initLimit, syncLimit } = this.#options;
    return (initLimit + syncLimit) * tickTimeMs;
  }

  disconnected(link: Link): void {
    const learner = this.#links.get(link);
    if (learner === undefined) return;
    this.#links.delete(link);
    if (this.#byServer.get(learner.serverId) === learner) {
      this.#byServer.delete(learner.serverId);
      if (this.#rules.acksEndWithLink) this.#proposals.forget(learner.serverId);
    }
    this.#forwarding = this.#forwarding.filter((other) => other !== link);
    this.#observing = this.#observing.filter((other) => other !== link);
  }

  #close(link: Link, reason: string): void {
    this.disconnected(link);
    this.#outputs.push({ type: "close", link, reason });
  }

  send(link: Link, packet: QuorumPacket): void {
    if (this.#links.has(link)) this.#outputs.push({ type: "send", to: [link], packet });
  }

  packet(link: Link, packet: QuorumPacket, discovery: Discovery): void {
    const learner = this.#links.get(link);
    if (learner === undefined) return;
    try {
      this.#handle(learner, packet, discovery);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#close(link, error.message);
    }
  }

  #handle(learner: LearnerLink, packet: QuorumPacket, discovery: Discovery): void {
    const { tickTimeMs, syncLimit } = this.#options;
    const inStep = learner.phase >= LinkPhase.synced;
    learner.heardMs = this.#nowMs;
    if (learner.deadlineMs !== never) {
      learner.deadlineMs = this.#nowMs + (inStep ? syncLimit * tickTimeMs : this.#patienceMs());
    }
    switch (packet.type) {
      case QuorumPacketType.FOLLOWERINFO:
      case QuorumPacketType.OBSERVERINFO:
        if (learner.phase === LinkPhase.connected) return this.#introduce(learner, packet, discovery);
        break;
      case QuorumPacketType.ACKEPOCH:
        if (learner.phase === LinkPhase.invited) return this.#acceptEpoch(learner, packet, discovery);
        break;
      case QuorumPacketType.ACK:
        if (learner.phase >= LinkPhase.syncing) return this.#ack(learner, packet.zxid);
        break;
      case QuorumPacketType.PING:
        if (!inStep) break;
        learner.answered();
        this.#outputs.push({ type: "touch", link: learner.link, serverId: learner.serverId, data: packet.data });
        return;
      case QuorumPacketType.REQUEST:
        if (learner.phase < LinkPhase.active) break;
        this.#outputs.push({ type: "request", link: learner.link, serverId: learner.serverId, packet });
        return;
      case QuorumPacketType.REVALIDATE:
        if (inStep) return this.#revalidate(learner, packet);
        break;
    }
    throw new ProtocolError(`${quorumPacketName(packet.type)} is not expected now`);
  }

  #introduce(learner: LearnerLink, packet: QuorumPacket, discovery: Discovery): void {
    const { quorums } = this.#options;
    const serverid = introducedServer(packet, this.#options);
    this.#replace(serverid);
    learner.serverId = serverid;
    learner.follower = packet.type === QuorumPacketType.FOLLOWERINFO;
    learner.phase = LinkPhase.told;
    this.#byServer.set(serverid, learner);
    const acceptedEpoch = Math.max(0, zxidEpoch(packet.zxid));
    discovery.tell(serverid, acceptedEpoch, learner.follower);
    if (!this.#invites) return;
    this.#invite(learner);
    if (learner.follower && quorums.isVoter(serverid) && acceptedEpoch > this.#epoch) this.#higherEpoch = acceptedEpoch;
  }

  /**
   * A server that was cut off or restarted comes back while its old connection seems to live. But one that has spoken
   * within a tick does live: somebody else has its id, and must not push it out.
   */
  #replace(serverId: number): void {
    const older = this.#byServer.get(serverId);
    if (older === undefined) return;
    if (older.phase === LinkPhase.active && this.#nowMs - older.heardMs < this.#options.tickTimeMs) {
      throw new ProtocolError(
        `server ${serverId} is connected already: if its id is used twice, give each its own in its myid file`,
      );
    }
    this.#close(older.link, `server ${serverId} has connected again`);
  }

  /** acceptedEpoch is on disk: whoever waits may hear of it. */
  invite(epoch: number): void {
    this.#epoch = epoch;
    this.#invites = true;
    for (const learner of this.#links.values()) if (learner.phase === LinkPhase.told) this.#invite(learner);
  }

  #invite(learner: LearnerLink): void {
    learner.phase = LinkPhase.invited;
    const version = encodeInt(QUORUM_PROTOCOL_VERSION);
    this.send(learner.link, quorumPacket(QuorumPacketType.LEADERINFO, makeZxid(this.#epoch, 0), version));
  }

  #acceptEpoch(learner: LearnerLink, packet: QuorumPacket, discovery: Discovery): void {
    const currentEpoch = packetData(int, packet);
    learner.zxid = packet.zxid;
    // -1: it had accepted this epoch before, and was counted then.
    const history = { currentEpoch, lastZxid: packet.zxid };
    if (currentEpoch !== -1 && !discovery.ack(learner.serverId, history, learner.follower)) {
      throw new ProtocolError(`server ${learner.serverId} has a longer history than this leader`);
    }
    learner.phase = LinkPhase.accepted;
    if (this.#syncs) this.#sync(learner);
  }

  /** currentEpoch is on disk: whoever waits may be synced. */
  syncAll(): void {
    if (this.#syncs) return;
    this.#syncs = true;
    for (const learner of [...this.#links.values()]) if (learner.phase === LinkPhase.accepted) this.#sync(learner);
  }

  #sync(learner: LearnerLink): void {
    const { committedLog, syncFromDisk } = this.#options;
    const plan = planSync(this.#question(learner));
    if (plan.mode !== "readLog" || !(syncFromDisk ?? true)) return this.#carryOut(learner, plan);
    if (!this.#beginSync(learner, "diff")) return;
    learner.phase = LinkPhase.reading;
    learner.deadlineMs = never;
    const { link, zxid: from } = learner;
    this.#outputs.push({ type: "readLog", link, from, through: committedLog.before });
  }

  #question({ zxid }: LearnerLink): SyncQuestion {
    return { learner: zxid, epoch: this.#epoch, log: this.#options.committedLog, rules: this.#rules };
  }

  logRead(link: Link, entries: readonly LogEntry[] | null): void {
    const learner = this.#links.get(link);
    if (learner?.phase !== LinkPhase.reading) return;
    learner.deadlineMs = this.#nowMs + this.#patienceMs();
    this.#carryOut(learner, planSyncFromDisk(this.#question(learner), entries ?? []));
  }

  /** Observers must not take what followers need: those count, but only observers are sent away, to come again. */
  #beginSync(learner: LearnerLink, kind: SyncKind): boolean {
    const limit = (this.#options.concurrentSyncs ?? CONCURRENT_SYNCS)[kind];
    const underWay = [...this.#links.values()].filter((other) => other !== learner && other.sync === kind).length;
    if (!learner.follower && underWay >= limit) {
      const what = kind === "snap" ? "snapshots" : "differences";
      this.#close(learner.link, `no more than ${limit} ${what} at a time: observer ${learner.serverId} may come again`);
      return false;
    }
    learner.sync = kind;
    return true;
  }

  /** Sends the sync, what is under way, and NEWLEADER; from here on the learner hears everything. */
  #carryOut(learner: LearnerLink, plan: SyncPlan): void {
    if (!this.#beginSync(learner, plan.mode === "diff" || plan.mode === "trunc" ? "diff" : "snap")) return;
    const { committedLog, config } = this.#options;
    const { link } = learner;
    let entries: readonly LogEntry[];
    if (plan.mode === "diff" || plan.mode === "trunc") {
      const packet =
        plan.mode === "diff"
          ? quorumPacket(QuorumPacketType.DIFF, committedLog.last)
          : quorumPacket(QuorumPacketType.TRUNC, plan.zxid);
      this.send(link, packet);
      entries = plan.entries;
    } else {
      const zxid = committedLog.keepAfter;
      this.send(link, quorumPacket(QuorumPacketType.SNAP, zxid));
      this.#outputs.push({ type: "sendSnapshot", to: link, zxid });
      learner.deadlineMs = never;
      entries = committedLog.after(zxid);
    }
    for (const { zxid, entry } of entries) {
      this.send(link, quorumPacket(QuorumPacketType.PROPOSAL, zxid, entry));
      this.send(link, quorumPacket(QuorumPacketType.COMMIT, zxid));
    }
    if (this.#rules.forwardFromDecision) this.#forward(learner);
    const newLeader = makeZxid(this.#epoch, 0);
    this.send(link, quorumPacket(QuorumPacketType.NEWLEADER, newLeader, textBytes(config(newLeader))));
    learner.phase = LinkPhase.syncing;
  }

  #forward(learner: LearnerLink): void {
    const { link } = learner;
    if (!learner.follower) {
      this.#observing = [...this.#observing, link];
      return;
    }
    for (const { zxid, entry } of this.#proposals) {
      this.send(link, quorumPacket(QuorumPacketType.PROPOSAL, zxid, entry));
      learner.proposed(zxid, this.#nowMs);
    }
    this.#forwarding = [...this.#forwarding, link];
  }

  snapshotSent(link: Link): void {
    const learner = this.#links.get(link);
    if (learner !== undefined) learner.deadlineMs = this.#nowMs + this.#patienceMs();
  }

  #ack(learner: LearnerLink, zxid: Zxid): void {
    if (learner.phase === LinkPhase.syncing) {
      // Only the acknowledgement of this very NEWLEADER tells that the learner is in step.
      if (zxid !== makeZxid(this.#epoch, 0)) return;
      learner.phase = LinkPhase.synced;
      learner.sync = null;
      // It has nothing to say before UPTODATE, which waits for others.
      learner.deadlineMs = never;
      if (!this.#rules.forwardFromDecision) this.#forward(learner);
      if (this.#isActive) this.#activate(learner);
      return;
    }
    if (zxidCounter(zxid) === 0 || !learner.follower) return;
    learner.acked(zxid);
    this.#proposals.ack(learner.serverId, zxid);
  }

  activateAll(): void {
    this.#isActive = true;
    for (const learner of this.#links.values()) if (learner.phase === LinkPhase.synced) this.#activate(learner);
  }

  #activate(learner: LearnerLink): void {
    const { tickTimeMs, syncLimit } = this.#options;
    learner.phase = LinkPhase.active;
    learner.roundBefore = this.pings.round;
    learner.deadlineMs = this.#nowMs + syncLimit * tickTimeMs;
    this.send(learner.link, quorumPacket(QuorumPacketType.UPTODATE, -1));
  }

  propose(zxid: Zxid, entry: Uint8Array): void {
    if (this.#forwarding.length === 0) return;
    const packet = quorumPacket(QuorumPacketType.PROPOSAL, zxid, entry);
    this.#outputs.push({ type: "send", to: this.#forwarding, packet });
    for (const link of this.#forwarding) this.#links.get(link)?.proposed(zxid, this.#nowMs);
  }

  commit(zxid: Zxid, entry: Uint8Array): void {
    if (this.#forwarding.length > 0) {
      const packet = quorumPacket(QuorumPacketType.COMMIT, zxid);
      this.#outputs.push({ type: "send", to: this.#forwarding, packet });
    }
    if (this.#observing.length > 0) {
      const packet = quorumPacket(QuorumPacketType.INFORM, zxid, entry);
      this.#outputs.push({ type: "send", to: this.#observing, packet });
    }
  }

  /** Begins a round of pings. */
  ping(lastProposed: Zxid): void {
    this.pings.begin();
    const to = [...this.#links.values()].filter(({ phase }) => phase >= LinkPhase.syncing).map(({ link }) => link);
    if (to.length > 0) {
      this.#outputs.push({ type: "send", to, packet: quorumPacket(QuorumPacketType.PING, lastProposed) });
    }
  }

  /** Gives up the learners that are silent, or do not acknowledge what they are sent. */
  closeLate(): void {
    const { tickTimeMs, syncLimit } = this.#options;
    for (const learner of [...this.#links.values()]) {
      if (this.#nowMs >= learner.deadlineMs) this.#close(learner.link, `server ${learner.serverId} is silent`);
      else if (learner.phase >= LinkPhase.active && learner.lags(this.#nowMs, syncLimit * tickTimeMs)) {
        this.#close(learner.link, `server ${learner.serverId} did not log a proposal within ${syncLimit} ticks`);
      }
    }
  }

  #revalidate(learner: LearnerLink, packet: QuorumPacket): void {
    const { sessionId, timeOut } = packetData(RevalidateRequest, packet);
    const { link, serverId } = learner;
    this.#outputs.push({ type: "revalidate", link, serverId, sessionId, timeOut });
  }

  revalidated(link: Link, sessionId: bigint, valid: boolean): void {
    const data = encode(RevalidateReply, { sessionId, valid });
    this.send(link, quorumPacket(QuorumPacketType.REVALIDATE, -1, data));
  }
}

function textBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  utf8Write(text, bytes, 0);
  return bytes;
}
