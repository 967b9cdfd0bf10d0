/**
 * One term as follower or observer: the Learner machine between the connection to the leader, the log, and the clients
 * of this server.
 */
import { encode, Reader, vector } from "@vivarium/jute";
import { QuorumPacketType, quorumPacket, readTxn, SessionTouch, type Zxid } from "@vivarium/protocol";
import { Learner, type LearnerInput, type LearnerOutput } from "@vivarium/zab";
import type { PacketStream } from "../quorum/packet-stream.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";
import { LearnerPath } from "./learner-path.ts";
import { MachineDriver } from "./machine-driver.ts";
import type { PeerContext, Term } from "./peer-context.ts";

export class LearnerTerm implements Term {
  readonly name: "follower" | "observer";
  readonly #peer: PeerContext;
  readonly #leaderId: number;
  readonly #driver: MachineDriver<LearnerInput, LearnerOutput>;
  #stream: PacketStream | null = null;
  #server: ZooKeeperServer | null = null;
  #path: LearnerPath | null = null;
  #ended = false;

  constructor(peer: PeerContext, leaderId: number) {
    this.#peer = peer;
    this.#leaderId = leaderId;
    this.name = peer.role === "observer" ? "observer" : "follower";
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
      lastZxid: database.tree.lastProcessedZxid,
      committedLog: peer.committedLog,
    });
    this.#driver = new MachineDriver<LearnerInput, LearnerOutput>({
      machine,
      clock: peer.ports.clock,
      tick: { type: "tick" },
      perform: (output) => this.#perform(output),
      rested: () => this.#server?.endOfTurn(),
    });
  }

  async begin(): Promise<void> {
    const stream = await this.#peer.dialLeader(this.#leaderId);
    if (this.#ended) return stream.close("this server looks for another leader");
    this.#stream = stream;
    stream.onPacket = (packet) => this.#driver.input({ type: "packet", packet });
    stream.onClose = () => this.#driver.input({ type: "disconnected" });
    this.#driver.input({ type: "start" });
  }

  end(): void {
    this.#ended = true;
    this.#driver.stop();
    this.#stream?.close("this server looks for another leader");
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
        return this.#peer.database.storage.append(output.entry, output.zxid);
      case "commit":
        return this.#commit(output.entry);
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

  #commit(entry: Uint8Array): void {
    const txn = readTxn(new Reader(entry));
    if (this.#path === null) this.#peer.database.tree.apply(txn);
    else this.#path.committed(txn);
  }

  #storeEpoch(what: "storeAcceptedEpoch" | "storeCurrentEpoch", epoch: number): void {
    const { epochs } = this.#peer.database.storage;
    const isAccepted = what === "storeAcceptedEpoch";
    const stored = isAccepted ? epochs.setAcceptedEpoch(epoch) : epochs.setCurrentEpoch(epoch);
    this.#after(stored, "an epoch file cannot be written", {
      type: isAccepted ? "acceptedEpochStored" : "currentEpochStored",
      epoch,
    });
  }

  #truncate(zxid: Zxid): void {
    const { database } = this.#peer;
    database.truncate(zxid).then(
      () => this.#driver.input({ type: "truncated", zxid: database.tree.lastProcessedZxid }),
      (error: Error) => this.#peer.fail("the log cannot be truncated", error),
    );
  }

  #receiveSnapshot(zxid: Zxid): void {
    const loader = this.#peer.database.loader(zxid);
    this.#stream?.receiveSnapshot(loader).then(
      () => {
        this.#peer.database.tree = loader.finish();
        this.#driver.input({ type: "snapshotReceived" });
      },
      (error: Error) => this.#stream?.close(`the leader's snapshot makes no sense: ${error.message}`),
    );
  }

  #storeSnapshot(zxid: Zxid): void {
    const stored = this.#peer.database.replaceFiles(zxid);
    this.#after(stored, "the leader's snapshot cannot be written", { type: "snapshotStored", zxid });
  }

  /** What the disk has done is told to the machine; what it could not do ends the server. */
  #after(work: Promise<unknown>, problem: string, input: LearnerInput): void {
    work.then(
      () => this.#driver.input(input),
      (error: Error) => this.#peer.fail(problem, error),
    );
  }

  #serve(epoch: number): void {
    const server = this.#peer.newServer();
    this.#path = new LearnerPath(server, {
      request: (data, authinfo) => this.#driver.input({ type: "request", data: data.slice(), authinfo }),
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
}
