/**
 * Appends transactions to the log and says when they are safe. Group commit: one write and one fdatasync are under way
 * at a time, and all that is appended meanwhile is the next group.
 *
 *   append(zxid 7) append(8) ─► group ─► write ─► fdatasync ─► onFlushed(8)
 *
 * - onFlushed(zxid) promises that every entry up to zxid survives a power failure (unless forceSync is off).
 * - The first error is the last word: onError once, and after it nothing is ever reported as flushed.
 * - A file begins with the first entry after a start or a roll and is named by its zxid; an old file is never continued.
 */
import { Writer } from "@vivarium/jute";
import type { Zxid } from "@vivarium/protocol";
import type { Clock, Disk, DiskFile } from "@vivarium/runtime";
import { logPath } from "./file-names.ts";
import { type StorageError, storageErrorFrom } from "./storage-error.ts";
import { LOG_HEADER_BYTES, MAX_GROUP_BYTES, writeLogHeader, writeRecord } from "./txn-log-format.ts";

export interface TxnLogWriterOptions {
  disk: Disk;
  clock: Clock;
  /** The version-2 directory of dataLogDir. */
  directory: string;
  /** `preAllocSize`, in bytes: how far a file grows at a time; 0 for not ahead. */
  preAllocBytes: number;
  /** `forceSync`: false reports entries as flushed that a power failure may take. */
  forceSync: boolean;
  /** `txnLogSizeLimitInKb`, in bytes: a file that grew past it is the last of its kind; 0 for no limit. */
  sizeLimitBytes: number;
  /** `flushDelay`: how long a group may wait for company; 0 for not at all. */
  flushDelayMs: number;
  /** `maxBatchSize`: a group of so many entries waits no longer. */
  maxBatchSize: number;
  /** `fsync.warningthresholdms`. */
  fsyncWarningThresholdMs: number;
  onFlushed(zxid: Zxid): void;
  /** How long an fsync took, and how many entries it made safe. */
  onSynced(tookMs: number, entries: number): void;
  onError(error: StorageError): void;
  onWarning(message: string): void;
}

/** Entries that go to disk together, encoded as they will lie there. */
interface Group {
  readonly bytes: Writer;
  firstZxid: Zxid;
  lastZxid: Zxid;
  count: number;
  /** True when this group begins a file of its own. */
  startsFile: boolean;
}

/** Java's FilePadding reserves when less than this is left. */
const PADDING_MARGIN_BYTES = 4096;
/** A buffer that one big burst made larger than this is not kept. */
const KEPT_BUFFER_BYTES = MAX_GROUP_BYTES;
/** One is being filled while another is being written. */
const KEPT_BUFFERS = 2;
const FIRST_BUFFER_BYTES = 64 * 1024;

export class TxnLogWriter {
  readonly #options: TxnLogWriterOptions;
  /** Groups not yet given to the disk; only the last one still takes entries. */
  readonly #waiting: Group[] = [];
  readonly #spareBuffers: Writer[] = [];
  #flushing = false;
  #scheduled = false;
  #failed = false;
  #startsFile = true;
  #idleWaiters: (() => void)[] = [];

  #file: DiskFile | null = null;
  /** Done when the files before it are closed. */
  #retiring: Promise<void> = Promise.resolve();
  #position = 0;
  #reserved = 0;
  #lastAppended: Zxid = -1;
  #lastFlushed: Zxid = -1;

  constructor(options: TxnLogWriterOptions) {
    this.#options = options;
  }

  get lastAppended(): Zxid {
    return this.#lastAppended;
  }

  get lastFlushed(): Zxid {
    return this.#lastFlushed;
  }

  /** Takes a copy of `entry`, exactly as readTxn reads it, to be written and synced. */
  append(entry: Uint8Array, zxid: Zxid): void {
    if (this.#failed) return;
    let group = this.#waiting.at(-1);
    if (group === undefined || this.#startsFile || group.bytes.length + entry.length > MAX_GROUP_BYTES) {
      group = this.#openGroup(zxid);
    }
    writeRecord(group.bytes, entry);
    group.lastZxid = zxid;
    group.count++;
    this.#lastAppended = zxid;
    if (!this.#flushing && !this.#scheduled) this.#schedule();
    else if (group.count === this.#options.maxBatchSize && this.#options.flushDelayMs > 0) this.flush();
  }

  #openGroup(zxid: Zxid): Group {
    const bytes = this.#spareBuffers.pop() ?? new Writer(FIRST_BUFFER_BYTES);
    const startsFile = this.#startsFile;
    this.#startsFile = false;
    if (startsFile) writeLogHeader(bytes);
    const group = { bytes, firstZxid: zxid, lastZxid: zxid, count: 0, startsFile };
    this.#waiting.push(group);
    return group;
  }

  /** A group starts at the end of this turn of the event loop, so that all that this turn brings shares it. */
  #schedule(): void {
    this.#scheduled = true;
    const { clock, flushDelayMs } = this.#options;
    const start = (): void => {
      if (!this.#scheduled) return;
      this.flush();
    };
    if (flushDelayMs > 0) clock.setTimer(flushDelayMs, start);
    else clock.defer(start);
  }

  /** Starts writing what waits, without waiting for the end of the turn or flushDelay. */
  flush(): void {
    this.#scheduled = false;
    if (this.#flushing || this.#failed || this.#waiting.length === 0) return;
    this.#flushing = true;
    void this.#writeGroups();
  }

  /** The next entry begins a new file. */
  roll(): void {
    this.#startsFile = true;
  }

  /** Resolves once all that was appended is flushed, or has failed. */
  drained(): Promise<void> {
    this.flush();
    if (!this.#flushing) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Flushes, gives reserved space back and closes. */
  async close(): Promise<void> {
    await this.drained();
    this.#retireFile();
    await this.#retiring;
    this.#failed = true;
  }

  /**
   * The next group is on its way to the disk before the last one is told to be safe: what its waiters then do takes
   * time, in which the disk need not stand still. What onFlushed throws is not the disk's fault: it is not caught, and
   * ends the process.
   */
  async #writeGroups(): Promise<void> {
    let [group, writing] = this.#startNext();
    while (group !== undefined && (await writing)) {
      const flushed = group;
      [group, writing] = this.#startNext();
      this.#keep(flushed.bytes);
      this.#lastFlushed = flushed.lastZxid;
      this.#options.onFlushed(flushed.lastZxid);
      if (group === undefined) [group, writing] = this.#startNext();
    }
    this.#flushing = false;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #startNext(): [group: Group | undefined, writing: Promise<boolean>] {
    const group = this.#waiting.shift();
    return [group, group === undefined ? DONE : this.#succeeds(this.#writeGroup(group))];
  }

  async #succeeds(work: Promise<void>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      this.#fail(error, "writing the log");
      return false;
    }
  }

  #keep(buffer: Writer): void {
    if (buffer.bytes.length > KEPT_BUFFER_BYTES || this.#spareBuffers.length === KEPT_BUFFERS) return;
    buffer.reset();
    this.#spareBuffers.push(buffer);
  }

  async #writeGroup(group: Group): Promise<void> {
    const { clock, forceSync, fsyncWarningThresholdMs, onSynced, onWarning, sizeLimitBytes } = this.#options;
    const file = await this.#fileFor(group);
    const bytes = group.bytes.written();
    const before = clock.monotonicMs();
    await (forceSync ? file.writeDurably(bytes, this.#position) : file.write(bytes, this.#position));
    this.#position += bytes.length;
    if (forceSync) {
      if (group.startsFile) await this.#options.disk.syncDirectory(this.#options.directory);
      const tookMs = clock.monotonicMs() - before;
      onSynced(tookMs, group.count);
      const took = Math.round(tookMs);
      if (took > fsyncWarningThresholdMs) {
        onWarning(
          `syncing ${bytes.length} bytes to ${file.path} took ${took} ms, so every write waited that long; is the disk shared or failing?`,
        );
      }
    }
    if (sizeLimitBytes > 0 && this.#position > sizeLimitBytes) this.#rollNow();
  }

  async #fileFor(group: Group): Promise<DiskFile> {
    if (group.startsFile || this.#file === null) return this.#openFile(group.firstZxid);
    await this.#reserve(this.#file);
    return this.#file;
  }

  async #openFile(zxid: Zxid): Promise<DiskFile> {
    this.#retireFile();
    const { disk, directory } = this.#options;
    const file = await disk.open(logPath(directory, zxid), "create");
    this.#file = file;
    this.#position = 0;
    this.#reserved = LOG_HEADER_BYTES;
    return file;
  }

  /**
   * Grows the file ahead of its content, so that most syncs need not also make its new size safe. Only once its header
   * is synced: a power failure must not leave a file of nothing but zeros.
   */
  async #reserve(file: DiskFile): Promise<void> {
    const { preAllocBytes } = this.#options;
    const needed = this.#position + PADDING_MARGIN_BYTES;
    if (preAllocBytes === 0 || needed < this.#reserved) return;
    while (this.#reserved <= needed) this.#reserved += preAllocBytes;
    await file.truncate(this.#reserved);
  }

  /** The group that is being filled may already hold entries: they go to the new file too. */
  #rollNow(): void {
    const next = this.#waiting[0];
    if (next === undefined) this.#startsFile = true;
    else if (!next.startsFile) startFileWith(next);
  }

  /** The file is complete: its reserved space goes back and it is closed, for which nobody waits but `close`. */
  #retireFile(): void {
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    const position = this.#position;
    const isReserved = this.#reserved > position;
    const retire = async (): Promise<void> => {
      if (isReserved) await file.truncate(position);
      await file.close();
    };
    this.#retiring = Promise.all([this.#retiring, retire()]).then(
      () => {},
      (error: unknown) => this.#fail(error, "closing the log"),
    );
  }

  #fail(error: unknown, doing: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#waiting.length = 0;
    this.#options.onError(storageErrorFrom(error, this.#file?.path ?? this.#options.directory, doing));
  }
}

const DONE = Promise.resolve(true);

/** Puts a file header before the records that a group already holds. */
function startFileWith(group: Group): void {
  const records = group.bytes.copy();
  group.bytes.reset();
  writeLogHeader(group.bytes);
  group.bytes.raw(records);
  group.startsFile = true;
}
