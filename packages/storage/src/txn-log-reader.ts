/**
 * Reads the transaction log across its files, from a zxid on, and refuses to go on where something is missing.
 *
 * - A torn record ends the log if it is in the last file. In an earlier file it is what a crash left before the server
 *   was started again; then the next file must continue where the whole records end.
 * - Each transaction follows the one before it: zxid + 1, or the first of a new epoch. Everything else is a named error, never a
 *   record left out.
 *
 * @see fact sheet "disk-format", section 2.3
 */
import type { Reader } from "@vivarium/jute";
import { makeZxid, type Zxid, zxidEpoch, zxidHex } from "@vivarium/protocol";
import type { Disk } from "@vivarium/runtime";
import { type LogFile, listLogs } from "./file-names.ts";
import { type LogFileEnd, scanLogFile, type VisitRecord } from "./log-file-scanner.ts";
import { makeDurable } from "./make-durable.ts";
import { StorageError, storageErrorFrom } from "./storage-error.ts";
import { MAX_GROUP_BYTES } from "./txn-log-format.ts";

export interface ReadTxnLogOptions {
  disk: Disk;
  /** The version-2 directory of dataLogDir. */
  directory: string;
  /**
   * Only transactions after this one are visited, and the first of them must directly follow it. Null: all there are,
   * from wherever they begin.
   */
  after: Zxid | null;
  /** Nothing beyond this one is looked at, as what follows may be only half written. Default: all there is. */
  through?: Zxid;
  /** False stops reading. */
  visit(entry: Reader, zxid: Zxid): boolean;
  /** True at start of a server: what a crash left at the end is cut off, and what is read is synced. */
  repair?: boolean;
  onWarning?(message: string): void;
}

const RESTORE =
  "Nothing was changed. In an ensemble, empty this server's data directories and let it copy from the leader; otherwise restore them from a backup.";

/** @returns the zxid of the last record visited or skipped, `after` (or -1) if there was none. */
export async function readTxnLog(options: ReadTxnLogOptions): Promise<Zxid> {
  const { disk, directory, after } = options;
  const files = await withoutUnbegun(options, await listLogs(disk, directory));
  const progress = { last: after ?? -1, checked: after !== null, unexplainedEnd: "" };
  for (let i = firstNeeded(files, after); i < files.length; i++) {
    const file = files[i] as LogFile;
    const end = await scanFile(disk, file.path, recordVisitor(options, file.path, progress));
    if (end.kind === "stopped") break;
    const isLast = i === files.length - 1;
    await judgeEnd(options, file, end, isLast);
    const lastGroup = { end: end.goodBytes, sizeBytes: MAX_GROUP_BYTES };
    if (options.repair === true) await makeDurable(disk, file.path, isLast ? lastGroup : undefined);
    progress.unexplainedEnd =
      end.kind === "torn" ? `; ${file.path} ends in a torn record at offset ${end.goodBytes}` : "";
  }
  return progress.last;
}

/** The file that may hold the record after `after`: the last one whose name is not beyond it. */
function firstNeeded(files: LogFile[], after: Zxid | null): number {
  if (after === null) return 0;
  return Math.max(
    0,
    files.findLastIndex((file) => file.zxid <= after + 1),
  );
}

interface Progress {
  last: Zxid;
  /** True once `last` is a transaction that the next one must follow. */
  checked: boolean;
  /** What is odd about the end of the file before this one. */
  unexplainedEnd: string;
}

function recordVisitor(options: ReadTxnLogOptions, path: string, progress: Progress): VisitRecord {
  const { after, through = Number.POSITIVE_INFINITY, visit } = options;
  return (entry, zxid, offset) => {
    if (after !== null && zxid <= after) return true;
    const expected = successorOf(progress.last, zxid);
    if (progress.checked && zxid > expected) {
      throw new StorageError(
        path,
        `transactions ${zxidHex(expected)} to ${zxidHex(zxid - 1)} are missing before the record at offset ${offset}${progress.unexplainedEnd}`,
        RESTORE,
      );
    }
    if (zxid > through || !visit(entry, zxid)) return false;
    progress.last = Math.max(progress.last, zxid);
    progress.checked = true;
    return zxid < through;
  };
}

/** What must come after `last` if `zxid` is of that epoch or a later one, which begins with 1. */
function successorOf(last: Zxid, zxid: Zxid): Zxid {
  return zxidEpoch(zxid) > zxidEpoch(last) ? makeZxid(zxidEpoch(zxid), 1) : last + 1;
}

export async function scanFile(disk: Disk, path: string, visit: VisitRecord): Promise<LogFileEnd> {
  try {
    const file = await disk.open(path, "read");
    try {
      return await scanLogFile(file, visit);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storageErrorFrom(error, path, "reading the log");
  }
}

async function judgeEnd(options: ReadTxnLogOptions, file: LogFile, end: LogFileEnd, isLast: boolean): Promise<void> {
  const { path } = file;
  switch (end.kind) {
    case "unbegun":
      throw new StorageError(path, "the file is empty, but it is not the last of the log", RESTORE);
    case "not a log":
      throw new StorageError(path, "it does not begin with ZKLG, so it is no transaction log", RESTORE);
    case "corrupt":
      throw new StorageError(path, `the record at offset ${end.goodBytes} is corrupt: ${end.reason}`, RESTORE);
    case "torn":
      if (isLast && options.repair === true) await cutOff(options, path, end.goodBytes, end.reason);
      return;
    case "whole":
    case "stopped":
      return;
  }
}

async function cutOff(options: ReadTxnLogOptions, path: string, goodBytes: number, reason: string): Promise<void> {
  try {
    const file = await options.disk.open(path, "update");
    try {
      await file.truncate(goodBytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storageErrorFrom(error, path, "cutting off a torn record");
  }
  options.onWarning?.(
    `${path}: cut off at offset ${goodBytes}, where the record that was being written when the server stopped begins (${reason})`,
  );
}

/** The last files may have been made but not begun: they hold nothing. */
async function withoutUnbegun(options: ReadTxnLogOptions, files: LogFile[]): Promise<LogFile[]> {
  const kept = [...files];
  for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
    const end = await scanFile(options.disk, last.path, () => false);
    if (end.kind !== "unbegun") break;
    kept.pop();
    if (options.repair !== true) continue;
    await options.disk.unlink(last.path).catch((error) => {
      throw storageErrorFrom(error, last.path, "removing an empty log file");
    });
    await options.disk.syncDirectory(options.directory);
    options.onWarning?.(`${last.path}: removed, because the server stopped before anything was written to it`);
  }
  return kept;
}
