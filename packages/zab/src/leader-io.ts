/** What goes into a leader and what comes out of it, as data. */
import type { QuorumPacket, Zxid } from "@vivarium/protocol";
import type { CommittedLog, LogEntry } from "./committed-log.ts";
import type { Quorums } from "./quorum-verifier.ts";
import type { Rules } from "./rules.ts";

/** A connection of a learner: the driver's number, never used twice. */
export type Link = number;

export interface LeaderOptions {
  readonly id: number;
  readonly quorums: Quorums;
  /** Text of the membership last seen, for NEWLEADER, whose zxid an initial membership takes as its version. */
  readonly config: (newLeader: Zxid) => string;
  readonly tickTimeMs: number;
  /** In ticks: for discovery, for the epoch's acknowledgement and for NEWLEADER's, each. */
  readonly initLimit: number;
  /** In ticks: silence of a learner, and a proposal without answer. */
  readonly syncLimit: number;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** The last zxid in the log, all of which is on disk and in the tree. */
  readonly lastZxid: Zxid;
  /** Shared by all roles of one server, in turn; its last zxid is `lastZxid`. */
  readonly committedLog: CommittedLog;
  /** Whether learners too old for the committed log may be served from the log on disk. */
  readonly syncFromDisk?: boolean;
  /** How many learners at a time may be sent a snapshot or a difference before observers are sent away; default 10 and 100. */
  readonly concurrentSyncs?: { readonly snap: number; readonly diff: number };
  /** Counter of the last transaction before the first; only tests set it, to come near the end. Default 0. */
  readonly initialCounter?: number;
  readonly rules?: Rules;
}

/** How many learners a leader has. */
export interface LearnerCounts {
  /** Connections, however far they are. */
  readonly learners: number;
  /** Told every proposal; those that do not vote included. */
  readonly syncedFollowers: number;
  readonly syncedNonVotingFollowers: number;
  readonly syncedObservers: number;
}

export type LeaderInput =
  | { readonly type: "start" }
  | { readonly type: "connected"; readonly link: Link }
  | { readonly type: "packet"; readonly link: Link; readonly packet: QuorumPacket }
  | { readonly type: "disconnected"; readonly link: Link }
  | { readonly type: "acceptedEpochStored"; readonly epoch: number }
  | { readonly type: "currentEpochStored"; readonly epoch: number }
  /** A prepared transaction: only after `activate`, with `zxid` = `leader.nextZxid`. */
  | { readonly type: "propose"; readonly zxid: Zxid; readonly entry: Uint8Array }
  /** All that was appended up to `zxid` is on disk. */
  | { readonly type: "flushed"; readonly zxid: Zxid }
  /** The tree has applied all up to `zxid`. Before any other input, or snapshots claim too little. */
  | { readonly type: "applied"; readonly zxid: Zxid }
  /** Answer to `readLog`. Null: the log does not go back that far, or is too long to be worth it. */
  | { readonly type: "logRead"; readonly link: Link; readonly entries: readonly LogEntry[] | null }
  /** The stream that `sendSnapshot` asked for is sent. */
  | { readonly type: "snapshotSent"; readonly link: Link }
  /** A sync request: `link` is null for the leader's own clients. `id` comes back with `synced`. */
  | { readonly type: "sync"; readonly link: Link | null; readonly id: number }
  | {
      readonly type: "revalidated";
      readonly link: Link;
      readonly sessionId: bigint;
      readonly valid: boolean;
    }
  /** `deadlineMs` has come. */
  | { readonly type: "tick" };

export type LeaderOutput =
  /** Atomically and synced; then `acceptedEpochStored`. A failure ends the process. */
  | { readonly type: "storeAcceptedEpoch"; readonly epoch: number }
  | { readonly type: "storeCurrentEpoch"; readonly epoch: number }
  /** Everything sent to a link is one ordered stream, snapshots included. */
  | { readonly type: "send"; readonly to: readonly Link[]; readonly packet: QuorumPacket }
  /** Stream the tree, which stands at `zxid` (or is read while it goes on from there); SNAP went before. */
  | { readonly type: "sendSnapshot"; readonly to: Link; readonly zxid: Zxid }
  /** Read the log on disk from the last entry that is not after `from`, up to and including `through`. */
  | { readonly type: "readLog"; readonly link: Link; readonly from: Zxid; readonly through: Zxid }
  | { readonly type: "close"; readonly link: Link; readonly reason: string }
  | { readonly type: "append"; readonly zxid: Zxid; readonly entry: Uint8Array }
  | { readonly type: "commit"; readonly zxid: Zxid; readonly entry: Uint8Array }
  /** A quorum follows: serve clients, propose from (epoch, 1) on. */
  | { readonly type: "activate"; readonly epoch: number }
  /** A learner's client asks something: prepare and propose it, or `sync` it. */
  | { readonly type: "request"; readonly link: Link; readonly serverId: number; readonly packet: QuorumPacket }
  /** Sessions that showed signs of life: `readSessionTouches`. */
  | { readonly type: "touch"; readonly link: Link; readonly serverId: number; readonly data: Uint8Array | null }
  | {
      readonly type: "revalidate";
      readonly link: Link;
      readonly serverId: number;
      readonly sessionId: bigint;
      readonly timeOut: number;
    }
  /** The leader's own sync is done. */
  | { readonly type: "synced"; readonly id: number }
  /** Leadership is over; nothing follows. Close all links, drain the log, replay its tail into tree and committed log, look again. */
  | { readonly type: "stepDown"; readonly reason: string };
