/**
 * Brings a server to life from its configuration, and takes it down: files, recovery, the server in service, listeners
 * and timers, in that order, and back. Nothing is acknowledged after the log has failed: the server stops, and its
 * `stopped` promise says why.
 */
import { crc32 as zlibCrc32 } from "node:zlib";
import { firstSessionId, type Txn, zxidHex } from "@vivarium/protocol";
import {
  type Clock,
  type Disk,
  type Network,
  NodeClock,
  NodeDisk,
  NodeNetwork,
  NodeRandom,
  type Random,
} from "@vivarium/runtime";
import { Storage } from "@vivarium/storage";
import { type Crc32, DataTree, type DataTreeOptions, crc32 as ownCrc32, SnapshotLoader } from "@vivarium/tree";
import { buildAuth } from "./build-auth.ts";
import type { ServerConfig } from "./config/index.ts";
import { answerFourLetterWord } from "./four-letter-words/index.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { Logger } from "./log/index.ts";
import { storageConfig } from "./server-limits.ts";
import { ZooKeeperServer } from "./zookeeper-server.ts";

/** The outside world of a server; each part may be replaced by another form, such as the simulator's. */
export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly disk: Disk;
}

export interface StartServerOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly ports?: Partial<ServerPorts>;
}

export interface RunningServer {
  readonly address: { readonly host: string; readonly port: number };
  /** The server in service, for those who hold it in their own process. */
  readonly server: ZooKeeperServer;
  /** Takes no more requests, lets what was proposed reach the disk, closes connections and files. */
  stop(): Promise<void>;
  /** Resolves once stopped; rejects if a fault was the reason. */
  readonly stopped: Promise<void>;
}

/** The platform's checksum is several times faster than the tree's own, except where calling it costs more than the work. */
// Of an empty array without memory of its own zlib.crc32 forgets the seed and says 0.
const crc32: Crc32 = (bytes, start, end, seed) =>
  end - start < ZLIB_CRC_MIN_BYTES ? ownCrc32(bytes, start, end, seed) : zlibCrc32(bytes.subarray(start, end), seed);
const ZLIB_CRC_MIN_BYTES = 256;

/** A standalone server has no myid; like Apache's it gives out session ids as server 1 would. */
const STANDALONE_SERVER_ID = 1;

/** @throws StorageError, ConfigError, or the error of listening, each with what to do about it */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const starting = new StandaloneServer(options);
  try {
    await starting.start();
  } catch (error) {
    await starting.stop();
    throw error;
  }
  return starting;
}

class StandaloneServer implements RunningServer {
  readonly #config: ServerConfig;
  readonly #logger: Logger;
  readonly #ports: ServerPorts;
  readonly stopped: Promise<void>;
  #settle: { resolve: () => void; reject: (error: Error) => void } = { resolve: () => {}, reject: () => {} };
  #storage: Storage | null = null;
  #server: ZooKeeperServer | null = null;
  #housekeeping: Housekeeping | null = null;
  #address = { host: "", port: 0 };
  #stopping: Promise<void> | null = null;
  #inService = false;

  constructor({ config, logger, ports }: StartServerOptions) {
    this.#config = config;
    this.#logger = logger;
    this.#ports = {
      clock: ports?.clock ?? new NodeClock(),
      random: ports?.random ?? new NodeRandom(),
      network: ports?.network ?? new NodeNetwork(),
      disk: ports?.disk ?? new NodeDisk(),
    };
    this.stopped = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever does not ask why it stopped has seen the log line.
    this.stopped.catch(() => {});
  }

  get address(): { host: string; port: number } {
    return this.#address;
  }

  get server(): ZooKeeperServer {
    if (this.#server === null) throw new Error("the server is not running");
    return this.#server;
  }

  async start(): Promise<void> {
    const storage = await this.#openStorage();
    const tree = await this.#recover(storage);
    const server = await this.#assemble(storage, tree);
    this.#server = server;
    server.adoptSessions();
    this.#closeOrphanedSessions(server);
    await storage.drained();
    const { clientPort: port, clientPortAddress: host, clientPortListenBacklog: backlog } = this.#config;
    const keepAlive = this.#config.clientTcpKeepAlive;
    this.#housekeeping = new Housekeeping(server);
    this.#housekeeping.start();
    this.#inService = true;
    this.#address = await server.listener.listen(this.#ports.network, { host, port, backlog, keepAlive });
    storage.startPurging();
    this.#logger.info("serving clients", this.#address);
  }

  async #openStorage(): Promise<Storage> {
    const { dataDir, dataLogDir } = this.#config;
    this.#storage = await Storage.open({
      ...this.#ports,
      dataDir,
      dataLogDir,
      holder: `vivarium server, port ${this.#config.clientPort}`,
      config: storageConfig(this.#config),
      onFlushed: (zxid) => this.#server?.pipeline.committed(zxid),
      onFatal: (error) => this.#fail("the transaction log cannot be written", error),
      onSnapshotDue: () => this.#snapshot(),
      onWarning: (message) => this.#logger.warn(message),
    });
    return this.#storage;
  }

  async #recover(storage: Storage): Promise<DataTree> {
    const startMs = this.#ports.clock.monotonicMs();
    const options = this.#treeOptions();
    const recovered = await storage.recover({
      createEmpty: () => new DataTree(options),
      createSink: (zxid) => new SnapshotLoader(options, zxid),
      apply: (tree: DataTree, txn: Txn) => {
        tree.apply(txn);
      },
    });
    const { state: tree, replayed, snapshotZxid } = recovered;
    if (recovered.lastProcessedZxid > 0) {
      this.#logger.info("recovered", {
        zxid: `0x${zxidHex(tree.lastProcessedZxid)}`,
        znodes: tree.nodes.size,
        snapshot: snapshotZxid === null ? "none" : `0x${zxidHex(snapshotZxid)}`,
        replayed,
        tookMs: Math.round(this.#ports.clock.monotonicMs() - startMs),
      });
    }
    if (recovered.needsSnapshot) await storage.takeSnapshot(tree.snapshotSource());
    return tree;
  }

  #treeOptions(): DataTreeOptions {
    const config = this.#config;
    return {
      extendedTypes: config.extendedTypesEnabled,
      emulate353Ttl: config.emulate353TtlNodes,
      digest: config.digestEnabled,
      crc32,
      hashSeed: this.#ports.random.int(2 ** 32),
      onDigestMismatch: (zxid, expected, actual) => {
        if (this.#server !== null) this.#server.stats.digestMismatches++;
        this.#logger.error(
          "the tree differs from what the log says it should be; compare this server with the others",
          {
            zxid: `0x${zxidHex(zxid)}`,
            expected: expected.toString(16),
            actual: actual.toString(16),
          },
        );
      },
    };
  }

  async #assemble(storage: Storage, tree: DataTree): Promise<ZooKeeperServer> {
    const { clock, random } = this.#ports;
    return new ZooKeeperServer({
      config: this.#config,
      tree,
      auth: await buildAuth(this.#config),
      agreement: { propose: (entry, txn) => storage.append(entry, txn.header.zxid) },
      crc32,
      clock,
      random,
      logger: this.#logger,
      firstSessionId: firstSessionId(STANDALONE_SERVER_ID, clock.wallMs()),
      fourLetterWord: (server, connection, word) =>
        answerFourLetterWord(
          {
            server: this.#inService ? server : null,
            allowed: this.#config.fourLetterWords,
            serverState: "standalone",
            serverId: 0,
            clientPort: () => this.#address.port,
            directorySizes: () => storage.sizes(),
          },
          connection,
          word,
        ),
    });
  }

  /** Ephemerals whose session is not among those on disk have no one to delete them: their session ends now. */
  #closeOrphanedSessions(server: ZooKeeperServer): void {
    const { tree } = server;
    for (const owner of [...tree.owned.sessions()]) {
      if (tree.sessions.has(owner)) continue;
      this.#logger.warn("deleting the ephemerals of a session that is not on disk", { session: owner.toString(16) });
      server.closeSession(owner);
    }
  }

  #snapshot(): void {
    const { clock } = this.#ports;
    const startMs = clock.monotonicMs();
    const server = this.server;
    this.#storage?.takeSnapshot(server.tree.snapshotSource()).then(
      (file) => {
        const tookMs = clock.monotonicMs() - startMs;
        server.stats.snapshots.add(tookMs);
        this.#logger.info("snapshot written", { file: file.path, tookMs: Math.round(tookMs) });
      },
      (error: Error) => this.#fail("a snapshot cannot be written", error),
    );
  }

  /** What cannot be kept must not be acknowledged: the server ends here. */
  #fail(message: string, error: Error): void {
    this.#logger.error(message, { error });
    this.#settle.reject(error);
    void this.stop();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  async #shutDown(): Promise<void> {
    this.#inService = false;
    this.#housekeeping?.stop();
    const server = this.#server;
    if (server !== null) {
      await server.listener.close();
      server.listener.stopReading();
      await this.#storage?.drained();
      for (const connection of [...server.listener.connections()]) connection.close("the server is stopping");
      server.log.flush();
    }
    await this.#storage?.close();
    this.#settle.resolve();
  }
}
