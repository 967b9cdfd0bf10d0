/** What goes into a follower or an observer and what comes out of it, as data. */
import type { Id, QuorumPacket, Role, Zxid } from "@vivarium/protocol";
import type { CommittedLog } from "./committed-log.ts";
import type { Rules } from "./rules.ts";

export interface LearnerOptions {
  readonly id: number;
  readonly role: Role;
  /** Version of the committed membership. */
  readonly configVersion: number;
  readonly tickTimeMs: number;
  /** In ticks: silence of the leader until NEWLEADER is acknowledged. */
  readonly initLimit: number;
  /** In ticks: silence of the leader after that. */
  readonly syncLimit: number;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** The last zxid in the log, all of which is on disk and in the tree. */
  readonly lastZxid: Zxid;
  readonly committedLog: CommittedLog;
  readonly rules?: Rules;
}

export type LearnerInput =
  /** The connection to the leader is open. */
  | { readonly type: "start" }
  | { readonly type: "packet"; readonly packet: QuorumPacket }
  | { readonly type: "disconnected" }
  | { readonly type: "acceptedEpochStored"; readonly epoch: number }
  | { readonly type: "currentEpochStored"; readonly epoch: number }
  /** The tree was reloaded from disk, where the log now ends with `zxid`. */
  | { readonly type: "truncated"; readonly zxid: Zxid }
  /** The tree was replaced by the snapshot from the leader, in memory only. */
  | { readonly type: "snapshotReceived" }
  /** Answer to `storeSnapshot`. */
  | { readonly type: "snapshotStored"; readonly zxid: Zxid }
  /** All that was appended up to `zxid` is on disk. */
  | { readonly type: "flushed"; readonly zxid: Zxid }
  /** A write of one of our clients: header and record, and who the client is. */
  | { readonly type: "request"; readonly data: Uint8Array; readonly authinfo: readonly Id[] }
  /** A sync of one of our clients; `id` comes back with `synced`. */
  | { readonly type: "sync"; readonly id: number; readonly data: Uint8Array; readonly authinfo: readonly Id[] }
  | { readonly type: "revalidate"; readonly sessionId: bigint; readonly timeOut: number }
  /** `deadlineMs` has come. */
  | { readonly type: "tick" };

export type LearnerOutput =
  /** Atomically and synced; then `acceptedEpochStored`. A failure ends the process. */
  | { readonly type: "storeAcceptedEpoch"; readonly epoch: number }
  | { readonly type: "storeCurrentEpoch"; readonly epoch: number }
  | { readonly type: "send"; readonly packet: QuorumPacket }
  /** Cut the log (and snapshots) to what is not after `zxid`, synced; reload the tree; then `truncated`. */
  | { readonly type: "truncate"; readonly zxid: Zxid }
  /** A snapshot follows on the connection: load it in place of the tree; then `snapshotReceived`. */
  | { readonly type: "receiveSnapshot"; readonly zxid: Zxid }
  /**
   * The tree stands at `zxid` and the log does not belong to it any more. Cut the log (and snapshots) to what is not
   * after `zxid`, then write the tree as a snapshot, synced and renamed; then `snapshotStored`. There may be a hole
   * between that log and the snapshot: `readLog` must never hand out anything from before it.
   */
  | { readonly type: "storeSnapshot"; readonly zxid: Zxid }
  /** Log it. `flushed` follows some time. */
  | { readonly type: "append"; readonly zxid: Zxid; readonly entry: Uint8Array }
  /** Apply it to the tree. */
  | { readonly type: "commit"; readonly zxid: Zxid; readonly entry: Uint8Array }
  /** The leader's membership: text of NEWLEADER. */
  | { readonly type: "membership"; readonly text: string }
  /** In step with an established leader: serve clients. */
  | { readonly type: "serve"; readonly epoch: number }
  /** A reconfiguration was committed with the entry before. */
  | { readonly type: "activateMembership"; readonly zxid: Zxid; readonly designatedLeader: number }
  /** Send PING back with this zxid and the sessions touched since the last one. */
  | { readonly type: "answerPing"; readonly zxid: Zxid }
  | { readonly type: "revalidated"; readonly sessionId: bigint; readonly valid: boolean }
  | { readonly type: "synced"; readonly id: number }
  /**
   * The role is over; nothing follows. Close the connection and all clients, drain the log, replay its tail into the
   * tree and the committed log, look again. With `reload` the tree is worth nothing: clear it and recover from disk.
   */
  | { readonly type: "stepDown"; readonly reason: string; readonly reload: boolean };
