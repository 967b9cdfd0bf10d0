/**
 * What a session goes through, as the stream of events that `sessionEvents` and `onSessionEvent` give.
 *
 *   connecting ─► connected / readOnly ─► suspended ─► maybeExpired ─► expired
 *                       ▲                     │              │
 *                       └─────────────────────┴──────────────┘   the same session again
 *
 * closed and authFailed can follow any state; after them, and after expired unless `renewSession`, nothing happens.
 */
export type SessionState =
  /** No session yet. */
  | "connecting"
  | "connected"
  /** Connected to a server without a quorum: reads only, and they may be old. */
  | "readOnly"
  /** The connection is gone, the session is not: others cannot yet have seen it expire. */
  | "suspended"
  /** By this process's own clock the servers may have expired the session: act as if its ephemeral nodes were gone. */
  | "maybeExpired"
  | "expired"
  | "authFailed"
  | "closed";

export type SessionEvent =
  | {
      type: "connected" | "readOnly";
      sessionId: bigint;
      /** The timeout that the server granted. */
      timeoutMs: number;
      /** Host and port. */
      server: string;
      /** True: the same session as before. False: a new one, without the ephemeral nodes of any before it. */
      resumed: boolean;
    }
  | {
      type: "suspended";
      sessionId: bigint;
      server: string;
      error: Error /** Safe for that long. */;
      remainingMs: number;
    }
  | { type: "maybeExpired"; sessionId: bigint /** Milliseconds since the session could have ended. */; lateMs: number }
  /** `by`: the server said so, or the client has waited longer than any server would. */
  | { type: "expired"; sessionId: bigint; by: "server" | "client" }
  /** This process did nothing for a while: its event loop was blocked or the machine slept. */
  | { type: "stalled"; lateMs: number }
  | { type: "connectFailed"; server: string; error: Error /** Until the next attempt. */; retryInMs: number }
  | { type: "serversChanged"; servers: string[] }
  | { type: "authFailed"; scheme: string }
  | { type: "closed" };

/** What it takes to resume a session from another process. The password is a secret. */
export interface SessionInfo {
  id: bigint;
  password: Uint8Array;
  /** The newest zxid that the session has seen: a server that is behind it will not be used. */
  lastZxid?: number;
}
