/**
 * One server in service: the replicated tree, the sessions, the clients' connections and the pipeline, put together.
 * It knows no files and no processes; start-server.ts brings it to life from a configuration and takes it down.
 *
 *   ClientListener ─► SessionEstablisher ─► WritePipeline ─► Agreement (log) ─► committed ─► tree, replies, events
 *                  └► RequestDispatcher ──┴► reads, straight from the tree
 */
import { encode, int, type ProtocolError, Reader } from "@vivarium/jute";
import { type AuthPacket, ErrorCode, type Id, OpCode, PathRequest, Perms, type Zxid } from "@vivarium/protocol";
import type { Clock, Random } from "@vivarium/runtime";
import { type AuthRegistry, type Crc32, type DataTree, OPEN_ACL_ID, Prepare, Reads } from "@vivarium/tree";
import { type ClientConnection, sessionHex } from "./client-connection.ts";
import { ClientListener } from "./client-listener.ts";
import type { ServerConfig } from "./config/index.ts";
import { type ConnectionKind, ConnectionThrottle } from "./connection-throttle.ts";
import { type Logger, LogThrottle } from "./log/index.ts";
import { type AuthOutcome, isWrite, RequestDispatcher } from "./request-dispatcher.ts";
import { requestLimits, throttleOptions } from "./server-limits.ts";
import { ServerStats } from "./server-stats.ts";
import { SessionEstablisher } from "./session-establisher.ts";
import { type Session, SessionTracker } from "./session-tracker.ts";
import { type Agreement, type Proposal, WritePipeline } from "./write-pipeline.ts";

export interface ZooKeeperServerOptions {
  config: ServerConfig;
  tree: DataTree;
  auth: AuthRegistry;
  agreement: Agreement;
  /** For the digests that transactions carry. */
  crc32: Crc32;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** The first id that this server gives to a session. */
  firstSessionId: bigint;
  /** Answers a four-letter word; undefined for what is none. */
  fourLetterWord: (server: ZooKeeperServer, connection: ClientConnection, word: number) => boolean;
}

/** Sessions closed in one turn when many expire together. */
const EXPIRE_SLICE = 200;

export class ZooKeeperServer {
  readonly config: ServerConfig;
  readonly tree: DataTree;
  readonly auth: AuthRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: LogThrottle;
  readonly stats = new ServerStats();
  readonly tracker: SessionTracker;
  readonly listener: ClientListener;
  readonly pipeline: WritePipeline;
  readonly dispatcher: RequestDispatcher;
  readonly startedMs: number;
  readonly #establisher: SessionEstablisher;
  readonly #bySession = new Map<bigint, ClientConnection>();

  constructor(options: ZooKeeperServerOptions) {
    const { config, tree, clock } = options;
    this.config = config;
    this.tree = tree;
    this.auth = options.auth;
    this.clock = clock;
    this.logger = options.logger;
    this.log = new LogThrottle({ logger: options.logger, now: () => clock.monotonicMs() });
    this.startedMs = clock.monotonicMs();
    this.tracker = new SessionTracker({ tickTimeMs: config.tickTimeMs, firstId: options.firstSessionId });
    this.pipeline = this.#makePipeline(options);
    this.dispatcher = this.#makeDispatcher();
    this.#establisher = this.#makeEstablisher(options.random);
    this.listener = this.#makeListener(options);
  }

  get lastProcessedZxid(): Zxid {
    return this.tree.lastProcessedZxid;
  }

  /** Starts the clocks of the sessions that the tree knows from disk: each gets its full timeout. */
  adoptSessions(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [id, timeoutMs] of this.tree.sessions) this.tracker.track(id, timeoutMs, nowMs);
  }

  /** Expires what is due; returns whether more is. */
  expireSessions(): boolean {
    const due = this.tracker.expire(this.clock.monotonicMs(), EXPIRE_SLICE);
    for (const session of due) {
      this.stats.sessionsExpired++;
      this.logger.info("session expired", { session: `0x${sessionHex(session.id)}`, timeoutMs: session.timeoutMs });
      this.closeSession(session.id);
    }
    this.listener.flush();
    return due.length === EXPIRE_SLICE;
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
    this.pipeline.submit({ sessionId, cxid: 0, type, authInfo: [], reader: new Reader(record) }, connection, null);
  }

  connectionOf(sessionId: bigint): ClientConnection | undefined {
    return this.#bySession.get(sessionId);
  }

  #makePipeline({ agreement, crc32 }: ZooKeeperServerOptions): WritePipeline {
    const { tree, clock, auth, config, tracker } = this;
    let zxid = tree.lastProcessedZxid;
    const isReconfigEnabled = config.given.get("reconfigEnabled") === "true";
    const prepare = new Prepare({
      tree,
      auth,
      rules: {
        extendedTypes: config.extendedTypesEnabled,
        emulate353Ttl: config.emulate353TtlNodes,
        enforceQuota: config.enforceQuota,
        onQuotaExceeded: (path, kind) => this.log.warn(`a ${kind} quota is exceeded`, { path }),
        checkSession: ({ sessionId }) => tracker.check(sessionId, null),
      },
      nextZxid: () => ++zxid,
      reconfig: isReconfigEnabled ? () => ErrorCode.UNIMPLEMENTED : undefined,
      crc32,
    });
    return new WritePipeline({
      tree,
      prepare,
      agreement,
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      defer: (callback) => clock.defer(callback),
      closing: (sessionId) => tracker.setClosing(sessionId),
      undecodable: (connection, request) => this.dispatcher.refuse(connection, request, ErrorCode.MARSHALLINGERROR),
      applied: (proposal) => this.#applied(proposal),
      answered: (connection, request, zxid) => {
        this.dispatcher.release(connection, request);
        this.#answered(connection, request, zxid);
        this.dispatcher.drainPending(connection);
      },
      endOfTurn: () => {
        this.dispatcher.resume(clock.monotonicMs());
        this.listener.flush();
      },
    });
  }

  #makeDispatcher(): RequestDispatcher {
    const { tree, auth } = this;
    const reads = new Reads({ tree, auth });
    return new RequestDispatcher({
      limits: requestLimits(this.config),
      submit: (connection, request, reader) => {
        const { session, authInfo } = connection;
        if (session === null) return;
        const write = {
          sessionId: session.id,
          cxid: request.xid,
          type: request.type,
          owner: connection,
          reader,
          authInfo,
        };
        this.pipeline.submit(write, connection, request);
      },
      read: (connection, type, reader, out) => reads.answer(type, connection, reader, out),
      authenticate: (connection, packet) => this.#authenticate(connection, packet),
      lastProcessedZxid: () => tree.lastProcessedZxid,
      nonsense: (connection, error) => this.#nonsense(connection, error),
      log: (level, message, fields) => this.#say(level, message, fields),
      answered: (connection, request, zxid) => this.#answered(connection, request, zxid),
    });
  }

  #authenticate(connection: ClientConnection, packet: AuthPacket): AuthOutcome {
    const remoteAddress = connection.socket.remoteAddress;
    const ids = this.auth.authenticate(packet.scheme, packet.auth ?? new Uint8Array(0), { remoteAddress });
    if (ids !== undefined) return { err: ErrorCode.OK, ids };
    this.stats.authFailed++;
    return { err: ErrorCode.AUTHFAILED, ids: [] };
  }

  #answered(connection: ClientConnection, request: { xid: number; type: number; receivedMs: number }, zxid: Zxid) {
    const nowMs = this.clock.monotonicMs();
    connection.answered(request, zxid, nowMs);
    const { stats } = this;
    stats.latency.add(connection.lastLatencyMs);
    (isWrite(request.type) ? stats.updateLatency : stats.readLatency).add(connection.lastLatencyMs);
  }

  #makeEstablisher(random: Random): SessionEstablisher {
    const { config, tracker, clock, tree } = this;
    const throttle = new ConnectionThrottle(
      throttleOptions(config),
      clock.monotonicMs(),
      () => random.int(2 ** 32) / 2 ** 32,
    );
    return new SessionEstablisher({
      tracker,
      limits: config,
      lastProcessedZxid: () => tree.lastProcessedZxid,
      admit: (kind: ConnectionKind, nowMs) => throttle.admit(kind, nowMs),
      connectionOf: (sessionId) => this.#bySession.get(sessionId),
      attach: (connection, session) => this.#attach(connection, session),
      createSession: (connection, session) => {
        this.#submitOwn(session.id, OpCode.createSession, encode(int, session.timeoutMs), connection);
      },
      log: (level, message, fields) => this.#say(level, message, fields),
    });
  }

  #attach(connection: ClientConnection, session: Session): void {
    connection.session = session;
    session.owner = connection;
    this.#bySession.set(session.id, connection);
  }

  #makeListener(options: ZooKeeperServerOptions): ClientListener {
    const { config, clock, log, stats } = this;
    return new ClientListener({
      clock,
      log,
      limits: {
        maxClientCnxns: config.maxClientCnxns,
        maxCnxns: config.maxCnxns,
        sessionlessTimeoutMs: config.sessionlessCnxnTimeoutMs,
        maxFrameBytes: config.maxBufferBytes,
      },
      mayRead: (aclId, authInfo) => this.mayRead(aclId, authInfo),
      needsFlush: (connection) => this.listener.needsFlush(connection),
      count: (direction) => {
        stats[direction]++;
      },
      closing: (connection) => this.#closing(connection),
      fourLetterWord: (connection, word) => options.fourLetterWord(this, connection, word),
      connect: (connection, nowMs) => this.#connect(connection, nowMs),
      nonsense: (connection, error) => this.#nonsense(connection, error),
      drain: (connection, nowMs) => this.#drain(connection, nowMs),
      drained: (nowMs) => this.dispatcher.resume(nowMs),
    });
  }

  mayRead(aclId: number, authInfo: readonly Id[]): boolean {
    if (aclId === OPEN_ACL_ID) return true;
    const acl = this.tree.acls.get(aclId);
    return acl !== undefined && this.auth.checkACL(acl, Perms.READ, authInfo);
  }

  #connect(connection: ClientConnection, nowMs: number): void {
    this.#establisher.connect(connection, nowMs);
    // What arrives before the session is there waits in the client's socket, not in our memory.
    if (connection.state === "establishing") connection.socket.pause();
  }

  #drain(connection: ClientConnection, nowMs: number): void {
    const { session } = connection;
    if (session !== null) this.tracker.touch(session, session.timeoutMs, nowMs);
    this.dispatcher.drain(connection, nowMs);
  }

  #closing(connection: ClientConnection): void {
    for (let request = connection.pending.shift(); request !== undefined; request = connection.pending.shift()) {
      this.dispatcher.release(connection, request);
    }
    this.tree.watches.removeWatcher(connection);
    const { session } = connection;
    if (session !== null && this.#bySession.get(session.id) === connection) this.#bySession.delete(session.id);
  }

  /** Sessions begin and end when their transactions are applied. */
  #applied({ prepared, connection }: Proposal): void {
    const { header, body } = prepared.txn;
    if (body.type === OpCode.createSession) {
      const session = this.tracker.get(header.clientId);
      if (connection === null || session === undefined) return;
      this.#establisher.established(connection, session);
      if (connection.state !== "open") return;
      this.dispatcher.drain(connection, this.clock.monotonicMs());
      if (!connection.throttled) connection.socket.resume();
    } else if (body.type === OpCode.closeSession) {
      this.tracker.remove(header.clientId);
      if (connection === null) this.#bySession.get(header.clientId)?.close("the session expired");
    }
  }

  #nonsense(connection: ClientConnection, error: ProtocolError): void {
    this.log.warn("closed a connection that sent nonsense", { client: connection.describe(), problem: error.message });
    connection.close("nonsense");
  }

  #say(level: "info" | "warn", message: string, fields: Record<string, unknown>): void {
    if (level === "warn") this.log.warn(message, fields);
    else this.logger.info(message, fields);
  }
}
