/** What goes into the election and what comes out of it, as data. Times are monotonic milliseconds. */
import type { Notification, ServerState } from "@vivarium/protocol";
import type { Quorums } from "./quorum-verifier.ts";
import type { Rules } from "./rules.ts";

/** Whom a server votes for, and by what it compares. */
export interface Vote {
  readonly leader: number;
  readonly zxid: number;
  readonly electionEpoch: number;
  readonly peerEpoch: number;
}

export interface ElectionOptions {
  readonly id: number;
  /** False for observers, which learn who leads but do not stand. */
  readonly participant: boolean;
  readonly quorums: Quorums;
  /** Text of the committed membership, sent along with every notification. */
  readonly config?: string;
  /** How long a vote with a quorum waits for a better one; default 200. */
  readonly finalizeWaitMs?: number;
  /**
   * Whether there is a connection to this server, or may be one in a moment. Who is not reachable will hardly send a better vote, so that it is
   * not waited for. Default: everyone may be.
   */
  readonly isReachable?: (server: number) => boolean;
  /** First pause before notifications are sent again, doubling; default 200. */
  readonly minNotificationIntervalMs?: number;
  /** Longest such pause; default 60,000. */
  readonly maxNotificationIntervalMs?: number;
  readonly rules?: Rules;
}

export type ElectionInput =
  /** Begin a round; `zxid` is the last on this server's disk, `peerEpoch` its currentEpoch. */
  | { readonly type: "look"; readonly zxid: number; readonly peerEpoch: number }
  | { readonly type: "notification"; readonly from: number; readonly notification: Notification }
  /** A server is reachable no longer: there may be nobody left to wait for. */
  | { readonly type: "disconnected" }
  /** `deadlineMs` has come. */
  | { readonly type: "tick" }
  /** The leader is established under a new epoch: votes told to latecomers bear it from now on. */
  | { readonly type: "established"; readonly epoch: number };

export type ElectionOutput =
  /** Replaces whatever still waits to be sent to that server. Never to ourselves. */
  | { readonly type: "notify"; readonly to: number; readonly notification: Notification }
  /** Nobody answers: dial every voter to whom there is no connection. */
  | { readonly type: "reconnect" }
  | {
      readonly type: "elected";
      readonly state: Exclude<ServerState, typeof ServerState.LOOKING>;
      readonly vote: Vote;
    };
