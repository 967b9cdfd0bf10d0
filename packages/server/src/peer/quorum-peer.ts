/**
 * A member of an ensemble: it looks for a leader, leads, follows or observes, one term after the other, on one database
 * and one client port. @see QuorumPeer
 *
 *        ┌───────── lookAgain ──────────┐
 *        ▼                              │
 *   LOOKING ─ elected ─► LEADING · FOLLOWING · OBSERVING
 *
 * A change of role is a barrier: clients are let go, the log is drained, and what is on disk but not in the tree is
 * replayed, before the next vote. So every vote speaks for what is on disk.
 */
import { Reader } from "@vivarium/jute";
import { firstSessionId, type Member, makeZxid, readTxn, ServerState, type Zxid } from "@vivarium/protocol";
import type { AuthRegistry } from "@vivarium/tree";
import { CommittedLog, type LogEntry, type Vote } from "@vivarium/zab";
import { buildAuth } from "../build-auth.ts";
import { ClientPort } from "../client-port.ts";
import type { ServerConfig } from "../config/index.ts";
import { Database } from "../database.ts";
import { type Logger, LogThrottle } from "../log/index.ts";
import { Outcome } from "../outcome.ts";
import { dialLeader } from "../quorum/learner-dialer.ts";
import type { PacketStream } from "../quorum/packet-stream.ts";
import { QuorumListener } from "../quorum/quorum-listener.ts";
import type { ServerPorts } from "../server-ports.ts";
import { ServerStats } from "../server-stats.ts";
import type { RunningServer } from "../start-server.ts";
import { ZooKeeperServer } from "../zookeeper-server.ts";
import { ElectionDriver } from "./election-driver.ts";
import type { EnsembleView } from "./ensemble-view.ts";
import { LeaderTerm } from "./leader-term.ts";
import { LearnerTerm } from "./learner-term.ts";
import { readLogWindow, recallCommitted } from "./log-window.ts";
import type { PeerContext, Term } from "./peer-context.ts";
import { UnappliedTail } from "./unapplied-tail.ts";

export interface QuorumPeerOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly ports: ServerPorts;
  readonly view: EnsembleView;
}

export class QuorumPeer implements RunningServer {
  readonly #options: QuorumPeerOptions;
  readonly #view: EnsembleView;
  readonly #stats = new ServerStats();
  readonly #outcome = new Outcome();
  readonly #port: ClientPort;
  readonly #election: ElectionDriver;
  readonly #log: LogThrottle;
  #auth: AuthRegistry | null = null;
  #database: Database | null = null;
  /** What the log ends with, and where: what votes and terms go by. */
  #committedLog = new CommittedLog(NO_HISTORY);
  readonly #tail = new UnappliedTail();
  /** There are no files, and an empty tree may not be trusted to be the ensemble's: nobody heeds its vote. */
  #isBlank = false;
  #term: Term | null = null;
  /** Counts terms, so that what an earlier one still says is not heard. */
  #terms = 0;
  /** Terms in a row that came to nothing. */
  #failures = 0;
  /** The next session's id is above all that this process has given. */
  #nextSessionId: bigint | null = null;
  /** When the election under way began, and since when nobody is served; null while clients are. */
  #lookingSinceMs = 0;
  #unavailableSinceMs: number | null = null;
  /** Between two terms. */
  #settling: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | null = null;

  constructor(options: QuorumPeerOptions) {
    const { config, ports, logger, view } = options;
    this.#options = options;
    this.#view = view;
    this.#log = new LogThrottle({ logger, now: () => ports.clock.monotonicMs() });
    this.#port = new ClientPort({ config, ports, logger, stats: this.#stats, words: () => this.#words() });
    this.#election = new ElectionDriver({
      ports,
      logger,
      view,
      elected: (state, vote) => this.#elected(state, vote),
    });
  }

  #words() {
    const server = this.#port.listener.service === null ? null : this.server;
    return {
      server,
      serverState: this.#term?.name ?? "follower",
      serverId: this.#view.id,
      directorySizes: () => this.database.storage.sizes(),
      ensemble: { view: this.#view, leader: this.#term?.figures },
    } as const;
  }

  get address(): { host: string; port: number } {
    return this.#port.address;
  }

  get stopped(): Promise<void> {
    return this.#outcome.promise;
  }

  /** What this server is to the ensemble while it serves; null while it looks for a leader or is not in step yet. */
  get role(): Term["name"] | null {
    return this.#term !== null && this.#term.server !== null ? this.#term.name : null;
  }

  get server(): ZooKeeperServer {
    const server = this.#term?.server ?? null;
    if (server === null) throw new Error("this server has no quorum and serves nobody");
    return server;
  }

  get database(): Database {
    if (this.#database === null) throw new Error("the database is not open yet: our bug");
    return this.#database;
  }

  async start(): Promise<void> {
    const { config, logger } = this.#options;
    this.#auth = await buildAuth(config);
    const database = await Database.open({
      ...this.#options,
      stats: this.#stats,
      onFlushed: (zxid) => this.#term?.flushed(zxid),
      onFatal: (message, error) => this.#fail(message, error),
    });
    this.#database = database;
    const { lastProcessedZxid, needsSnapshot } = await database.load();
    this.#isBlank = lastProcessedZxid < 0;
    if (needsSnapshot && !this.#isBlank) await database.takeSnapshot();
    await database.storage.epochs.load(lastProcessedZxid);
    await this.#recall();
    await this.#election.listen();
    await this.#port.listen();
    database.storage.startPurging();
    const { id } = this.#view;
    logger.info("looking for a leader", { server: id, ...this.#port.address });
    this.#look();
  }

  async #recall(): Promise<void> {
    const { tree, storage } = this.database;
    const { commitLogCount: limit } = this.#options.config;
    const last = this.#isBlank ? NO_HISTORY : tree.lastProcessedZxid;
    this.#committedLog = await recallCommitted(storage, { last, limit });
  }

  #look(): void {
    this.#stats.lookingCount++;
    this.#lookingSinceMs = this.#options.ports.clock.monotonicMs();
    this.#unavailableSinceMs ??= this.#lookingSinceMs;
    const { epochs } = this.database.storage;
    this.#election.look({ zxid: this.#committedLog.last, peerEpoch: epochs.currentEpoch });
  }

  #elected(state: Exclude<ServerState, 0>, vote: Vote): void {
    const { logger, ports } = this.#options;
    this.#stats.electionTime.add(ports.clock.monotonicMs() - this.#lookingSinceMs);
    const leader = vote.leader;
    logger.info("elected", { server: this.#view.id, leader, state: STATE_NAMES[state] });
    const number = ++this.#terms;
    const context = this.#context(number);
    const term = state === ServerState.LEADING ? new LeaderTerm(context) : new LearnerTerm(context, leader);
    this.#term = term;
    term.begin().catch((error: Error) => context.lookAgain({ reason: error.message, reload: false }));
  }

  #context(number: number): PeerContext {
    const { config, ports } = this.#options;
    const view = this.#view;
    const { self } = view;
    const isCurrent = () => this.#terms === number && this.#stopping === null;
    return {
      ...view,
      config,
      ports,
      stats: this.#stats,
      role: self.role,
      log: this.#log,
      database: this.database,
      committedLog: this.#committedLog,
      syncFromDisk: view.snapshotSizeFactor >= 0,
      append: (entry) => this.#append(entry),
      listenForLearners: (onStream) => this.#listenForLearners(self, onStream),
      dialLeader: (leaderId) => this.#dial(leaderId),
      readLog: (from, through) => this.#readLog(from, through),
      newServer: (epoch) => this.#newServer(epoch),
      serve: (role, server, epoch) => {
        if (isCurrent()) this.#serve(role, server, epoch);
      },
      membershipSeen: () => {},
      lookAgain: (end) => {
        if (isCurrent()) this.#lookAgain(end);
      },
      fail: (message, error) => this.#fail(message, error),
    };
  }

  #append(entry: LogEntry): void {
    const { storage, tree } = this.database;
    this.#tail.push(entry, tree.lastProcessedZxid);
    storage.append(entry.entry, entry.zxid);
  }

  #listenForLearners(self: Member, onStream: (stream: PacketStream) => void): Promise<QuorumListener> {
    const { ports, logger } = this.#options;
    return QuorumListener.listen({
      ...ports,
      logger,
      addresses: self.addresses,
      onAllAddresses: this.#view.listenOnAllAddresses,
      keepAlive: this.#view.keepAlive,
      initTimeoutMs: this.#view.timeouts.initTimeoutMs,
      maxPacketBytes: this.#view.maxPacketBytes,
      onStream,
    });
  }

  #dial(leaderId: number): Promise<PacketStream> {
    const leader = this.#view.members.get(leaderId);
    if (leader === undefined) {
      return Promise.reject(new Error(`server ${leaderId} was elected but is not in the configuration`));
    }
    const { ports, logger } = this.#options;
    const { maxPacketBytes, timeouts } = this.#view;
    const { initTimeoutMs, dialTimeoutMs: budgetMs } = timeouts;
    return dialLeader({ ...ports, logger, leader, initTimeoutMs, budgetMs, maxPacketBytes, ...DIALING });
  }

  /** A stretch of log is worth reading up to a part of what a snapshot would be. @see zookeeper.snapshotSizeFactor */
  #readLog(from: Zxid, through: Zxid): Promise<LogEntry[] | null> {
    const { tree, storage } = this.database;
    const limitBytes = Math.max(MIN_WINDOW_BYTES, tree.nodes.approximateDataSize * this.#view.snapshotSizeFactor);
    return readLogWindow(storage, { from, through, limitBytes });
  }

  #newServer(epoch: number): ZooKeeperServer {
    const { config, logger, ports } = this.#options;
    const { id, membershipText, configVersion } = this.#view;
    const { clock } = ports;
    const { tree } = this.database;
    // Each server does this for itself, on whatever tree it has now. @see ZKDatabase.initConfigInZKDatabase
    tree.setConfig(Buffer.from(membershipText), configVersion, clock.wallMs());
    const first = firstSessionId(id, clock.wallMs());
    return new ZooKeeperServer({
      config,
      tree,
      auth: this.#auth as AuthRegistry,
      listener: this.#port.listener,
      stats: this.#stats,
      clock,
      random: ports.random,
      logger,
      // The clock on the wall may have been set back.
      firstSessionId: this.#nextSessionId !== null && this.#nextSessionId > first ? this.#nextSessionId : first,
      establishedZxid: makeZxid(epoch, 0),
    });
  }

  #serve(role: Term["name"], server: ZooKeeperServer, epoch: number): void {
    this.#isBlank = false;
    this.#failures = 0;
    const { clock } = this.#options.ports;
    if (this.#unavailableSinceMs !== null) this.#stats.unavailable.add(clock.monotonicMs() - this.#unavailableSinceMs);
    this.#unavailableSinceMs = null;
    this.#election.established(epoch);
    this.#options.logger.info("serving clients", { role, epoch, ...this.#port.address });
    if (role === "leader" && !this.#view.leaderServes) return;
    this.#port.listener.service = server;
  }

  #lookAgain({ reason, reload }: { reason: string; reload: boolean }): void {
    const { logger } = this.#options;
    const term = this.#term;
    logger.warn("looking for a leader again", { server: this.#view.id, reason });
    this.#terms++;
    this.#term = null;
    this.#unavailableSinceMs ??= this.#options.ports.clock.monotonicMs();
    this.#port.listener.endService("this server has lost its quorum");
    this.#nextSessionId = term?.server?.tracker.nextId ?? this.#nextSessionId;
    this.#settling = this.#settle(term, reload).then(
      () => {
        if (this.#stopping === null) this.#look();
      },
      (error: Error) => this.#fail("the log cannot be brought to rest", error),
    );
  }

  /** Ends the term, and brings memory and disk to the same point. */
  async #settle(term: Term | null, reload: boolean): Promise<void> {
    const { database } = this;
    await term?.end();
    await database.atRest();
    if (reload) await database.load();
    else await this.#applyTail();
    this.#tail.clear();
    if (database.tree.lastProcessedZxid > 0) this.#isBlank = false;
    if (this.#committedLog.last !== database.tree.lastProcessedZxid) await this.#recall();
    await this.#pause();
  }

  /** What a role that ends has logged and nobody has committed yet: the next one begins with it. */
  async #applyTail(): Promise<void> {
    const { tree } = this.database;
    let applied = 0;
    for (let next = this.#nextOfTail(); next !== undefined; next = this.#nextOfTail()) {
      tree.apply(readTxn(new Reader(next.entry)));
      if (next.zxid > this.#committedLog.last) this.#committedLog.add(next.zxid, next.entry);
      if (++applied % APPLY_SLICE === 0) await new Promise<void>((resolve) => this.#options.ports.clock.defer(resolve));
    }
  }

  #nextOfTail(): LogEntry | undefined {
    return this.#tail.take(this.database.tree.lastProcessedZxid);
  }

  /** Whoever is turned away again and again must not keep everyone busy with elections. */
  async #pause(): Promise<void> {
    const pauseMs = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** this.#failures);
    const isFirst = this.#failures++ === 0;
    if (isFirst || this.#stopping !== null) return;
    await new Promise<void>((resolve) => this.#options.ports.clock.setTimer(pauseMs, resolve, { background: true }));
  }

  #fail(message: string, error: Error): void {
    this.#options.logger.error(message, { error });
    this.#outcome.fail(error);
    void this.stop();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  async #shutDown(): Promise<void> {
    const { listener } = this.#port;
    await this.#election.close();
    await listener.close();
    listener.stopReading();
    await this.#database?.storage.drained();
    listener.endService("the server is stopping");
    await this.#term?.end();
    await this.#settling;
    await this.#database?.storage.close();
    this.#log.flush();
    this.#outcome.done();
  }
}

/** A leader opens its port within milliseconds of being elected; whoever is faster does not wait long for it. */
const DIALING = { attempts: 200, pauseMs: 5 };
/** The zxid of a vote by a server that knows nothing. */
const NO_HISTORY = -1;
/** Transactions that one turn of the event loop applies between two terms. */
const APPLY_SLICE = 256;
const MIN_WINDOW_BYTES = 1 << 20;
/** Between a term that came to nothing and the next election, from the second such term on. */
const MIN_PAUSE_MS = 10;
const MAX_PAUSE_MS = 1000;

const STATE_NAMES = { 1: "following", 2: "leading", 3: "observing" } as const;
