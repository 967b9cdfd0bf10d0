/**
 * One server of a test ensemble: the three machines, a disk that loses what was not synced, and a tree that is the list
 * of all transactions. What the machines ask for is done here, in their order; what takes time waits in `diskWork` until
 * the scheduler picks it.
 */
import { strict as assert } from "node:assert";
import { type QuorumPacket, QuorumPacketType, quorumPacket, Role, ServerState, type Zxid } from "@vivarium/protocol";
import { CommittedLog, type LogEntry } from "../committed-log.ts";
import type { ElectionOutput } from "../election-io.ts";
import { FastLeaderElection } from "../fast-leader-election.ts";
import { Leader } from "../leader.ts";
import type { LeaderInput, LeaderOutput, Link } from "../leader-io.ts";
import { Learner } from "../learner.ts";
import type { LearnerInput, LearnerOutput } from "../learner-io.ts";
import type { Quorums } from "../quorum-verifier.ts";
import type { Rules } from "../rules.ts";
import type { Checker } from "./checker.ts";
import { TestDisk } from "./disk.ts";

export type Message = { readonly packet: QuorumPacket } | { readonly snapshot: readonly LogEntry[] };

/** What a server can do to the world around it. */
export interface World {
  readonly nowMs: number;
  readonly checker: Checker;
  notify(from: number, output: ElectionOutput & { type: "notify" }): void;
  /** @returns false if nobody leads there. */
  connect(from: number, to: number): boolean;
  toLearner(leader: number, link: Link, message: Message): void;
  toLeader(learner: number, packet: QuorumPacket): void;
  closeLink(link: Link): void;
  /** Closes all links of this server. */
  hangUp(id: number): void;
  trace(id: number, text: string): void;
}

export interface ServerOptions {
  readonly id: number;
  readonly role: Role;
  readonly quorums: Quorums;
  readonly rules: Rules;
  readonly world: World;
  readonly commitLogCount: number;
  readonly initialCounter?: number;
}

const DIALS = 10;
const DIAL_PAUSE_MS = 50;
const timing = { tickTimeMs: 100, initLimit: 10, syncLimit: 5 };

export class TestServer {
  readonly id: number;
  readonly #options: ServerOptions;
  readonly #world: World;
  readonly disk = new TestDisk();
  /** Appended, not synced. */
  #unsynced: LogEntry[] = [];
  #flushQueued = false;
  /** Any of these may be done next; the machines must not care. */
  diskWork: (() => void)[] = [];
  tree: LogEntry[] = [];
  /** Committed by a leader, not applied to its tree yet. */
  #toApply: LogEntry[] = [];
  readonly #committedLog: CommittedLog;
  election: FastLeaderElection;
  leader: Leader | null = null;
  learner: Learner | null = null;
  isUp = true;
  #expectsSnapshot = false;
  #dial: { leader: number; left: number; atMs: number } | null = null;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#committedLog = new CommittedLog(0, options.commitLogCount);
    this.id = options.id;
    this.election = this.#newElection();
  }

  #newElection(): FastLeaderElection {
    const { id, role, quorums, rules } = this.#options;
    const participant = role === Role.participant;
    return new FastLeaderElection({ id, participant, quorums, rules, maxNotificationIntervalMs: 400 });
  }

  get state(): string {
    if (!this.isUp) return "down";
    if (this.leader?.isActive) return "leading";
    if (this.learner?.isServing) return "serving";
    return this.leader !== null || this.learner !== null ? "joining" : "looking";
  }

  get lastZxid(): Zxid {
    return this.#unsynced.at(-1)?.zxid ?? this.disk.log.at(-1)?.zxid ?? this.disk.snapshotZxid;
  }

  start(): void {
    this.isUp = true;
    this.#recover();
    this.election = this.#newElection();
    this.look();
  }

  /** All that was not synced is gone. */
  crash(): void {
    this.isUp = false;
    this.#unsynced = [];
    this.diskWork = [];
    this.#flushQueued = false;
    this.#toApply = [];
    this.leader = null;
    this.learner = null;
    this.#dial = null;
    this.#expectsSnapshot = false;
    this.#world.hangUp(this.id);
  }

  #recover(): void {
    const { snapshot, snapshotZxid, log } = this.disk;
    this.tree = [...snapshot];
    this.#committedLog.reset(snapshotZxid);
    this.#replay(log.filter(({ zxid }) => zxid > snapshotZxid));
  }

  #replay(entries: readonly LogEntry[]): void {
    for (const { zxid, entry } of entries) {
      this.tree.push({ zxid, entry });
      this.#committedLog.add(zxid, entry);
    }
  }

  look(): void {
    const { currentEpoch } = this.disk;
    this.#electionStep(
      this.election.step({ type: "look", zxid: this.lastZxid, peerEpoch: currentEpoch }, this.#world.nowMs),
    );
  }

  #electionStep(outputs: readonly ElectionOutput[]): void {
    for (const output of outputs) {
      if (output.type === "notify") this.#world.notify(this.id, output);
      else if (output.type === "elected") this.#elected(output);
    }
  }

  hear(from: number, notification: (ElectionOutput & { type: "notify" })["notification"]): void {
    this.#electionStep(this.election.step({ type: "notification", from, notification }, this.#world.nowMs));
  }

  #elected({ state, vote }: ElectionOutput & { type: "elected" }): void {
    const { id, role, quorums, rules, initialCounter } = this.#options;
    const { acceptedEpoch, currentEpoch } = this.disk;
    const base = { id, ...timing, acceptedEpoch, currentEpoch, lastZxid: this.lastZxid, rules };
    const committedLog = this.#committedLog;
    this.#world.trace(id, `elected ${vote.leader}`);
    if (state === ServerState.LEADING) {
      this.leader = new Leader({
        ...base,
        committedLog,
        quorums,
        config: () => "version=0",
        ...(initialCounter === undefined ? {} : { initialCounter }),
      });
      this.leaderStep({ type: "start" });
    } else {
      this.learner = new Learner({ ...base, committedLog, role, configVersion: 0 });
      this.#dial = { leader: vote.leader, left: DIALS, atMs: this.#world.nowMs };
      this.#tryDial();
    }
  }

  /** The leader may need a moment to know that it leads. */
  #tryDial(): void {
    const dial = this.#dial;
    if (dial === null) return;
    this.#dial = null;
    if (this.#world.connect(this.id, dial.leader)) this.learnerStep({ type: "start" });
    else if (dial.left === 0) this.learnerStep({ type: "disconnected" });
    else this.#dial = { ...dial, left: dial.left - 1, atMs: this.#world.nowMs + DIAL_PAUSE_MS };
  }

  tick(): void {
    const { nowMs } = this.#world;
    if (this.#dial !== null && nowMs >= this.#dial.atMs) this.#tryDial();
    if (this.leader !== null) this.leaderStep({ type: "tick" });
    else if (this.learner !== null) this.learnerStep({ type: "tick" });
    else this.#electionStep(this.election.step({ type: "tick" }, nowMs));
  }

  get deadlineMs(): number {
    if (!this.isUp) return Number.POSITIVE_INFINITY;
    if (this.#dial !== null) return this.#dial.atMs;
    return this.leader?.deadlineMs ?? this.learner?.deadlineMs ?? this.election.deadlineMs;
  }

  propose(text: string): void {
    const { leader } = this;
    if (!leader?.isActive) return;
    const entry = Uint8Array.from(text, (char) => char.charCodeAt(0));
    this.leaderStep({ type: "propose", zxid: leader.nextZxid, entry });
  }

  /** Applies what was committed. */
  apply(): void {
    const next = this.#toApply.shift();
    if (next === undefined) return;
    this.tree.push(next);
    this.leaderStep({ type: "applied", zxid: next.zxid });
  }

  get applyLag(): number {
    return this.#toApply.length;
  }

  /** As servers do from time to time: what is served, if it is on disk. */
  snapshot(): void {
    const last = this.tree.at(-1);
    if (last === undefined || !(this.leader?.isActive || this.learner?.isServing)) return;
    if (last.zxid > (this.disk.log.at(-1)?.zxid ?? 0)) return;
    this.disk.snapshot = [...this.tree];
    this.disk.snapshotZxid = last.zxid;
  }

  receive(message: Message): void {
    if ("packet" in message) {
      assert.ok(!this.#expectsSnapshot, "a packet where the snapshot should be");
      this.learnerStep({ type: "packet", packet: message.packet });
      return;
    }
    assert.ok(this.#expectsSnapshot, "a snapshot that nobody announced");
    this.#expectsSnapshot = false;
    this.tree = [...message.snapshot];
    this.learnerStep({ type: "snapshotReceived" });
  }

  leaderStep(input: LeaderInput): void {
    const outputs = this.leader?.step(input, this.#world.nowMs) ?? [];
    for (const output of outputs) this.#leaderDo(output);
  }

  #leaderDo(output: LeaderOutput): void {
    const { id } = this;
    const world = this.#world;
    switch (output.type) {
      case "storeAcceptedEpoch":
      case "storeCurrentEpoch":
        return this.#storeEpoch(output, (input) => this.leaderStep(input));
      case "send":
        for (const link of output.to) world.toLearner(id, link, { packet: output.packet });
        return;
      case "sendSnapshot": {
        const snapshot = this.tree.filter(({ zxid }) => zxid <= output.zxid);
        world.toLearner(id, output.to, { snapshot });
        this.diskWork.push(() => this.leaderStep({ type: "snapshotSent", link: output.to }));
        return;
      }
      case "readLog":
        return this.#readLog(output);
      case "close":
        world.trace(id, `closes ${output.link}: ${output.reason}`);
        return world.closeLink(output.link);
      case "append":
        return this.#append(output);
      case "commit":
        this.#toApply.push(output);
        return world.checker.delivered(
          id,
          [...this.tree, ...this.#toApply],
          this.tree.length + this.#toApply.length - 1,
        );
      case "activate":
        world.trace(id, `leads epoch ${output.epoch}`);
        this.#electionStep(this.election.step({ type: "established", epoch: output.epoch }, world.nowMs));
        return world.checker.activated(id, output.epoch, this.tree);
      case "stepDown":
        return this.#stepDown(output.reason, false);
    }
  }

  #readLog({ link, from, through }: LeaderOutput & { type: "readLog" }): void {
    this.diskWork.push(() => {
      const { log } = this.disk;
      const start = log.findLastIndex(({ zxid }) => zxid <= from);
      const entries = start === -1 ? null : log.slice(start).filter(({ zxid }) => zxid <= through);
      this.leaderStep({ type: "logRead", link, entries });
    });
  }

  learnerStep(input: LearnerInput): void {
    const outputs = this.learner?.step(input, this.#world.nowMs) ?? [];
    for (const output of outputs) this.#learnerDo(output);
  }

  #learnerDo(output: LearnerOutput): void {
    const { id } = this;
    const world = this.#world;
    switch (output.type) {
      case "storeAcceptedEpoch":
      case "storeCurrentEpoch":
        return this.#storeEpoch(output, (input) => this.learnerStep(input));
      case "send":
        return world.toLeader(id, output.packet);
      case "truncate":
        world.trace(id, `truncates to ${output.zxid}`);
        this.diskWork.push(() => {
          this.disk.cut(output.zxid);
          this.#recover();
          this.learnerStep({ type: "truncated", zxid: this.lastZxid });
        });
        return;
      case "receiveSnapshot":
        this.#expectsSnapshot = true;
        return;
      case "storeSnapshot":
        return this.#storeSnapshot(output.zxid);
      case "append":
        return this.#append(output);
      case "commit":
        this.tree.push(output);
        if (this.learner?.isServing) world.checker.delivered(id, this.tree, this.tree.length - 1);
        return;
      case "answerPing":
        return world.toLeader(id, quorumPacket(QuorumPacketType.PING, output.zxid, new Uint8Array(0)));
      case "serve":
        world.trace(id, `serves epoch ${output.epoch}`);
        this.#electionStep(this.election.step({ type: "established", epoch: output.epoch }, world.nowMs));
        return world.checker.serves(id, this.tree);
      case "stepDown":
        return this.#stepDown(output.reason, output.reload);
    }
  }

  #storeSnapshot(zxid: Zxid): void {
    const snapshot = [...this.tree];
    this.diskWork.push(() => {
      this.disk.cut(zxid);
      this.diskWork.push(() => {
        Object.assign(this.disk, { snapshot, snapshotZxid: zxid, log: [] });
        this.learnerStep({ type: "snapshotStored", zxid });
      });
    });
  }

  #storeEpoch(
    { type, epoch }: { type: "storeAcceptedEpoch" | "storeCurrentEpoch"; epoch: number },
    tell: (input: { type: "acceptedEpochStored" | "currentEpochStored"; epoch: number }) => void,
  ): void {
    this.diskWork.push(() => {
      if (type === "storeAcceptedEpoch") this.disk.acceptedEpoch = epoch;
      else this.disk.currentEpoch = epoch;
      assert.ok(this.disk.acceptedEpoch >= this.disk.currentEpoch, "currentEpoch before acceptedEpoch");
      tell({ type: type === "storeAcceptedEpoch" ? "acceptedEpochStored" : "currentEpochStored", epoch });
    });
  }

  #append({ zxid, entry }: LogEntry): void {
    this.#unsynced.push({ zxid, entry });
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    this.diskWork.push(() => this.#flush());
  }

  #flush(): void {
    this.#flushQueued = false;
    const last = this.#unsynced.at(-1);
    this.disk.log.push(...this.#unsynced);
    this.#unsynced = [];
    if (last === undefined) return;
    this.leaderStep({ type: "flushed", zxid: last.zxid });
    this.learnerStep({ type: "flushed", zxid: last.zxid });
  }

  /** Back to looking: the log is drained, and tree and disk agree again. */
  #stepDown(reason: string, reload: boolean): void {
    this.#world.trace(this.id, `steps down: ${reason}`);
    this.leader = null;
    this.learner = null;
    this.#dial = null;
    this.#expectsSnapshot = false;
    this.#flush();
    this.diskWork = [];
    this.#world.hangUp(this.id);
    this.tree.push(...this.#toApply.splice(0));
    if (reload) {
      this.#recover();
    } else {
      const last = this.#committedLog.last;
      this.#replay(this.disk.log.filter(({ zxid }) => zxid > last));
    }
    assert.equal(this.#committedLog.last, this.lastZxid, `server ${this.id}: memory and disk differ`);
    this.look();
  }
}
