/**
 * One term as leader: the Leader machine between the links to the learners, the log, and the clients of this server.
 *
 *   learners ⇄ links ⇄ Leader machine ─► log, epochs
 *                          ▲    └─ commit ─► LeaderPath ─► tree, replies
 *                          └─ propose ◄─ LeaderPath ◄─ our clients, requests of learners
 */
import { ProtocolError, Reader } from "@vivarium/jute";
import {
  ErrorCode,
  ForwardedRequestHeader,
  OpCode,
  type QuorumPacket,
  readSessionTouches,
  type Zxid,
} from "@vivarium/protocol";
import { Leader, type LeaderInput, type LeaderOutput, type Link } from "@vivarium/zab";
import { crc32 } from "../database.ts";
import { Housekeeping } from "../housekeeping.ts";
import { LeaderPath } from "../leader-path.ts";
import type { PacketStream } from "../quorum/packet-stream.ts";
import type { QuorumListener } from "../quorum/quorum-listener.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";
import { MachineDriver } from "./machine-driver.ts";
import type { LeaderFigures, PeerContext, Term } from "./peer-context.ts";
import { ProposalSizes } from "./proposal-sizes.ts";
import { TermWork } from "./term-work.ts";

/** What learners forward and a leader decides; `sync` it answers. */
const FORWARDED: ReadonlySet<number> = new Set([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTTL,
  OpCode.delete,
  OpCode.deleteContainer,
  OpCode.setData,
  OpCode.setACL,
  OpCode.reconfig,
  OpCode.multi,
  OpCode.createSession,
  OpCode.closeSession,
]);

const EMPTY = new Uint8Array(0);

export class LeaderTerm implements Term {
  readonly #reader = new Reader(EMPTY);
  readonly name = "leader";
  readonly #peer: PeerContext;
  readonly #leader: Leader;
  readonly #driver: MachineDriver<LeaderInput, LeaderOutput>;
  readonly #links = new Map<Link, PacketStream>();
  /** Who speaks for the sessions of each learner. */
  readonly #owners = new Map<Link, object>();
  readonly #syncs = new Map<number, () => void>();
  readonly #work = new TermWork();
  readonly #sizes = new ProposalSizes();
  #isOver = false;
  #listener: QuorumListener | null = null;
  #server: ZooKeeperServer | null = null;
  #path: LeaderPath | null = null;
  #housekeeping: Housekeeping | null = null;
  #nextLink: Link = 1;
  #nextSync = 1;
  /** The last zxid that was given to a transaction. */
  #zxid: Zxid = -1;
  /** Committed, perhaps not yet handed to the path: what one run of the machine commits is applied together. */
  #committed: Zxid = -1;

  constructor(peer: PeerContext) {
    this.#peer = peer;
    const { database, config } = peer;
    const { epochs } = database.storage;
    this.#leader = new Leader({
      id: peer.id,
      quorums: peer.quorums,
      config: () => peer.membershipText,
      tickTimeMs: config.tickTimeMs,
      initLimit: peer.initLimit,
      syncLimit: peer.syncLimit,
      acceptedEpoch: epochs.acceptedEpoch,
      currentEpoch: epochs.currentEpoch,
      lastZxid: peer.committedLog.last,
      committedLog: peer.committedLog,
      syncFromDisk: peer.syncFromDisk,
      concurrentSyncs: peer.concurrentSyncs,
      rules: peer.rules,
    });
    this.#driver = new MachineDriver<LeaderInput, LeaderOutput>({
      machine: this.#leader,
      clock: peer.ports.clock,
      tick: { type: "tick" },
      perform: (output) => this.#perform(output),
      rested: () => this.#rested(),
    });
  }

  async begin(): Promise<void> {
    const listener = await this.#peer.listenForLearners((stream) => this.#connected(stream));
    if (this.#isOver) return listener.close();
    this.#listener = listener;
    this.#driver.input({ type: "start" });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#driver.stop();
    this.#path?.stop();
    this.#housekeeping?.stop();
    for (const stream of this.#links.values()) stream.close("this server leads no longer");
    await this.#listener?.close();
    await this.#work.end();
  }

  #rested(): void {
    this.#applyCommitted();
    this.#server?.endOfTurn();
  }

  #applyCommitted(): void {
    const zxid = this.#committed;
    this.#committed = -1;
    if (zxid !== -1) this.#path?.committed(zxid);
  }

  flushed(zxid: Zxid): void {
    this.#driver.input({ type: "flushed", zxid });
  }

  get server(): ZooKeeperServer | null {
    return this.#server;
  }

  get figures(): LeaderFigures {
    return { ...this.#leader.learnerCounts, pendingSyncs: this.#syncs.size, proposalSizes: this.#sizes };
  }

  #connected(stream: PacketStream): void {
    if (this.#isOver) return stream.close("this server leads no longer");
    const link = this.#nextLink++;
    // The machine watches for silence, and knows when it is no fault.
    stream.setReadTimeout(0);
    this.#links.set(link, stream);
    this.#owners.set(link, stream);
    stream.onPacket = (packet) => this.#driver.input({ type: "packet", link, packet });
    stream.onClose = () => {
      this.#owners.delete(link);
      if (this.#links.delete(link)) this.#driver.input({ type: "disconnected", link });
    };
    this.#driver.input({ type: "connected", link });
  }

  #perform(output: LeaderOutput): void {
    switch (output.type) {
      case "send":
        for (const link of output.to) this.#links.get(link)?.send(output.packet);
        return;
      case "append":
        this.#sizes.add(output.entry.length);
        this.#peer.stats.proposals++;
        return this.#peer.append(output);
      case "commit":
        this.#committed = output.zxid;
        return;
      case "storeAcceptedEpoch":
      case "storeCurrentEpoch":
        return this.#storeEpoch(output.type, output.epoch);
      case "sendSnapshot":
        return this.#sendSnapshot(output.to);
      case "readLog":
        return this.#readLog(output);
      case "close":
        return this.#close(output.link, output.reason);
      case "activate":
        return this.#activate(output.epoch);
      case "request":
      case "touch":
        return this.#heed(output);
      case "revalidate":
        return this.#revalidate(output);
      case "synced":
        return this.#synced(output.id);
      case "stepDown":
        return this.#peer.lookAgain({ reason: output.reason, reload: false });
    }
  }

  #storeEpoch(what: "storeAcceptedEpoch" | "storeCurrentEpoch", epoch: number): void {
    const { epochs } = this.#peer.database.storage;
    const isAccepted = what === "storeAcceptedEpoch";
    const stored = isAccepted ? epochs.setAcceptedEpoch(epoch) : epochs.setCurrentEpoch(epoch);
    this.#work.do(stored, {
      done: () => this.#driver.input({ type: isAccepted ? "acceptedEpochStored" : "currentEpochStored", epoch }),
      failed: (error) => this.#peer.fail("an epoch file cannot be written", error),
    });
  }

  #close(link: Link, reason: string): void {
    const stream = this.#links.get(link);
    if (stream === undefined) return;
    this.#peer.log.warn("closed the connection of a learner", { peer: stream.name, reason });
    stream.close(reason);
  }

  /** What a learner says in its data is for us to understand; if we cannot, it goes. */
  #heed(output: LeaderOutput & { type: "request" | "touch" }): void {
    try {
      if (output.type === "request") this.#request(output.link, output.packet);
      else this.#touch(output.data);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#close(output.link, error.message);
    }
  }

  #sendSnapshot(link: Link): void {
    const stream = this.#links.get(link);
    if (stream === undefined) return;
    const { database, initLimit, config } = this.#peer;
    const source = database.tree.snapshotSource();
    this.#peer.stats.snapshotsSent++;
    this.#work.do(stream.sendSnapshot(source, initLimit * config.tickTimeMs), {
      done: () => this.#driver.input({ type: "snapshotSent", link }),
      failed: (error) => stream.close(`the snapshot could not be sent: ${error.message}`),
    });
  }

  #readLog({ link, from, through }: { link: Link; from: Zxid; through: Zxid }): void {
    this.#work.do(this.#peer.readLog(from, through), {
      done: (entries) => this.#driver.input({ type: "logRead", link, entries }),
      failed: () => this.#driver.input({ type: "logRead", link, entries: null }),
    });
  }

  /** A quorum follows: the term of service begins. */
  #activate(epoch: number): void {
    const server = this.#peer.newServer(epoch);
    this.#zxid = this.#leader.nextZxid - 1;
    this.#path = new LeaderPath(server, {
      crc32,
      agreement: {
        nextZxid: () => ++this.#zxid,
        // Followers that come back are served from the committed log; only what it has dropped is done with.
        released: () => this.#peer.committedLog.before,
        propose: (entry, { header }) => this.#driver.input({ type: "propose", zxid: header.zxid, entry }),
        sync: (done) => this.#sync(done),
      },
      applied: (zxid) => this.#driver.inputFirst({ type: "applied", zxid }),
    });
    server.path = this.#path;
    server.adoptSessions();
    server.tree.digests.settled();
    this.#server = server;
    this.#housekeeping = new Housekeeping(server);
    this.#housekeeping.start();
    server.closeOrphanedSessions();
    this.#peer.serve(this.name, server, epoch);
  }

  /** A learner forwards what one of its clients asks. */
  #request(link: Link, packet: QuorumPacket): void {
    const reader = this.#reader;
    reader.over(packet.data ?? EMPTY);
    const { sessionId, cxid, type } = ForwardedRequestHeader.read(reader);
    if (type === OpCode.sync) {
      this.#driver.input({ type: "sync", link, id: this.#nextSync++ });
      return;
    }
    const owner = this.#owners.get(link) ?? null;
    const write = { sessionId, cxid, type, owner, authInfo: packet.authinfo ?? [], reader };
    if (!FORWARDED.has(type)) return this.#path?.refuse(write, ErrorCode.UNIMPLEMENTED);
    if (type === OpCode.createSession) this.#own(sessionId, reader, owner);
    this.#path?.submit(write, null, null);
  }

  #own(sessionId: bigint, reader: Reader, owner: object | null): void {
    if (this.#server === null || reader.remaining < 4) return;
    const timeoutMs = reader.view.getInt32(reader.offset);
    this.#server.tracker.track(sessionId, timeoutMs, this.#peer.ports.clock.monotonicMs()).owner = owner;
  }

  #touch(data: Uint8Array | null): void {
    const { tracker } = this.#server ?? {};
    const nowMs = this.#peer.ports.clock.monotonicMs();
    for (const { sessionId, timeOut } of readSessionTouches(data)) {
      const session = tracker?.get(sessionId);
      if (session !== undefined) tracker?.touch(session, timeOut, nowMs);
    }
  }

  #revalidate({ link, sessionId, timeOut }: { link: Link; sessionId: bigint; timeOut: number }): void {
    const { tracker } = this.#server ?? {};
    const session = tracker?.get(sessionId);
    const nowMs = this.#peer.ports.clock.monotonicMs();
    const valid = session !== undefined && tracker?.touch(session, timeOut, nowMs) === true;
    if (valid) session.owner = this.#owners.get(link) ?? null;
    this.#driver.input({ type: "revalidated", link, sessionId, valid });
  }

  #sync(done: () => void): void {
    const id = this.#nextSync++;
    this.#syncs.set(id, done);
    this.#driver.input({ type: "sync", link: null, id });
  }

  /** The sync is answered once our own tree has what it waited for. */
  #synced(id: number): void {
    const done = this.#syncs.get(id);
    this.#syncs.delete(id);
    if (done === undefined) return;
    this.#applyCommitted();
    this.#path?.whenApplied(done);
  }
}
