/** What a term of leading or learning needs of the peer that it belongs to. */
import type { Role, Zxid } from "@vivarium/protocol";
import type { CommittedLog, LogEntry, Quorums } from "@vivarium/zab";
import type { ServerConfig } from "../config/index.ts";
import type { Database } from "../database.ts";
import type { PacketStream } from "../quorum/packet-stream.ts";
import type { QuorumListener } from "../quorum/quorum-listener.ts";
import type { ServerPorts } from "../server-ports.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";

export interface PeerContext {
  /** As in myid and server.N. */
  readonly id: number;
  readonly role: Role;
  readonly config: ServerConfig;
  readonly initLimit: number;
  readonly syncLimit: number;
  readonly ports: ServerPorts;
  readonly database: Database;
  readonly committedLog: CommittedLog;
  readonly quorums: Quorums;
  readonly configVersion: number;
  readonly membershipText: string;
  /** Opens the quorum port. */
  listenForLearners(onStream: (stream: PacketStream) => void): Promise<QuorumListener>;
  /** Connects to the leader's quorum port. @throws Error when it cannot be reached in time */
  dialLeader(leaderId: number): Promise<PacketStream>;
  /** The logged entries from the last that is not after `from`, up to and including `through`; null if not to be had. */
  readLog(from: Zxid, through: Zxid): Promise<LogEntry[] | null>;
  /** A term of service on this server's tree. */
  newServer(): ZooKeeperServer;
  /** The term is established: clients may come. */
  serve(role: Term["name"], server: ZooKeeperServer, epoch: number): void;
  membershipSeen(output: { type: "membership"; text: string } | { type: "activateMembership" }): void;
  /** The term is over. With `reload` the tree is worth nothing any more. */
  lookAgain(end: { reason: string; reload: boolean }): void;
  /** What cannot be kept must not be promised: the process ends. */
  fail(message: string, error: Error): void;
}

/** One role for as long as it lasts. */
export interface Term {
  readonly name: "leader" | "follower" | "observer";
  /** The service given to clients; null before the term is established. */
  readonly server: ZooKeeperServer | null;
  /** @throws Error when the term cannot even begin, such as when the leader cannot be reached */
  begin(): Promise<void>;
  /** Everything appended up to this zxid is on disk. */
  flushed(zxid: Zxid): void;
  /** Closes what the term has opened. */
  end(): void;
}
