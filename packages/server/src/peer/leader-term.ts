/**
 * One term as leader: the Leader machine between the links to the learners, the log, and the clients of this server.
 *
 *   learners ⇄ links ⇄ Leader machine ─► log, epochs
 *                          ▲    └─ commit ─► LeaderPath ─► tree, replies
 *                          └─ propose ◄─ LeaderPath ◄─ our clients, requests of learners
 */
import { Reader } from "@vivarium/jute";
import {
  ForwardedRequestHeader,
  makeZxid,
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
import type { PeerContext, Term } from "./peer-context.ts";

export class LeaderTerm implements Term {
  readonly name = "leader";
  readonly #peer: PeerContext;
  readonly #leader: Leader;
  readonly #driver: MachineDriver<LeaderInput, LeaderOutput>;
  readonly #links = new Map<Link, PacketStream>();
  /** Who speaks for the sessions of each learner. */
  readonly #owners = new Map<Link, object>();
  readonly #syncs = new Map<number, () => void>();
  #listener: QuorumListener | null = null;
  #server: ZooKeeperServer | null = null;
  #path: LeaderPath | null = null;
  #housekeeping: Housekeeping | null = null;
  #nextLink: Link = 1;
  #nextSync = 1;
  #zxid: Zxid = -1;

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
      lastZxid: database.tree.lastProcessedZxid,
      committedLog: peer.committedLog,
    });
    this.#driver = new MachineDriver<LeaderInput, LeaderOutput>({
      machine: this.#leader,
      clock: peer.ports.clock,
      tick: { type: "tick" },
      perform: (output) => this.#perform(output),
      rested: () => this.#server?.endOfTurn(),
    });
  }

  async begin(): Promise<void> {
    this.#listener = await this.#peer.listenForLearners((stream) => this.#connected(stream));
    this.#driver.input({ type: "start" });
  }

  end(): void {
    this.#driver.stop();
    this.#housekeeping?.stop();
    this.#listener?.close().catch(() => {});
    for (const stream of this.#links.values()) stream.close("this server leads no longer");
  }

  flushed(zxid: Zxid): void {
    this.#driver.input({ type: "flushed", zxid });
  }

  get server(): ZooKeeperServer | null {
    return this.#server;
  }

  #connected(stream: PacketStream): void {
    const link = this.#nextLink++;
    this.#links.set(link, stream);
    this.#owners.set(link, stream);
    stream.onPacket = (packet) => this.#driver.input({ type: "packet", link, packet });
    stream.onClose = () => {
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
        return this.#peer.database.storage.append(output.entry, output.zxid);
      case "commit":
        return this.#path?.committed(output.zxid);
      case "storeAcceptedEpoch":
      case "storeCurrentEpoch":
        return this.#storeEpoch(output.type, output.epoch);
      case "sendSnapshot":
        return this.#sendSnapshot(output.to);
      case "readLog":
        return this.#readLog(output);
      case "close":
        return this.#links.get(output.link)?.close(output.reason);
      case "activate":
        return this.#activate(output.epoch);
      case "request":
        return this.#request(output.link, output.packet);
      case "touch":
        return this.#touch(output.data);
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
    stored.then(
      () => this.#driver.input({ type: isAccepted ? "acceptedEpochStored" : "currentEpochStored", epoch }),
      (error: Error) => this.#peer.fail("an epoch file cannot be written", error),
    );
  }

  #sendSnapshot(link: Link): void {
    const stream = this.#links.get(link);
    if (stream === undefined) return;
    stream.sendSnapshot(this.#peer.database.tree.snapshotSource()).then(
      () => this.#driver.input({ type: "snapshotSent", link }),
      (error: Error) => stream.close(`the snapshot could not be sent: ${error.message}`),
    );
  }

  #readLog({ link, from, through }: { link: Link; from: Zxid; through: Zxid }): void {
    this.#peer.readLog(from, through).then(
      (entries) => this.#driver.input({ type: "logRead", link, entries }),
      () => this.#driver.input({ type: "logRead", link, entries: null }),
    );
  }

  /** A quorum follows: the term of service begins. */
  #activate(epoch: number): void {
    const { database } = this.#peer;
    this.#zxid = makeZxid(epoch, 0);
    database.tree.lastProcessedZxid = this.#zxid;
    const server = this.#peer.newServer();
    this.#path = new LeaderPath(server, {
      crc32,
      agreement: {
        nextZxid: () => ++this.#zxid,
        propose: (entry, { header }) => this.#driver.input({ type: "propose", zxid: header.zxid, entry }),
        sync: (done) => this.#sync(done),
      },
      applied: (zxid) => this.#driver.inputFirst({ type: "applied", zxid }),
    });
    server.path = this.#path;
    server.adoptSessions();
    this.#server = server;
    this.#housekeeping = new Housekeeping(server);
    this.#housekeeping.start();
    this.#peer.serve(this.name, server, epoch);
  }

  /** A learner forwards what one of its clients asks. */
  #request(link: Link, packet: QuorumPacket): void {
    const reader = new Reader(packet.data ?? new Uint8Array(0));
    const { sessionId, cxid, type } = ForwardedRequestHeader.read(reader);
    if (type === OpCode.sync) {
      this.#driver.input({ type: "sync", link, id: this.#nextSync++ });
      return;
    }
    const owner = this.#owners.get(link) ?? null;
    if (type === OpCode.createSession) this.#own(sessionId, reader, owner);
    this.#path?.submit({ sessionId, cxid, type, owner, authInfo: packet.authinfo ?? [], reader }, null, null);
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

  #synced(id: number): void {
    const done = this.#syncs.get(id);
    this.#syncs.delete(id);
    done?.();
  }
}
