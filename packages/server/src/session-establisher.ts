/**
 * The first packet of a connection: a new session, an old one resumed, or a refusal.
 *
 *   ConnectRequest ─► throttle ─► client not ahead of us ─► timeout clamped ─┬─► new: createSession through the pipeline
 *                                                                           └─► old: password, then still alive?
 *
 * Whatever asks to resume a session takes it away from the connection it was on, even before its password is checked,
 * as in Apache ZooKeeper. The answer to a session that is gone is timeout 0, by which clients know that it expired.
 * Source: client protocol facts, section 2.
 */
import { encode, Reader } from "@vivarium/jute";
import { ConnectRequest, ConnectResponse, PASSWORD_BYTES, sessionPassword } from "@vivarium/protocol";
import { type ClientConnection, sessionHex } from "./client-connection.ts";
import type { ConnectionKind } from "./connection-throttle.ts";
import type { Session, SessionTracker } from "./session-tracker.ts";

export interface Establishing {
  readonly tracker: SessionTracker;
  readonly limits: { minSessionTimeoutMs: number; maxSessionTimeoutMs: number };
  lastProcessedZxid(): number;
  admit(kind: ConnectionKind, nowMs: number): boolean;
  /** The open connection on which this session lives, if any. */
  connectionOf(sessionId: bigint): ClientConnection | undefined;
  /** Makes the connection the session's own. */
  attach(connection: ClientConnection, session: Session): void;
  /** Proposes the createSession transaction; `established` answers the client when it is applied. */
  createSession(connection: ClientConnection, session: Session): void;
  /** Asks whoever knows all sessions whether this one lives, and gives it this timeout; `answer` may come later. */
  revalidate(sessionId: bigint, timeoutMs: number, answer: (isAlive: boolean) => void): void;
  /** An old session is attached: `established` tells the client, and its requests go on. */
  resumed(connection: ClientConnection, session: Session): void;
  log(level: "info" | "warn", message: string, fields: Record<string, unknown>): void;
}

export class SessionEstablisher {
  readonly #host: Establishing;
  /** Connections whose ConnectRequest came without the read-only byte, and whose answer therefore has none. */
  readonly #oldClients = new WeakSet<ClientConnection>();

  constructor(host: Establishing) {
    this.#host = host;
  }

  /** Handles the ConnectRequest that is the connection's current frame. */
  connect(connection: ClientConnection, nowMs: number): void {
    const { bytes, start, end } = connection.frames;
    const reader = new Reader(bytes, start, end);
    const request = ConnectRequest.read(reader);
    if (reader.remaining === 0) this.#oldClients.add(connection);

    const isNew = request.sessionId === 0n;
    if (!this.#host.admit(isNew ? "global" : "renew", nowMs)) {
      return this.#refuse(connection, "the connection throttle has no tokens left", request);
    }
    const ours = this.#host.lastProcessedZxid();
    if (request.lastZxidSeen > ours) {
      return this.#refuse(connection, "the client has seen a later zxid than this server has", {
        ...request,
        lastProcessedZxid: ours,
      });
    }
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#host.limits;
    const timeoutMs = Math.min(Math.max(request.timeOut, minSessionTimeoutMs), maxSessionTimeoutMs);
    connection.state = "establishing";
    if (isNew) this.#create(connection, timeoutMs, nowMs);
    else this.#resume(connection, { ...request, timeoutMs }, nowMs);
  }

  #refuse(connection: ClientConnection, reason: string, request: Record<string, unknown>): void {
    this.#host.log("info", "refused a connection", {
      client: connection.describe(),
      reason,
      lastZxidSeen: request["lastZxidSeen"],
    });
    connection.close(reason);
  }

  #create(connection: ClientConnection, timeoutMs: number, nowMs: number): void {
    const { tracker } = this.#host;
    const session = tracker.track(tracker.newId(), timeoutMs, nowMs);
    this.#host.attach(connection, session);
    this.#host.createSession(connection, session);
  }

  #resume(
    connection: ClientConnection,
    request: { sessionId: bigint; passwd: Uint8Array | null; timeoutMs: number },
    nowMs: number,
  ): void {
    this.#host.connectionOf(request.sessionId)?.close("the session moved to another connection");
    const { sessionId, timeoutMs } = request;
    if (!isPasswordOf(sessionId, request.passwd)) return this.#expired(connection, sessionId);
    this.#host.revalidate(sessionId, timeoutMs, (isAlive) => {
      if (connection.state !== "establishing") return;
      if (!isAlive) return this.#expired(connection, sessionId);
      const session = this.#host.tracker.track(sessionId, timeoutMs, nowMs);
      this.#host.attach(connection, session);
      this.#host.resumed(connection, session);
    });
  }

  #expired(connection: ClientConnection, sessionId: bigint): void {
    this.#host.log("info", "a client asked for a session that is gone, or with a wrong password", {
      client: connection.peer,
      session: `0x${sessionHex(sessionId)}`,
    });
    this.#answer(connection, { timeOut: 0, sessionId: 0n, passwd: new Uint8Array(PASSWORD_BYTES) });
    connection.close("session expired");
  }

  /** The session is there: tell the client. Its requests that have already arrived may be drained after this. */
  established(connection: ClientConnection, session: Session): void {
    if (connection.state !== "establishing") return;
    connection.state = "open";
    this.#answer(connection, {
      timeOut: session.timeoutMs,
      sessionId: session.id,
      passwd: sessionPassword(session.id),
    });
  }

  #answer(connection: ClientConnection, answer: { timeOut: number; sessionId: bigint; passwd: Uint8Array }): void {
    const record = encode(ConnectResponse, { protocolVersion: 0, ...answer });
    const readOnlyBytes = this.#oldClients.has(connection) ? 0 : 1;
    const packet = new Uint8Array(4 + record.length + readOnlyBytes);
    new DataView(packet.buffer).setInt32(0, record.length + readOnlyBytes);
    packet.set(record, 4);
    connection.send(packet);
  }
}

function isPasswordOf(sessionId: bigint, password: Uint8Array | null): boolean {
  if (sessionId === 0n || password?.length !== PASSWORD_BYTES) return false;
  const expected = sessionPassword(sessionId);
  let difference = 0;
  for (let i = 0; i < PASSWORD_BYTES; i++) difference |= (expected[i] as number) ^ (password[i] as number);
  return difference === 0;
}
