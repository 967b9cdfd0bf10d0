/**
 * A server that is its own quorum: files, recovery, the term of service, the client port and timers, in that order, and
 * back. Nothing is acknowledged after the log has failed: the server stops, and its `stopped` promise says why.
 */
import { firstSessionId, type Zxid } from "@vivarium/protocol";
import { buildAuth } from "./build-auth.ts";
import { ClientPort } from "./client-port.ts";
import type { ServerConfig } from "./config/index.ts";
import { crc32, Database } from "./database.ts";
import { Housekeeping } from "./housekeeping.ts";
import { type Agreement, LeaderPath } from "./leader-path.ts";
import type { Logger } from "./log/index.ts";
import { Outcome } from "./outcome.ts";
import type { ServerPorts } from "./server-ports.ts";
import { ServerStats } from "./server-stats.ts";
import type { RunningServer } from "./start-server.ts";
import { ZooKeeperServer } from "./zookeeper-server.ts";

/** A standalone server has no myid; like Apache's it gives out session ids as server 1 would. */
const STANDALONE_SERVER_ID = 1;

export interface StandaloneServerOptions {
  config: ServerConfig;
  logger: Logger;
  ports: ServerPorts;
}

export class StandaloneServer implements RunningServer {
  readonly #options: StandaloneServerOptions;
  readonly #stats = new ServerStats();
  readonly #outcome = new Outcome();
  readonly #port: ClientPort;
  #database: Database | null = null;
  #server: ZooKeeperServer | null = null;
  #path: LeaderPath | null = null;
  #housekeeping: Housekeeping | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: StandaloneServerOptions) {
    this.#options = options;
    this.#port = new ClientPort({
      ...options,
      stats: this.#stats,
      words: () => ({
        server: this.#port.listener.service === null ? null : this.#server,
        serverState: "standalone",
        serverId: 0,
        directorySizes: () => (this.#database as Database).storage.sizes(),
      }),
    });
  }

  get address(): { host: string; port: number } {
    return this.#port.address;
  }

  get stopped(): Promise<void> {
    return this.#outcome.promise;
  }

  get server(): ZooKeeperServer {
    if (this.#server === null) throw new Error("the server is not running");
    return this.#server;
  }

  async start(): Promise<void> {
    const { logger } = this.#options;
    const database = await Database.open({
      ...this.#options,
      stats: this.#stats,
      onFlushed: (zxid) => this.#path?.committed(zxid),
      onFatal: (message, error) => this.#fail(message, error),
    });
    this.#database = database;
    const { needsSnapshot } = await database.load();
    database.tree.digests.settled();
    if (needsSnapshot) await database.takeSnapshot();
    const server = await this.#beginService(database);
    server.closeOrphanedSessions();
    await database.storage.drained();
    this.#housekeeping = new Housekeeping(server);
    this.#housekeeping.start();
    this.#port.listener.service = server;
    await this.#port.listen();
    database.storage.startPurging();
    logger.info("serving clients", this.#port.address);
  }

  async #beginService(database: Database): Promise<ZooKeeperServer> {
    const { config, logger, ports } = this.#options;
    const { clock, random } = ports;
    const server = new ZooKeeperServer({
      config,
      tree: database.tree,
      auth: await buildAuth(config),
      listener: this.#port.listener,
      stats: this.#stats,
      clock,
      random,
      logger,
      firstSessionId: firstSessionId(STANDALONE_SERVER_ID, clock.wallMs()),
    });
    this.#path = new LeaderPath(server, { agreement: ownQuorum(database), crc32 });
    server.path = this.#path;
    server.adoptSessions();
    this.#server = server;
    return server;
  }

  /** What cannot be kept must not be acknowledged: the server ends here. */
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
    this.#housekeeping?.stop();
    await listener.close();
    listener.stopReading();
    await this.#database?.storage.drained();
    listener.endService("the server is stopping");
    this.#server?.log.flush();
    await this.#database?.storage.close();
    this.#outcome.done();
  }
}

/** The agreement of one: what is on our own disk is committed. */
function ownQuorum({ storage, tree }: Database): Agreement {
  let zxid: Zxid = tree.lastProcessedZxid;
  return {
    nextZxid: () => ++zxid,
    // The log has copied them.
    released: () => tree.lastProcessedZxid,
    propose: (entry, txn) => storage.append(entry, txn.header.zxid),
  };
}
