/**
 * One term of service: the replicated tree, the sessions and the requests of the clients that are connected here, as
 * standalone server, leader, follower or observer. What these differ in is the path of a write and where sessions are
 * checked; both are given by the role. @see ZooKeeperServer and its subclasses
 *
 *   ClientListener ─► SessionEstablisher ─► WritePath (decide here, or forward to the leader) ─► commit ─► tree
 *                  └► RequestDispatcher ──┴► reads, straight from the tree
 *
 * It knows no files, no peers and no processes.
 */
import { encode, int, Reader } from "@vivarium/jute";
import {
  type AuthPacket,
  ErrorCode,
  type Id,
  OpCode,
  PathRequest,
  Perms,
  type Txn,
  type Zxid,
} from "@vivarium/protocol";
import type { Clock, Random } from "@vivarium/runtime";
import { type AuthRegistry, type DataTree, OPEN_ACL_ID, Reads, type WriteRequest } from "@vivarium/tree";
import { type ClientConnection, type PendingRequest, sessionHex } from "./client-connection.ts";
import type { ClientListener, ClientService } from "./client-listener.ts";
import type { ServerConfig } from "./config/index.ts";
import { type ConnectionKind, ConnectionThrottle } from "./connection-throttle.ts";
import { type Logger, LogThrottle } from "./log/index.ts";
import { type AuthOutcome, isWrite, RequestDispatcher } from "./request-dispatcher.ts";
import { requestLimits, throttleOptions } from "./server-limits.ts";
import type { ServerStats } from "./server-stats.ts";
import { SessionEstablisher } from "./session-establisher.ts";
import { type Session, SessionTracker } from "./session-tracker.ts";

/** A write on its way, and who speaks for its session. */
export interface OwnedWrite extends WriteRequest {
  /** Null: the server itself, which may act for any session. */
  readonly owner: object | null;
}

/** Where writes go: decided here and agreed on, or forwarded to the leader. */
export interface WritePath {
  /** The reply follows by `ZooKeeperServer.complete`. `connection` and `request` are null for the server's own writes. */
  submit(write: OwnedWrite, connection: ClientConnection | null, request: PendingRequest | null): void;
  /** A `sync` that must reach the leader before it is answered; false: it may be answered like a read. */
  sync(connection: ClientConnection, request: PendingRequest): boolean;
  /** Asks whoever knows all sessions whether this one lives; `answer` is called once, perhaps later. */
  revalidate(sessionId: bigint, timeoutMs: number, answer: (alive: boolean) => void): void;
}

export interface ZooKeeperServerOptions {
  config: ServerConfig;
  tree: DataTree;
  auth: AuthRegistry;
  listener: ClientListener;
  stats: ServerStats;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** The first id that this server gives to a session. */
  firstSessionId: bigint;
  /**
   * Up to here this server knows all there is, whatever its tree says: in an ensemble the beginning of the epoch, which
   * is no transaction. Clients that have heard of it elsewhere are welcome. Default 0.
   */
  establishedZxid?: Zxid;
}

/** Sessions closed in one turn at most when many expire together, and between looks at the clock. */
const EXPIRE_LIMIT = 192;
const EXPIRE_SLICE = 16;

export class ZooKeeperServer implements ClientService {
  readonly config: ServerConfig;
  readonly tree: DataTree;
  readonly auth: AuthRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: LogThrottle;
  readonly stats: ServerStats;
  readonly listener: ClientListener;
  readonly tracker: SessionTracker;
  readonly dispatcher: RequestDispatcher;
  readonly connectionThrottle: ConnectionThrottle;
  readonly startedMs: number;
  readonly #establishedZxid: Zxid;
  readonly #establisher: SessionEstablisher;
  readonly #bySession = new Map<bigint, ClientConnection>();
  #path: WritePath = NO_PATH;

  constructor(options: ZooKeeperServerOptions) {
    const { config, tree, clock, listener } = options;
    this.config = config;
    this.tree = tree;
    this.auth = options.auth;
    this.clock = clock;
    this.logger = options.logger;
    this.log = new LogThrottle({ logger: options.logger, now: () => clock.monotonicMs() });
    this.stats = options.stats;
    tree.watches.onWatched = (type, watchers) => this.stats.watched(type, watchers);
    this.listener = listener;
    this.startedMs = clock.monotonicMs();
    this.#establishedZxid = options.establishedZxid ?? 0;
    this.tracker = new SessionTracker({ tickTimeMs: config.tickTimeMs, firstId: options.firstSessionId });
    this.dispatcher = this.#makeDispatcher();
    const chance = () => options.random.int(2 ** 32) / 2 ** 32;
    this.connectionThrottle = new ConnectionThrottle(throttleOptions(config), clock.monotonicMs(), chance);
    this.#establisher = this.#makeEstablisher();
  }

  /** Gives the term its path of writes; before anything is served. */
  set path(path: WritePath) {
    this.#path = path;
  }

  get lastProcessedZxid(): Zxid {
    return this.tree.lastProcessedZxid;
  }

  // Sessions

  /** Starts the clocks of the sessions that the tree knows from disk: each gets its full timeout. */
  adoptSessions(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [id, timeoutMs] of this.tree.sessions) this.tracker.track(id, timeoutMs, nowMs);
  }

  /** Ephemerals whose session does not exist have no one to delete them: their session ends now. */
  closeOrphanedSessions(): void {
    for (const owner of [...this.tree.owned.sessions()]) {
      if (this.tree.sessions.has(owner)) continue;
      this.logger.warn("deleting the ephemerals of a session that is not on disk", { session: sessionHex(owner) });
      this.closeSession(owner);
    }
  }

  /** Expires what is due, as far as one turn has time; returns whether there is more. */
  expireSessions(): boolean {
    const { budget } = this.listener;
    const nowMs = this.clock.monotonicMs();
    budget.beginShare(nowMs);
    let expired = 0;
    let isMore = true;
    while (isMore && expired < EXPIRE_LIMIT && !(expired > 0 && budget.isOver())) {
      const due = this.tracker.expire(nowMs, EXPIRE_SLICE);
      for (const session of due) this.#expire(session);
      expired += due.length;
      isMore = due.length === EXPIRE_SLICE;
    }
    this.listener.flush();
    return isMore;
  }

  #expire({ id, timeoutMs }: Session): void {
    this.stats.sessionsExpired++;
    this.logger.info("session expired", { session: `0x${sessionHex(id)}`, timeoutMs });
    this.closeSession(id);
  }

  /** Proposes the end of a session on the server's own account. */
  closeSession(sessionId: bigint): void {
    this.#submitOwn(sessionId, OpCode.closeSession, new Uint8Array(0));
  }

  /** Deletes an empty container or a TTL node whose time is over, unless that has changed meanwhile. */
  deleteContainer(path: string): void {
    this.#submitOwn(0n, OpCode.deleteContainer, encode(PathRequest, { path }));
  }

  #submitOwn(sessionId: bigint, type: number, record: Uint8Array, connection: ClientConnection | null = null): void {
    const write = { sessionId, cxid: 0, type, owner: null, authInfo: [], reader: new Reader(record) };
    this.#path.submit(write, connection, null);
  }

  connectionOf(sessionId: bigint): ClientConnection | undefined {
    return this.#bySession.get(sessionId);
  }

  // ClientService

  mayRead(aclId: number, authInfo: readonly Id[]): boolean {
    if (aclId === OPEN_ACL_ID) return true;
    const acl = this.tree.acls.get(aclId);
    return acl !== undefined && this.auth.checkACL(acl, Perms.READ, authInfo);
  }

  connect(connection: ClientConnection, nowMs: number): void {
    this.#establisher.connect(connection, nowMs);
    // What arrives before the session is there waits in the client's socket, not in our memory.
    if (connection.state === "establishing") connection.socket.pause();
  }

  drain(connection: ClientConnection, nowMs: number): void {
    const { session } = connection;
    // An answer in a session that is ending would tell its client that it lives. The connection ends with the session.
    if (session !== null && !this.tracker.touch(session, session.timeoutMs, nowMs)) return;
    this.dispatcher.drain(connection, nowMs);
  }

  drained(nowMs: number): void {
    this.dispatcher.resume(nowMs);
  }

  closing(connection: ClientConnection): void {
    for (let request = connection.pending.shift(); request !== undefined; request = connection.pending.shift()) {
      this.dispatcher.release(connection, request);
    }
    this.tree.watches.removeWatcher(connection);
    const { session } = connection;
    if (session !== null && this.#bySession.get(session.id) === connection) this.#bySession.delete(session.id);
  }

  // What the path of writes calls back

  /** A transaction was applied: sessions begin and end with it, before any reply. */
  applied({ header, body }: Txn, connection: ClientConnection | null): void {
    this.stats.propagation.add(Math.max(0, this.listener.turn.wallMs - header.time));
    if (body.type === OpCode.createSession) {
      // A learner has nothing to do with other servers' sessions before they come here.
      if (connection === null && this.tracker.isLearner) return;
      const session = this.tracker.track(header.clientId, body.timeOut, this.clock.monotonicMs());
      if (connection === null) return;
      this.#count(connection, { xid: 0, type: OpCode.createSession, receivedMs: connection.arrivedMs }, header.zxid);
      this.#established(connection, session);
    } else if (body.type === OpCode.closeSession) {
      this.tracker.remove(header.clientId);
      if (connection === null) this.#bySession.get(header.clientId)?.close("the session expired");
    }
  }

  #established(connection: ClientConnection, session: Session): void {
    this.#establisher.established(connection, session);
    if (connection.state !== "open") return;
    this.drain(connection, this.clock.monotonicMs());
    if (!connection.throttled && !connection.isHeldBack) connection.socket.resume();
  }

  /** The reply of a pending write is written: statistics, and the reads that waited for it. */
  answered(connection: ClientConnection, request: PendingRequest, zxid: Zxid): void {
    this.dispatcher.release(connection, request);
    this.#count(connection, request, zxid);
    this.dispatcher.drainPending(connection);
  }

  /** Ends a turn in which transactions were applied: replies leave, and reading goes on where it had stopped. */
  endOfTurn(): void {
    const { budget } = this.listener;
    const nowMs = this.clock.monotonicMs();
    budget.begin(nowMs);
    this.dispatcher.resume(nowMs);
    this.listener.flush();
    budget.end();
  }

  // Parts

  #makeDispatcher(): RequestDispatcher {
    const { tree, auth } = this;
    const reads = new Reads({ tree, auth });
    return new RequestDispatcher({
      limits: requestLimits(this.config),
      stats: this.stats,
      submit: (connection, request, reader) => {
        const { session, authInfo } = connection;
        if (session === null) return;
        const write = { sessionId: session.id, cxid: request.xid, type: request.type, owner: this, authInfo, reader };
        this.#path.submit(write, connection, request);
      },
      sync: (connection, request) => this.#path.sync(connection, request),
      read: (connection, type, reader, out) => reads.answer(type, connection, reader, out),
      authenticate: (connection, packet) => this.#authenticate(connection, packet),
      lastProcessedZxid: () => tree.lastProcessedZxid,
      isTurnOver: () => this.listener.budget.isOver(),
      postpone: (connection) => this.listener.postpone(connection),
      nonsense: (connection, error) => this.listener.nonsense(connection, error),
      log: (level, message, fields) => this.#say(level, message, fields),
      answered: (connection, request, zxid) => this.#count(connection, request, zxid),
    });
  }

  #authenticate(connection: ClientConnection, packet: AuthPacket): AuthOutcome {
    const remoteAddress = connection.socket.remoteAddress;
    const ids = this.auth.authenticate(packet.scheme, packet.auth, { remoteAddress });
    if (ids !== undefined) return { err: ErrorCode.OK, ids };
    this.stats.authFailed++;
    return { err: ErrorCode.AUTHFAILED, ids: [] };
  }

  #count(connection: ClientConnection, request: { xid: number; type: number; receivedMs: number }, zxid: Zxid): void {
    connection.answered(request, zxid, this.listener.turn.monotonicMs);
    const { stats } = this;
    stats.latency.add(connection.lastLatencyMs);
    const isUpdate = isWrite(request.type) || request.type === OpCode.createSession;
    (isUpdate ? stats.updateLatency : stats.readLatency).add(connection.lastLatencyMs);
  }

  #makeEstablisher(): SessionEstablisher {
    const { config, tracker, tree, connectionThrottle } = this;
    return new SessionEstablisher({
      tracker,
      limits: config,
      lastProcessedZxid: () => Math.max(tree.lastProcessedZxid, this.#establishedZxid),
      admit: (kind: ConnectionKind, nowMs) => {
        this.stats.connectionRequests++;
        const isAdmitted = connectionThrottle.admit(kind, nowMs);
        this.stats.tokenDeficit.add(connectionThrottle.deficit);
        if (!isAdmitted) this.stats.connectionsRejected++;
        return isAdmitted;
      },
      connectionOf: (sessionId) => this.#bySession.get(sessionId),
      attach: (connection, session) => this.#attach(connection, session),
      createSession: (connection, session) => {
        this.#submitOwn(session.id, OpCode.createSession, encode(int, session.timeoutMs), connection);
      },
      revalidate: (sessionId, timeoutMs, answer) => {
        this.stats.revalidations++;
        this.#path.revalidate(sessionId, timeoutMs, answer);
      },
      resumed: (connection, session) => this.#established(connection, session),
      log: (level, message, fields) => this.#say(level, message, fields),
    });
  }

  #attach(connection: ClientConnection, session: Session): void {
    connection.session = session;
    this.#bySession.set(session.id, connection);
  }

  #say(level: "info" | "warn", message: string, fields: Record<string, unknown>): void {
    if (level === "warn") this.log.warn(message, fields);
    else this.logger.info(message, fields);
  }
}

const NO_PATH: WritePath = {
  submit: () => {
    throw new Error("a write before the server's role has begun: our bug");
  },
  sync: () => false,
  revalidate: (_sessionId, _timeoutMs, answer) => answer(false),
};
