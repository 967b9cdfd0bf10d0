/**
 * One term as follower or observer: the Learner machine between the connection to the leader, the log, and the clients
 * of this server.
 */
import { encode, ProtocolError, Reader, vector } from "@vivarium/jute";
import {
  type QuorumPacket,
  QuorumPacketType,
  quorumPacket,
  Role,
  readTxn,
  SessionTouch,
  type Txn,
  type Zxid,
  zxidHex,
} from "@vivarium/protocol";
import { EntryMemory } from "@vivarium/tree";
import { Learner, type LearnerInput, type LearnerOutput, type LogEntry } from "@vivarium/zab";
import { Fifo } from "../fifo.ts";
import type { PacketStream } from "../quorum/packet-stream.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";
import { LearnerPath } from "./learner-path.ts";
import { MachineDriver } from "./machine-driver.ts";
import type { PeerContext, Term } from "./peer-context.ts";
import { TermWork } from "./term-work.ts";

export class LearnerTerm implements Term {
  readonly name: "follower" | "observer";
  readonly #peer: PeerContext;
  readonly #leaderId: number;
  readonly #driver: MachineDriver<LearnerInput, LearnerOutput>;
  #stream: PacketStream | null = null;
  #server: ZooKeeperServer | null = null;
  #path: LearnerPath | null = null;
  readonly #work = new TermWork();
  readonly #entries: EntryMemory;
  readonly #reader = new Reader(new Uint8Array(0));
  /** In the log, not committed. */
  readonly #logged = new Fifo<Txn>();
  /** The tree is the leader's, the files are not yet. */
  #isBetweenHistories = false;
  #isOver = false;

  constructor(peer: PeerContext, leaderId: number) {
    this.#peer = peer;
    this.#leaderId = leaderId;
    this.#entries = new EntryMemory(() => peer.committedLog.before);
    this.name = peer.role === Role.observer ? "observer" : "follower";
    const { database, config } = peer;
    const { epochs } = database.storage;
    const machine = new Learner({
      id: peer.id,
      role: peer.role,
      configVersion: peer.configVersion,
      tickTimeMs: config.tickTimeMs,
      initLimit: peer.initLimit,
      syncLimit: peer.syncLimit,
      acceptedEpoch: epochs.acceptedEpoch,
      currentEpoch: epochs.currentEpoch,
      lastZxid: peer.committedLog.last,
      committedLog: peer.committedLog,
      rules: peer.rules,
    });
    this.#driver = new MachineDriver<LearnerInput, LearnerOutput>({
      machine,
      clock: peer.ports.clock,
      tick: { type: "tick" },
      perform: (output) => this.#perform(output),
      rested: () => this.#rested(),
    });
  }

  #rested(): void {
    if (this.#server === null) return;
    // Whatever the leader's snapshot may have had of later transactions has been committed before UPTODATE.
    this.#peer.database.tree.digests.settled();
    this.#server.endOfTurn();
  }

  readonly figures = undefined;

  async begin(): Promise<void> {
    const stream = await this.#peer.dialLeader(this.#leaderId);
    if (this.#isOver) return stream.close("this server looks for another leader");
    this.#stream = stream;
    stream.onPacket = (packet) => this.#driver.input({ type: "packet", packet: this.#kept(packet) });
    stream.onClose = (reason) => this.#disconnected(reason);
    this.#driver.input({ type: "start" });
  }

  /** A packet's data is lent, and it may have to wait. */
  #kept(packet: QuorumPacket): QuorumPacket {
    const { type, zxid, data } = packet;
    if (data === null) return packet;
    const isEntry = type === QuorumPacketType.PROPOSAL || type === QuorumPacketType.INFORM;
    packet.data = isEntry ? this.#entries.keep(data, zxid) : Uint8Array.prototype.slice.call(data);
    return packet;
  }

  #disconnected(reason: string): void {
    if (!this.#isOver) this.#peer.log.warn("lost the leader", { leader: this.#leaderId, reason });
    this.#driver.input({ type: "disconnected" });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#driver.stop();
    this.#stream?.close("this server looks for another leader");
    await this.#work.end();
  }

  flushed(zxid: Zxid): void {
    this.#driver.input({ type: "flushed", zxid });
  }

  get server(): ZooKeeperServer | null {
    return this.#server;
  }

  #perform(output: LearnerOutput): void {
    switch (output.type) {
      case "send":
        return this.#stream?.send(output.packet);
      case "append":
      case "commit":
        return this.#learn(output);
      case "storeAcceptedEpoch":
      case "storeCurrentEpoch":
        return this.#storeEpoch(output.type, output.epoch);
      case "truncate":
        return this.#truncate(output.zxid);
      case "receiveSnapshot":
        return this.#receiveSnapshot(output.zxid);
      case "storeSnapshot":
        return this.#storeSnapshot(output.zxid);
      case "membership":
      case "activateMembership":
        return this.#peer.membershipSeen(output);
      case "serve":
        return this.#serve(output.epoch);
      case "answerPing":
        return this.#answerPing(output.zxid);
      case "revalidated":
        return this.#path?.revalidated(output.sessionId, output.valid);
      case "synced":
        return this.#path?.synced(output.id);
      case "stepDown":
        return this.#peer.lookAgain(output);
    }
  }

  /** A leader that sends what we cannot read is not followed. Nothing of it is in the log, which must be readable. */
  #learn(output: LearnerOutput & LogEntry): void {
    try {
      if (output.type === "append") this.#append(output);
      else this.#commit(output);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#peer.lookAgain({ reason: error.message, reload: this.#isBetweenHistories });
    }
  }

  #append(entry: LogEntry): void {
    this.#peer.stats.proposalsReceived++;
    this.#logged.push(this.#txnOf(entry.zxid, entry.entry));
    this.#peer.append(entry);
  }

  #commit({ zxid, entry }: LogEntry): void {
    this.#peer.stats.commitsReceived++;
    const logged = this.#logged.peek()?.header.zxid === zxid ? this.#logged.shift() : undefined;
    const txn = logged ?? this.#txnOf(zxid, entry);
    if (this.#path === null) this.#peer.database.tree.apply(txn);
    else this.#path.committed(txn);
  }

  #storeEpoch(what: "storeAcceptedEpoch" | "storeCurrentEpoch", epoch: number): void {
    const { epochs } = this.#peer.database.storage;
    const isAccepted = what === "storeAcceptedEpoch";
    const stored = isAccepted ? epochs.setAcceptedEpoch(epoch) : epochs.setCurrentEpoch(epoch);
    const type = isAccepted ? "acceptedEpochStored" : "currentEpochStored";
    this.#after(stored, "an epoch file cannot be written", () => this.#driver.input({ type, epoch }));
  }

  #truncate(zxid: Zxid): void {
    const { database } = this.#peer;
    this.#work.do(database.truncate(zxid), {
      done: () => this.#driver.input({ type: "truncated", zxid: database.tree.lastProcessedZxid }),
      failed: (error) => this.#peer.fail("the log cannot be truncated", error),
    });
  }

  #receiveSnapshot(zxid: Zxid): void {
    const stream = this.#stream;
    if (stream === null) return;
    const loader = this.#peer.database.loader(zxid);
    this.#work.do(stream.receiveSnapshot(loader), {
      done: () => {
        this.#peer.database.tree = loader.finish();
        this.#isBetweenHistories = true;
        this.#driver.input({ type: "snapshotReceived" });
      },
      failed: (error) => stream.close(`the leader's snapshot makes no sense: ${error.message}`),
    });
  }

  #storeSnapshot(zxid: Zxid): void {
    this.#after(this.#peer.database.replaceFiles(), "the leader's snapshot cannot be written", () => {
      this.#isBetweenHistories = false;
      this.#driver.input({ type: "snapshotStored", zxid });
    });
  }

  /** What the disk has done is told to the machine; what it could not do ends the server. */
  #after(work: Promise<unknown>, problem: string, done: () => void): void {
    this.#work.do(work, { done, failed: (error) => this.#peer.fail(problem, error) });
  }

  #serve(epoch: number): void {
    const server = this.#peer.newServer(epoch);
    const driver = this.#driver;
    this.#path = new LearnerPath(server, {
      get takesAtOnce() {
        return driver.isAtRest;
      },
      request: (data, authinfo) => this.#driver.input({ type: "request", data, authinfo }),
      sync: (id, data, authinfo) => this.#driver.input({ type: "sync", id, data, authinfo }),
      revalidate: (sessionId, timeOut) => this.#driver.input({ type: "revalidate", sessionId, timeOut }),
    });
    server.path = this.#path;
    server.tracker.collectTouches();
    this.#server = server;
    this.#peer.serve(this.name, server, epoch);
  }

  #answerPing(zxid: Zxid): void {
    const touches = this.#server?.tracker.takeTouches() ?? [];
    const writer = encode(vector(SessionTouch), touches).subarray(4);
    this.#stream?.send(quorumPacket(QuorumPacketType.PING, zxid, writer));
  }

  /** @throws ProtocolError when it is not the transaction that it is said to be */
  #txnOf(zxid: Zxid, entry: Uint8Array): Txn {
    this.#reader.over(entry);
    const txn = readTxn(this.#reader);
    if (txn.header.zxid !== zxid) {
      throw new ProtocolError(`the leader sends transaction ${zxidHex(txn.header.zxid)} as ${zxidHex(zxid)}`);
    }
    return txn;
  }
}
