/**
 * A learner: takes over the leader's history, and then what the leader adds to it.
 *
 *   FOLLOWERINFO ─► LEADERINFO ─► acceptedEpoch stored ─► ACKEPOCH ─► DIFF | TRUNC | SNAP ─► PROPOSAL, COMMIT …
 *   ─► NEWLEADER ─► history stored ─► currentEpoch stored ─► ACK ─► UPTODATE ─► serve ─► PROPOSAL … ACK … COMMIT
 *
 * What is committed of the sync is on disk before currentEpoch, that before the ACK of NEWLEADER; nothing is acknowledged
 * before that, and no proposal before it is on disk. After SNAP the disk stays as it was until NEWLEADER, when one
 * snapshot replaces all of it. While the disk works on the sync, packets wait.
 *
 * @see fact sheet "quorum-protocol", sections 6, 8 and 15; Learner.syncWithLeader
 */
import { encode, ProtocolError, Reader, utf8Read } from "@vivarium/jute";
import {
  encodeInt,
  type Id,
  LearnerInfo,
  makeZxid,
  packetData,
  QUORUM_PROTOCOL_VERSION,
  type QuorumPacket,
  QuorumPacketType,
  quorumPacket,
  quorumPacketName,
  RevalidateReply,
  RevalidateRequest,
  Role,
  type Zxid,
  zxidEpoch,
  zxidHex,
} from "@vivarium/protocol";
import type { LogEntry } from "./committed-log.ts";
import { entryOf } from "./entry-of.ts";
import { Fifo } from "./fifo.ts";
import { LearnerHistory } from "./learner-history.ts";
import type { LearnerInput, LearnerOptions, LearnerOutput } from "./learner-io.ts";
import { LearnerPhase } from "./learner-phase.ts";
import { allRules, type Rules } from "./rules.ts";

const never = Number.POSITIVE_INFINITY;

export class Learner {
  readonly #options: LearnerOptions;
  readonly #rules: Rules;
  readonly #history: LearnerHistory;
  #phase: LearnerPhase = LearnerPhase.discovery;
  #epoch = 0;
  /** The input that packets wait for. */
  #busy: LearnerInput["type"] | null = null;
  readonly #waiting = new Fifo<QuorumPacket>();
  /** What TRUNC or SNAP names. */
  #target: Zxid = -1;
  /** From SNAP until the snapshot is stored memory and disk are of different histories. */
  #memoryOnly = false;
  /** The last transaction of the sync: its flush makes the history durable. */
  #syncEnd: Zxid = -1;
  #newLeaderAcked = false;
  readonly #unacked = new Fifo<Zxid>();
  readonly #syncs = new Fifo<number>();
  #deadlineMs = never;
  #nowMs = 0;
  #outputs: LearnerOutput[] = [];

  constructor(options: LearnerOptions) {
    const { lastZxid, committedLog } = options;
    if (committedLog.last !== lastZxid) {
      throw new Error(`the committed log ends at ${committedLog.last}, the log at ${lastZxid}: our bug`);
    }
    this.#options = options;
    this.#rules = options.rules ?? allRules;
    this.#history = new LearnerHistory(lastZxid, committedLog, this.#rules);
    committedLog.keepAfter = never;
  }

  /** The leader's epoch; 0 before it was told. */
  get epoch(): number {
    return this.#epoch;
  }

  get isServing(): boolean {
    return this.#phase === LearnerPhase.serving;
  }

  /** The last zxid given out as `commit`, or that the tree began with. */
  get lastCommitted(): Zxid {
    return this.#history.delivered;
  }

  /** When the next `tick` is due. Our own disk may take its time, and who loads a snapshot watches over the stream. */
  get deadlineMs(): number {
    return this.#busy === null ? this.#deadlineMs : never;
  }

  step(input: LearnerInput, nowMs: number): LearnerOutput[] {
    if (this.#phase === LearnerPhase.ended) return [];
    this.#nowMs = nowMs;
    this.#outputs = [];
    try {
      this.#take(input);
      while (this.#busy === null && this.#waiting.length > 0) this.#packet(this.#waiting.shift() as QuorumPacket);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#stepDown(error.message);
    }
    return this.#outputs;
  }

  #take(input: LearnerInput): void {
    if (input.type === this.#busy) {
      this.#busy = null;
      this.#patience();
    }
    switch (input.type) {
      case "start":
        return this.#introduce();
      case "packet":
        this.#patience();
        this.#waiting.push(input.packet);
        return;
      case "disconnected":
        return this.#stepDown("the connection to the leader ended");
      case "acceptedEpochStored":
        return this.#rules.acceptedEpochFirst ? this.#ackEpoch(this.#options.currentEpoch) : undefined;
      case "truncated":
        return this.#truncated(input.zxid);
      case "snapshotReceived":
        return this.#history.reset(this.#target);
      case "snapshotStored":
        this.#memoryOnly = false;
        return this.#historyStored();
      case "currentEpochStored":
        return this.#ackNewLeader();
      case "flushed":
        return this.#flushed(input.zxid);
      case "request":
        return this.#request(input.data, input.authinfo);
      case "sync":
        this.#syncs.push(input.id);
        return this.#request(input.data, input.authinfo);
      case "revalidate":
        return this.#send(QuorumPacketType.REVALIDATE, -1, encode(RevalidateRequest, input));
      case "tick":
        if (this.#nowMs >= this.deadlineMs) this.#stepDown("the leader is silent");
        return;
    }
  }

  #send(type: number, zxid: Zxid, data: Uint8Array | null = null): void {
    this.#outputs.push({ type: "send", packet: quorumPacket(type, zxid, data) });
  }

  #request(data: Uint8Array, authinfo: readonly Id[]): void {
    this.#outputs.push({ type: "send", packet: { type: QuorumPacketType.REQUEST, zxid: -1, data, authinfo } });
  }

  /** The leader has spoken, or we were not listening: it has this long to speak again. */
  #patience(): void {
    const { tickTimeMs, initLimit, syncLimit } = this.#options;
    this.#deadlineMs = this.#nowMs + tickTimeMs * (this.#phase < LearnerPhase.inStep ? initLimit : syncLimit);
  }

  #packet(packet: QuorumPacket): void {
    switch (this.#phase) {
      case LearnerPhase.discovery:
        return this.#leaderInfo(packet);
      case LearnerPhase.accepted:
        return this.#beginSync(packet);
      case LearnerPhase.syncing:
      case LearnerPhase.inStep:
        return this.#syncPacket(packet);
      case LearnerPhase.serving:
        return this.#livePacket(packet);
    }
  }

  #unexpected(packet: QuorumPacket): never {
    throw new ProtocolError(`${quorumPacketName(packet.type)} is not expected now`);
  }

  // Discovery.

  #introduce(): void {
    const { id, role, acceptedEpoch, configVersion } = this.#options;
    const type = role === Role.observer ? QuorumPacketType.OBSERVERINFO : QuorumPacketType.FOLLOWERINFO;
    const info = { serverid: id, protocolVersion: QUORUM_PROTOCOL_VERSION, configVersion };
    this.#patience();
    this.#send(type, makeZxid(acceptedEpoch, 0), encode(LearnerInfo, info));
  }

  #leaderInfo(packet: QuorumPacket): void {
    if (packet.type !== QuorumPacketType.LEADERINFO) this.#unexpected(packet);
    const { acceptedEpoch } = this.#options;
    const epoch = zxidEpoch(packet.zxid);
    if (epoch < acceptedEpoch) {
      throw new ProtocolError(`the leader is of epoch ${epoch}, but this server has accepted ${acceptedEpoch}`);
    }
    this.#epoch = epoch;
    this.#phase = LearnerPhase.accepted;
    // To have accepted it before is no vote for it now, but no reason not to follow either.
    if (epoch === acceptedEpoch) return this.#ackEpoch(-1);
    this.#outputs.push({ type: "storeAcceptedEpoch", epoch });
    if (this.#rules.acceptedEpochFirst) this.#busy = "acceptedEpochStored";
    else this.#ackEpoch(this.#options.currentEpoch);
  }

  #ackEpoch(currentEpoch: number): void {
    this.#send(QuorumPacketType.ACKEPOCH, this.#options.lastZxid, encodeInt(currentEpoch));
  }

  // Synchronisation.

  #beginSync(packet: QuorumPacket): void {
    const { type, zxid } = packet;
    this.#phase = LearnerPhase.syncing;
    this.#target = zxid;
    if (type === QuorumPacketType.DIFF) return;
    if (type === QuorumPacketType.TRUNC) {
      this.#busy = "truncated";
      this.#outputs.push({ type: "truncate", zxid });
    } else if (type === QuorumPacketType.SNAP) {
      this.#busy = "snapshotReceived";
      this.#memoryOnly = true;
      this.#outputs.push({ type: "receiveSnapshot", zxid });
    } else {
      this.#unexpected(packet);
    }
  }

  #truncated(zxid: Zxid): void {
    this.#history.reset(zxid);
    // We did not have it: what we keep need not be the leader's history. From here the leader can decide better.
    if (zxid !== this.#target) {
      this.#stepDown(
        `the leader cuts to ${zxidHex(this.#target)}, but this server's log then ends at ${zxidHex(zxid)}`,
      );
    }
  }

  #syncPacket(packet: QuorumPacket): void {
    const { type, zxid } = packet;
    switch (type) {
      case QuorumPacketType.PROPOSAL:
        return this.#syncProposal(zxid, entryOf(packet));
      case QuorumPacketType.COMMIT:
      case QuorumPacketType.COMMITANDACTIVATE:
        return this.#syncCommit(zxid);
      case QuorumPacketType.INFORM:
        this.#syncProposal(zxid, entryOf(packet));
        return this.#syncCommit(zxid);
      case QuorumPacketType.NEWLEADER:
        if (this.#phase === LearnerPhase.syncing) return this.#newLeader(packet);
        break;
      case QuorumPacketType.UPTODATE:
        if (this.#phase === LearnerPhase.inStep) return this.#upToDate();
        break;
      // A sign of life that wants no answer yet.
      case QuorumPacketType.PING:
        return;
    }
    this.#unexpected(packet);
  }

  #syncProposal(zxid: Zxid, entry: Uint8Array): void {
    this.#history.propose(zxid, entry);
    if (!this.#rules.noAckBeforeNewLeader) this.#log("all");
  }

  #syncCommit(zxid: Zxid): void {
    this.#history.commit(zxid);
    if (this.#memoryOnly) this.#history.deliver(this.#outputs, true);
  }

  #newLeader({ zxid, data }: QuorumPacket): void {
    if (zxidEpoch(zxid) !== this.#epoch) throw new ProtocolError(`NEWLEADER of epoch ${zxidEpoch(zxid)} in another`);
    if (data !== null && data.length > 1) {
      this.#outputs.push({ type: "membership", text: utf8Read(data, 0, data.length) });
    }
    if (!this.#rules.newLeaderAckAfterFlush) this.#sendNewLeaderAck();
    if (!this.#rules.keepUncommittedAtNewLeader) this.#history.dropUncommitted();
    if (this.#memoryOnly) {
      this.#busy = "snapshotStored";
      this.#outputs.push({ type: "storeSnapshot", zxid: this.#history.delivered });
      return;
    }
    this.#syncEnd = this.#history.append("committed", this.#outputs);
    if (this.#syncEnd === -1 || !this.#rules.epochAfterData) return this.#historyStored();
    this.#busy = "flushed";
  }

  #historyStored(): void {
    this.#syncEnd = -1;
    this.#history.deliver(this.#outputs, true);
    this.#busy = "currentEpochStored";
    this.#outputs.push({ type: "storeCurrentEpoch", epoch: this.#epoch });
  }

  #ackNewLeader(): void {
    this.#phase = LearnerPhase.inStep;
    this.#patience();
    if (!this.#newLeaderAcked) this.#sendNewLeaderAck();
  }

  #sendNewLeaderAck(): void {
    this.#newLeaderAcked = true;
    this.#send(QuorumPacketType.ACK, makeZxid(this.#epoch, 0));
  }

  #upToDate(): void {
    this.#phase = LearnerPhase.serving;
    this.#send(QuorumPacketType.ACK, makeZxid(this.#epoch, 0));
    this.#outputs.push({ type: "serve", epoch: this.#epoch });
    this.#log("all");
    this.#history.deliver(this.#outputs, !this.#rules.syncJoinsCommittedLog);
  }

  // Broadcast.

  #livePacket(packet: QuorumPacket): void {
    const { type, zxid } = packet;
    const observes = this.#options.role === Role.observer;
    switch (type) {
      case QuorumPacketType.PROPOSAL:
        if (observes) return;
        this.#history.propose(zxid, entryOf(packet));
        return this.#log("all");
      case QuorumPacketType.COMMIT:
      case QuorumPacketType.COMMITANDACTIVATE:
        if (observes) return;
        this.#history.commit(zxid);
        this.#history.deliver(this.#outputs, false);
        if (type === QuorumPacketType.COMMITANDACTIVATE) this.#activateMembership(packet);
        return;
      case QuorumPacketType.INFORM:
        return this.#inform(zxid, entryOf(packet));
      case QuorumPacketType.INFORMANDACTIVATE:
        this.#inform(zxid, entryOf(packet).subarray(8));
        return this.#activateMembership(packet);
      case QuorumPacketType.PING:
        this.#outputs.push({ type: "answerPing", zxid });
        return;
      case QuorumPacketType.SYNC:
        return this.#synced();
      case QuorumPacketType.REVALIDATE:
        this.#outputs.push({ type: "revalidated", ...packetData(RevalidateReply, packet) });
        return;
      case QuorumPacketType.UPTODATE:
        return;
    }
    this.#unexpected(packet);
  }

  #inform(zxid: Zxid, entry: Uint8Array): void {
    this.#history.propose(zxid, entry);
    this.#history.commit(zxid);
    this.#log("all");
    this.#history.deliver(this.#outputs, false);
  }

  #activateMembership(packet: QuorumPacket): void {
    const designatedLeader = new Reader(entryOf(packet)).number();
    this.#outputs.push({ type: "activateMembership", zxid: packet.zxid, designatedLeader });
  }

  #synced(): void {
    const id = this.#syncs.shift();
    if (id === undefined) throw new ProtocolError("SYNC where none was asked for");
    this.#outputs.push({ type: "synced", id });
  }

  /** To the log; to be acknowledged from there. */
  #log(which: "committed" | "all"): void {
    const from = this.#outputs.length;
    this.#history.append(which, this.#outputs);
    const to = this.#outputs.length;
    if (this.#options.role === Role.observer) return;
    for (let i = from; i < to; i++) {
      const { zxid } = this.#outputs[i] as LearnerOutput & LogEntry;
      if (this.#rules.ackAfterFlush) this.#unacked.push(zxid);
      else this.#send(QuorumPacketType.ACK, zxid);
    }
  }

  #flushed(zxid: Zxid): void {
    for (let next = this.#unacked.at(0); next !== undefined && next <= zxid; next = this.#unacked.at(0)) {
      this.#unacked.shift();
      this.#send(QuorumPacketType.ACK, next);
    }
    if (this.#syncEnd === -1) return;
    if (zxid >= this.#syncEnd) this.#historyStored();
    else this.#busy = "flushed";
  }

  #stepDown(reason: string): void {
    const reload = (this.#memoryOnly && this.#rules.discardUnstoredSnapshot) || this.#busy === "truncated";
    this.#phase = LearnerPhase.ended;
    this.#busy = null;
    this.#deadlineMs = never;
    this.#outputs.push({ type: "stepDown", reason, reload });
  }
}
