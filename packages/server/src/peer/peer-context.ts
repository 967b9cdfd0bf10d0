/** What a term of leading or learning needs of the peer that it belongs to. */
import type { Role, Zxid } from "@vivarium/protocol";
import type { CommittedLog, LearnerCounts, LogEntry, Quorums, Rules } from "@vivarium/zab";
import type { ServerConfig } from "../config/index.ts";
import type { Database } from "../database.ts";
import type { LogThrottle } from "../log/index.ts";
import type { PacketStream } from "../quorum/packet-stream.ts";
import type { QuorumListener } from "../quorum/quorum-listener.ts";
import type { ServerPorts } from "../server-ports.ts";
import type { ServerStats } from "../server-stats.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";
import type { ProposalSizes } from "./proposal-sizes.ts";

export interface PeerContext {
  /** As in myid and server.N. */
  readonly id: number;
  readonly role: Role;
  readonly config: ServerConfig;
  readonly initLimit: number;
  readonly syncLimit: number;
  readonly ports: ServerPorts;
  readonly stats: ServerStats;
  readonly log: LogThrottle;
  readonly database: Database;
  /** Its last zxid is the last in the log, all of which is on disk and in the tree; -1 if nobody may heed that. */
  readonly committedLog: CommittedLog;
  /** Whether a learner may be served from the log on disk. */
  readonly syncFromDisk: boolean;
  readonly concurrentSyncs: { readonly snap: number; readonly diff: number };
  readonly quorums: Quorums;
  readonly configVersion: number;
  readonly rules: Rules;
  readonly membershipText: string;
  /** Adds to the log what the tree will get when it is committed, or when the term ends. */
  append(entry: LogEntry): void;
  /** Opens the quorum port. */
  listenForLearners(onStream: (stream: PacketStream) => void): Promise<QuorumListener>;
  /** Connects to the leader's quorum port. @throws Error when it cannot be reached in time */
  dialLeader(leaderId: number): Promise<PacketStream>;
  /** The logged entries from the last that is not after `from`, up to and including `through`; null if not to be had. */
  readLog(from: Zxid, through: Zxid): Promise<LogEntry[] | null>;
  /** A term of service on this server's tree, which has all that the epoch began with. */
  newServer(epoch: number): ZooKeeperServer;
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
  /** Closes what the term has opened, at once; resolves when nothing that it has begun is under way any more. */
  end(): Promise<void>;
  /** What a leader knows of its term; undefined for learners. */
  readonly figures: LeaderFigures | undefined;
}

export interface LeaderFigures extends LearnerCounts {
  /** Syncs of its own clients that are not answered yet. */
  readonly pendingSyncs: number;
  readonly proposalSizes: ProposalSizes;
}
