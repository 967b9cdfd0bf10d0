/**
 * The sessions of this server and when they expire. A synchronous machine: the clock's time comes in with each call.
 *
 *   create ─► live ─touch─► live ─(no touch for its timeout)─► closing ─closeSession applied─► gone
 *
 * A closing session stays known until its closeSession transaction is applied: requests still on the way get
 * SESSIONEXPIRED. A session has one owner, the connection that it lives on; requests by another are SESSIONMOVED.
 * Only the leader, or a standalone server, expires sessions. @see SessionTrackerImpl
 */
import { ErrorCode } from "@vivarium/protocol";
import { type Expiring, ExpiryQueue } from "./expiry-queue.ts";

export interface Session extends Expiring {
  readonly id: bigint;
  /** Negotiated timeout, in milliseconds. */
  timeoutMs: number;
  closing: boolean;
  /** Who speaks for the session; null until its first request. */
  owner: object | null;
}

export interface SessionTrackerOptions {
  /** Width of an expiry bucket: `tickTime`. */
  tickTimeMs: number;
  /** The first id to give out, from `firstSessionId`. */
  firstId: bigint;
}

export class SessionTracker {
  readonly #sessions = new Map<bigint, Session>();
  readonly #expiry: ExpiryQueue<Session>;
  #nextId: bigint;
  /** On a learner: the sessions touched since the leader was last told, with their timeouts. */
  #touches: Map<bigint, number> | null = null;

  constructor({ tickTimeMs, firstId }: SessionTrackerOptions) {
    this.#expiry = new ExpiryQueue(tickTimeMs);
    this.#nextId = firstId;
  }

  get size(): number {
    return this.#sessions.size;
  }

  newId(): bigint {
    return this.#nextId++;
  }

  /** The id that the next new session gets. */
  get nextId(): bigint {
    return this.#nextId;
  }

  /** Whether the leader watches over all sessions, and this server only over those of its own clients. */
  get isLearner(): boolean {
    return this.#touches !== null;
  }

  get(id: bigint): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Starts tracking a session, or gives a known one its new timeout. */
  track(id: bigint, timeoutMs: number, nowMs: number): Session {
    let session = this.#sessions.get(id);
    if (session === undefined) {
      session = { id, timeoutMs, closing: false, owner: null, dueMs: 0 };
      this.#sessions.set(id, session);
    }
    this.touch(session, timeoutMs, nowMs);
    return session;
  }

  /** The session has shown life. False when it is closing and so beyond help. */
  touch(session: Session, timeoutMs: number, nowMs: number): boolean {
    if (session.closing) return false;
    session.timeoutMs = timeoutMs;
    this.#touches?.set(session.id, timeoutMs);
    this.#expiry.touch(session, timeoutMs, nowMs);
    return true;
  }

  /** From now on touches are remembered for the leader, who alone expires sessions. */
  collectTouches(): void {
    this.#touches = new Map();
  }

  /** The sessions touched since this was last asked. */
  takeTouches(): { sessionId: bigint; timeOut: number }[] {
    const touches = Array.from(this.#touches ?? [], ([sessionId, timeOut]) => ({ sessionId, timeOut }));
    this.#touches?.clear();
    return touches;
  }

  /** OK, or why a request of this session by this owner cannot be carried out. */
  check(id: bigint, owner: object | null): number {
    const session = this.#sessions.get(id);
    if (session === undefined || session.closing) return ErrorCode.SESSIONEXPIRED;
    if (owner === null) return ErrorCode.OK;
    if (session.owner === null) session.owner = owner;
    return session.owner === owner ? ErrorCode.OK : ErrorCode.SESSIONMOVED;
  }

  setClosing(id: bigint): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    session.closing = true;
    this.#expiry.remove(session);
  }

  remove(id: bigint): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#expiry.remove(session);
    this.#sessions.delete(id);
  }

  /** Up to `limit` sessions whose time is over; they are closing from now on. */
  expire(nowMs: number, limit: number): Session[] {
    const due = this.#expiry.takeDue(nowMs, limit);
    for (const session of due) session.closing = true;
    return due;
  }

  all(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  expirySets(): Generator<readonly [dueMs: number, sessions: ReadonlySet<Session>]> {
    return this.#expiry.sets();
  }
}
