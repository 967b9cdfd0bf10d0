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
import { firstSessionId, type Member, ServerState, type Zxid } from "@vivarium/protocol";
import type { AuthRegistry } from "@vivarium/tree";
import { CommittedLog, type LogEntry, type Vote } from "@vivarium/zab";
import { buildAuth } from "../build-auth.ts";
import { ClientPort } from "../client-port.ts";
import type { ServerConfig } from "../config/index.ts";
import { Database } from "../database.ts";
import type { Logger } from "../log/index.ts";
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
import { readLogWindow } from "./log-window.ts";
import type { PeerContext, Term } from "./peer-context.ts";

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
  #auth: AuthRegistry | null = null;
  #database: Database | null = null;
  #committedLog = new CommittedLog(0);
  /** There are no files, and an empty tree may not be trusted to be the ensemble's: nobody heeds its vote. */
  #isBlank = false;
  #term: Term | null = null;
  /** Counts terms, so that what an earlier one still says is not heard. */
  #terms = 0;
  #stopping: Promise<void> | null = null;

  constructor(options: QuorumPeerOptions) {
    const { config, ports, logger, view } = options;
    this.#options = options;
    this.#view = view;
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
    } as const;
  }

  get address(): { host: string; port: number } {
    return this.#port.address;
  }

  get stopped(): Promise<void> {
    return this.#outcome.promise;
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
    this.#committedLog = await this.#recallCommitted();
    await this.#election.listen();
    await this.#port.listen();
    database.storage.startPurging();
    const { id } = this.#view;
    logger.info("looking for a leader", { server: id, ...this.#port.address });
    this.#look();
  }

  /** The end of the log on disk, as the committed log in memory would hold it had this server not been restarted. */
  async #recallCommitted(): Promise<CommittedLog> {
    const { tree, storage } = this.database;
    const last = tree.lastProcessedZxid;
    const log = new CommittedLog(Math.max(0, last - RECALL_COUNT));
    const entries = (await readLogWindow(storage, { from: log.before, through: last, limitBytes: RECALL_BYTES })) ?? [];
    const first = entries[0];
    if (first === undefined) return new CommittedLog(last);
    log.reset(first.zxid === log.before ? log.before : first.zxid - 1);
    for (const { zxid, entry } of entries) if (zxid > log.last) log.add(zxid, entry);
    return log.last === last ? log : new CommittedLog(last);
  }

  #look(): void {
    const { tree, storage } = this.database;
    const zxid = this.#isBlank ? NO_HISTORY : tree.lastProcessedZxid;
    this.#election.look({ zxid, peerEpoch: storage.epochs.currentEpoch });
  }

  #elected(state: Exclude<ServerState, 0>, vote: Vote): void {
    const { logger } = this.#options;
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
      role: self.role,
      database: this.database,
      committedLog: this.#committedLog,
      listenForLearners: (onStream) => this.#listenForLearners(self, onStream),
      dialLeader: (leaderId) => this.#dial(leaderId),
      readLog: (from, through) => this.#readLog(from, through),
      newServer: () => this.#newServer(),
      serve: (role, server, epoch) => {
        if (isCurrent()) this.#serve(role, server, epoch);
      },
      membershipSeen: () => {},
      lookAgain: (end) => {
        if (isCurrent()) void this.#lookAgain(end);
      },
      fail: (message, error) => this.#fail(message, error),
    };
  }

  #listenForLearners(self: Member, onStream: (stream: PacketStream) => void): Promise<QuorumListener> {
    const { ports, logger } = this.#options;
    return QuorumListener.listen({
      ...ports,
      logger,
      addresses: self.addresses,
      onAllAddresses: this.#view.listenOnAllAddresses,
      initTimeoutMs: this.#view.timeouts.initTimeoutMs,
      onStream,
    });
  }

  #dial(leaderId: number): Promise<PacketStream> {
    const leader = this.#view.members.get(leaderId);
    if (leader === undefined) {
      return Promise.reject(new Error(`server ${leaderId} was elected but is not in the configuration`));
    }
    const { ports, logger } = this.#options;
    const { initTimeoutMs, dialTimeoutMs } = this.#view.timeouts;
    return dialLeader({ ...ports, logger, leader, initTimeoutMs, budgetMs: dialTimeoutMs, ...DIALING });
  }

  /** A stretch of log is worth reading up to a part of what a snapshot would be. @see zookeeper.snapshotSizeFactor */
  #readLog(from: Zxid, through: Zxid): Promise<LogEntry[] | null> {
    const { tree, storage } = this.database;
    const limitBytes = Math.max(MIN_WINDOW_BYTES, tree.nodes.approximateDataSize * this.#view.snapshotSizeFactor);
    return readLogWindow(storage, { from, through, limitBytes });
  }

  #newServer(): ZooKeeperServer {
    const { config, logger, ports } = this.#options;
    return new ZooKeeperServer({
      config,
      tree: this.database.tree,
      auth: this.#auth as AuthRegistry,
      listener: this.#port.listener,
      stats: this.#stats,
      clock: ports.clock,
      random: ports.random,
      logger,
      firstSessionId: firstSessionId(this.#view.id, ports.clock.wallMs()),
    });
  }

  #serve(role: Term["name"], server: ZooKeeperServer, epoch: number): void {
    this.#isBlank = false;
    this.#election.established(epoch);
    this.#options.logger.info("serving clients", { role, epoch, ...this.#port.address });
    if (role === "leader" && !this.#view.leaderServes) return;
    this.#port.listener.service = server;
  }

  async #lookAgain({ reason, reload }: { reason: string; reload: boolean }): Promise<void> {
    const { logger } = this.#options;
    logger.warn("looking for a leader again", { server: this.#view.id, reason });
    this.#terms++;
    this.#term?.end();
    this.#term = null;
    this.#port.listener.endService("this server has lost its quorum");
    try {
      await this.#settle(reload);
    } catch (error) {
      this.#fail("the log cannot be brought to rest", error as Error);
      return;
    }
    if (this.#stopping === null) this.#look();
  }

  /** Brings memory and disk to the same point. */
  async #settle(reload: boolean): Promise<void> {
    const { storage } = this.database;
    await storage.drained();
    if (reload) await this.database.load();
    else await this.database.replayTail();
    if (this.#committedLog.last !== this.database.tree.lastProcessedZxid) {
      this.#committedLog = await this.#recallCommitted();
    }
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
    this.#term?.end();
    listener.endService("the server is stopping");
    await this.#database?.storage.close();
    this.#outcome.done();
  }
}

/** A leader opens its port within milliseconds of being elected; whoever is faster does not wait long for it. */
const DIALING = { attempts: 50, pauseMs: 20 };
/** The zxid of a vote by a server that knows nothing. */
const NO_HISTORY = -1;
/** How much of the log's end is brought back into memory at start. */
const RECALL_COUNT = 500;
const RECALL_BYTES = 64 << 20;
const MIN_WINDOW_BYTES = 1 << 20;

const STATE_NAMES = { 1: "following", 2: "leading", 3: "observing" } as const;
