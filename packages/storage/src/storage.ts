/**
 * Storage: what one server keeps on disk, and the only door to it.
 *
 *   open ─► recover ─► append … flushed … snapshot … purge ─► close
 *
 * It knows files, not meanings: entries are bytes with a zxid, the state fills and is read through the protocol's
 * snapshot interfaces. After `onFatal` nothing is reported as flushed any more, and the server must stop.
 */
import type { Reader } from "@vivarium/jute";
import type { SnapshotSource, Zxid } from "@vivarium/protocol";
import type { Clock, Disk, Random, Timer } from "@vivarium/runtime";
import { DataDirectories } from "./data-directories.ts";
import { directorySizeBytes } from "./directory-size.ts";
import { EpochFiles } from "./epoch-files.ts";
import { listSnapshots, type SnapshotFile } from "./file-names.ts";
import { purge } from "./purge.ts";
import { type Recovered, recover, type StateBuilder } from "./recovery.ts";
import { SnapshotSchedule } from "./snapshot-schedule.ts";
import { writeSnapshot } from "./snapshot-writer.ts";
import { defaultStorageConfig, type StorageConfig } from "./storage-config.ts";
import { StorageError } from "./storage-error.ts";
import { truncateAfter } from "./truncation.ts";
import { readTxnLog } from "./txn-log-reader.ts";
import { TxnLogWriter } from "./txn-log-writer.ts";

export interface StorageOptions {
  disk: Disk;
  clock: Clock;
  random: Random;
  dataDir: string;
  /** Default: dataDir. */
  dataLogDir?: string;
  /** Who we are, for another server that wants the same directory: "vivarium server, port 2181". */
  holder: string;
  config?: Partial<StorageConfig>;
  /** Everything appended up to `zxid` survives a power failure. Once per group of appends. */
  onFlushed(zxid: Zxid): void;
  /** How long an fsync of the log took, in milliseconds, and how many transactions it made safe. */
  onSynced?(tookMs: number, entries: number): void;
  /** The log cannot be written: called at most once. */
  onFatal(error: StorageError): void;
  /** Called within `append`: take a snapshot of the state when convenient (`takeSnapshot`). The log was rolled. */
  onSnapshotDue(): void;
  onWarning(message: string): void;
}

const HOUR_MS = 60 * 60 * 1000;
const KB = 1024;

export class Storage {
  readonly directories: DataDirectories;
  readonly epochs: EpochFiles;
  readonly #options: StorageOptions;
  readonly #config: StorageConfig;
  readonly #schedule: SnapshotSchedule;
  #log: TxnLogWriter;
  #snapshot: Promise<SnapshotFile> | null = null;
  #purgeTimer: Timer | null = null;
  #closed = false;

  /** Makes, locks and checks the directories. @throws StorageError, DirectoryLockedError */
  static async open(options: StorageOptions): Promise<Storage> {
    const { disk, dataDir, dataLogDir, holder } = options;
    const config = { ...defaultStorageConfig, ...options.config };
    const directories = await DataDirectories.open({
      disk,
      dataDir,
      ...(dataLogDir === undefined ? {} : { dataLogDir }),
      autoCreate: config.dataDirAutoCreate,
      holder,
    });
    return new Storage(options, config, directories);
  }

  private constructor(options: StorageOptions, config: StorageConfig, directories: DataDirectories) {
    this.#options = options;
    this.#config = config;
    this.directories = directories;
    this.epochs = new EpochFiles(options.disk, directories.snapshots);
    this.#schedule = new SnapshotSchedule(config, options.random);
    this.#log = this.#newLog();
  }

  #newLog(): TxnLogWriter {
    const { disk, clock, onFlushed, onSynced = () => {}, onFatal, onWarning } = this.#options;
    const config = this.#config;
    return new TxnLogWriter({
      disk,
      clock,
      directory: this.directories.logs,
      preAllocBytes: Math.max(config.preAllocSizeKb, 0) * KB,
      forceSync: config.forceSync,
      sizeLimitBytes: Math.max(config.txnLogSizeLimitInKb, 0) * KB,
      flushDelayMs: config.flushDelayMs,
      maxBatchSize: config.maxBatchSize,
      fsyncWarningThresholdMs: config.fsyncWarningThresholdMs,
      onFlushed,
      onSynced,
      onError: onFatal,
      onWarning,
    });
  }

  /** Rebuilds the state from the files; before the first append, and again after `truncate`. @throws StorageError */
  async recover<State>(state: StateBuilder<State>): Promise<Recovered<State>> {
    const { disk, onWarning } = this.#options;
    const { trustEmptySnapshot, dbAutoCreate } = this.#config;
    const { directories } = this;
    const recovered = await recover({ disk, directories, state, trustEmptySnapshot, dbAutoCreate, onWarning });
    this.#schedule.restart(recovered.replayed);
    return recovered;
  }

  /** Logs a transaction: `entry` is copied. onFlushed tells when it is safe. */
  append(entry: Uint8Array, zxid: Zxid): void {
    this.#log.append(entry, zxid);
    if (!this.#schedule.count(entry.length)) return;
    if (this.#snapshot !== null) return;
    this.#schedule.restart(0);
    this.#log.roll();
    this.#options.onSnapshotDue();
  }

  /** Writes what waits without waiting for the end of this turn or for flushDelay. */
  flush(): void {
    this.#log.flush();
  }

  /** Resolves once nothing is waiting to be written or synced, epochs included. */
  async drained(): Promise<void> {
    await this.#log.drained();
    await this.epochs.settled();
  }

  get lastAppended(): Zxid {
    return this.#log.lastAppended;
  }

  get lastFlushed(): Zxid {
    return this.#log.lastFlushed;
  }

  /** The next transaction begins a new log file. */
  rollLog(): void {
    this.#log.roll();
  }

  get snapshotRunning(): boolean {
    return this.#snapshot !== null;
  }

  /**
   * Writes a snapshot in the background; one at a time: `source` is closed unused if one is being written already, and
   * the answer is that one's file. A failure is fatal to the server, unless an operator asked for the snapshot.
   * @throws StorageError
   */
  takeSnapshot(source: SnapshotSource): Promise<SnapshotFile> {
    if (this.#snapshot !== null) {
      source.close();
      return this.#snapshot;
    }
    this.#schedule.restart(0);
    const writing = writeSnapshot(source, {
      disk: this.#options.disk,
      clock: this.#options.clock,
      directory: this.directories.snapshots,
      compression: this.#config.snapshotCompression,
      lastProcessedZxid: this.#config.serializeLastProcessedZxid,
    }).finally(() => {
      this.#snapshot = null;
    });
    this.#snapshot = writing;
    return writing;
  }

  /**
   * Visits flushed transactions after `after`, in order, until `visit` returns false. `entry` is valid only during the
   * call; see readTxn. @returns the last zxid seen. @throws StorageError if the log does not go back that far, also when
   * only a snapshot bridges a hole in it: one of a transaction that is not in the log, as after `replace`.
   */
  async readLog(after: Zxid, visit: (entry: Reader, zxid: Zxid) => boolean): Promise<Zxid> {
    const { disk } = this.#options;
    const { lastFlushed } = this;
    const snapshots = await listSnapshots(disk, this.directories.snapshots);
    const bridges = snapshots.filter(({ zxid }) => zxid > after);
    return readTxnLog({
      disk,
      directory: this.directories.logs,
      after,
      through: lastFlushed === -1 ? Number.POSITIVE_INFINITY : lastFlushed,
      visit: (entry, zxid) => {
        const next = bridges.at(-1);
        if (next !== undefined && next.zxid < zxid) {
          throw new StorageError(next.path, "the log may lack what came before this snapshot", "Begin from it.");
        }
        if (next?.zxid === zxid) bridges.pop();
        return visit(entry, zxid);
      },
    });
  }

  /** Forgets all transactions after `zxid` and the snapshots that have them; then `recover` again. @throws StorageError */
  async truncate(zxid: Zxid): Promise<void> {
    await this.#log.close();
    await this.#snapshot?.catch(() => {});
    await truncateAfter({ disk: this.#options.disk, directories: this.directories, zxid });
    this.#log = this.#newLog();
  }

  /**
   * A state that came from elsewhere takes the place of what is here: transactions after its zxid and the snapshots that
   * have them go, and it becomes a snapshot. What the log lacks before it, `readLog` knows. @throws StorageError
   */
  async replace(source: SnapshotSource): Promise<SnapshotFile> {
    const { zxid } = source;
    try {
      await this.#log.close();
      await this.#snapshot?.catch(() => {});
      await truncateAfter({ disk: this.#options.disk, directories: this.directories, zxid, mayEmpty: true });
      this.#log = this.#newLog();
    } catch (error) {
      source.close();
      throw error;
    }
    return this.takeSnapshot(source);
  }

  /** Deletes old snapshots and logs now. @returns the deleted files. */
  purge(): Promise<string[]> {
    return purge(this.#options.disk, this.directories, this.#config.snapRetainCount);
  }

  /** Purges now and every purgeIntervalHours; does nothing if that is 0. */
  startPurging(): void {
    const { purgeIntervalHours } = this.#config;
    if (purgeIntervalHours <= 0 || this.#closed) return;
    this.purge().catch((error: Error) => this.#options.onWarning(`purging old files failed: ${error.message}`));
    const delayMs = purgeIntervalHours * HOUR_MS;
    this.#purgeTimer = this.#options.clock.setTimer(delayMs, () => this.startPurging(), { background: true });
  }

  /** What the files take, as the four-letter words `dirs` and `conf` tell it. */
  async sizes(): Promise<{ dataDirBytes: number; dataLogDirBytes: number }> {
    const { disk } = this.#options;
    return {
      dataDirBytes: await directorySizeBytes(disk, this.directories.snapshots),
      dataLogDirBytes: await directorySizeBytes(disk, this.directories.logs),
    };
  }

  /** Flushes what was appended, waits for a running snapshot, and gives the directories back. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#purgeTimer?.cancel();
    await this.#log.close();
    await this.#snapshot?.catch(() => {});
    await this.directories.release();
  }
}
