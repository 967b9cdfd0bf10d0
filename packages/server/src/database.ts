/**
 * What a server knows, in memory and on disk: the tree, and the log and snapshots it can be rebuilt from. @see ZKDatabase
 *
 *   open ─► load ─► (append … flushed, snapshot) ─► close
 */
import { crc32 as zlibCrc32 } from "node:zlib";
import { type Txn, type Zxid, zxidHex } from "@vivarium/protocol";
import { Storage } from "@vivarium/storage";
import { type Crc32, DataTree, type DataTreeOptions, crc32 as ownCrc32, SnapshotLoader } from "@vivarium/tree";
import type { ServerConfig } from "./config/index.ts";
import type { Logger } from "./log/index.ts";
import { storageConfig } from "./server-limits.ts";
import type { ServerPorts } from "./server-ports.ts";
import type { ServerStats } from "./server-stats.ts";

export interface DatabaseOptions {
  config: ServerConfig;
  ports: ServerPorts;
  logger: Logger;
  stats: ServerStats;
  /** Everything appended up to this zxid is safe. */
  onFlushed(zxid: Zxid): void;
  /** Nothing more can be kept: the server must end. */
  onFatal(message: string, error: Error): void;
}

/**
 * The platform's checksum is several times faster than the tree's own, except where calling it costs more than the
 * work. It also forgets its seed when there is nothing to add.
 */
export const crc32: Crc32 = (bytes, start, end, seed) =>
  end - start < ZLIB_CRC_MIN_BYTES
    ? ownCrc32(bytes, start, end, seed)
    : zlibCrc32(end - start === bytes.length ? bytes : bytes.subarray(start, end), seed);
const ZLIB_CRC_MIN_BYTES = 256;

export class Database {
  readonly storage: Storage;
  tree: DataTree;
  readonly #options: DatabaseOptions;
  readonly #treeOptions: DataTreeOptions;
  /** The snapshot that is being written in the background; settled if there is none. */
  #snapshotting: Promise<void> = Promise.resolve();

  /** Makes, locks and checks the directories. @throws StorageError, DirectoryLockedError */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { config, ports, logger } = options;
    let database: Database | null = null;
    const storage = await Storage.open({
      ...ports,
      dataDir: config.dataDir,
      dataLogDir: config.dataLogDir,
      holder: `vivarium server, port ${config.clientPort}`,
      config: storageConfig(config),
      onFlushed: options.onFlushed,
      onFatal: (error) => options.onFatal("the transaction log cannot be written", error),
      onSynced: (tookMs, entries) => {
        options.stats.fsync.add(tookMs);
        options.stats.batchSize.add(entries);
      },
      onSnapshotDue: () => database?.snapshot(),
      onWarning: (message) => logger.warn(message),
    });
    database = new Database(options, storage);
    return database;
  }

  private constructor(options: DatabaseOptions, storage: Storage) {
    const { config, ports, logger, stats } = options;
    this.#options = options;
    this.storage = storage;
    this.#treeOptions = {
      extendedTypes: config.extendedTypesEnabled,
      emulate353Ttl: config.emulate353TtlNodes,
      digest: config.digestEnabled,
      crc32,
      hashSeed: ports.random.int(2 ** 32),
      onApplied: ports.onApplied,
      onDigestMismatch: (zxid, expected, actual) => {
        stats.digestMismatches++;
        const fields = { zxid: `0x${zxidHex(zxid)}`, expected: expected.toString(16), actual: actual.toString(16) };
        logger.error("the tree differs from what the log says it should be; compare this server with others", fields);
      },
    };
    this.tree = new DataTree(this.#treeOptions);
  }

  /** A loader for a snapshot that comes from somewhere else, such as the leader. */
  loader(zxid: Zxid): SnapshotLoader {
    return new SnapshotLoader(this.#treeOptions, zxid);
  }

  /** Rebuilds the tree from the files. @throws StorageError */
  async load(): Promise<{ needsSnapshot: boolean; lastProcessedZxid: Zxid }> {
    const { ports, logger, stats } = this.#options;
    const startMs = ports.clock.monotonicMs();
    let txnsMs = 0;
    const recovered = await this.storage.recover({
      createEmpty: () => new DataTree(this.#treeOptions),
      createSink: (zxid) => this.loader(zxid),
      apply: (tree: DataTree, txn: Txn) => {
        if (txnsMs === 0) txnsMs = ports.clock.monotonicMs();
        tree.apply(txn);
      },
    });
    const tookMs = ports.clock.monotonicMs() - startMs;
    const txnsTookMs = txnsMs === 0 ? 0 : startMs + tookMs - txnsMs;
    stats.dbInit.add(tookMs);
    stats.startupSnapLoad.add(tookMs - txnsTookMs);
    stats.startupTxnsLoad.add(txnsTookMs);
    stats.startupTxns.add(recovered.replayed);
    this.tree = recovered.state;
    if (recovered.lastProcessedZxid > 0) {
      logger.info("recovered", {
        zxid: `0x${zxidHex(this.tree.lastProcessedZxid)}`,
        znodes: this.tree.nodes.size,
        snapshot: recovered.snapshotZxid === null ? "none" : `0x${zxidHex(recovered.snapshotZxid)}`,
        replayed: recovered.replayed,
        tookMs: Math.round(tookMs),
      });
    }
    return { needsSnapshot: recovered.needsSnapshot, lastProcessedZxid: recovered.lastProcessedZxid };
  }

  /** Forgets everything after `zxid`, on disk and then in memory. @throws StorageError */
  async truncate(zxid: Zxid): Promise<void> {
    await this.storage.truncate(zxid);
    await this.load();
  }

  /** Makes the tree, which came from elsewhere, what the files say. @throws StorageError */
  async replaceFiles(): Promise<void> {
    await this.#timed(() => this.storage.replace(this.tree.snapshotSource()));
  }

  /** Everything appended is on disk and no snapshot is being written. */
  async atRest(): Promise<void> {
    await this.storage.drained();
    await this.#snapshotting;
  }

  /** Writes a snapshot in the background. */
  snapshot(): void {
    this.#snapshotting = this.takeSnapshot().catch((error: Error) =>
      this.#options.onFatal("a snapshot cannot be written", error),
    );
  }

  /** Writes a snapshot; done when it is safe on disk. @throws StorageError */
  takeSnapshot(): Promise<void> {
    return this.#timed(() => this.storage.takeSnapshot(this.tree.snapshotSource()));
  }

  async #timed(write: () => Promise<{ path: string }>): Promise<void> {
    const { ports, logger, stats } = this.#options;
    const startMs = ports.clock.monotonicMs();
    const { path } = await write();
    const tookMs = ports.clock.monotonicMs() - startMs;
    stats.snapshots.add(tookMs);
    logger.info("snapshot written", { file: path, tookMs: Math.round(tookMs) });
  }
}
