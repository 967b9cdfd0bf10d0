/**
 * The names in a version-2 directory: log.<zxid of its first record> and snapshot.<zxid>[.gz|.snappy], the zxid in
 * hexadecimal. Names that do not parse are somebody else's files and are left alone.
 *
 * @see fact sheet "disk-format", sections 1, 2 and 3
 */
import { join } from "node:path";
import { type Zxid, zxidHex } from "@vivarium/protocol";
import type { Disk } from "@vivarium/runtime";
import { StorageError, storageErrorFrom } from "./storage-error.ts";

export const VERSION_DIRECTORY = "version-2";

export const Compression = { none: "", gzip: "gz", snappy: "snappy" } as const;
/** How a snapshot is compressed: its file name's extension, and `snapshot.compression.method`. */
export type Compression = (typeof Compression)[keyof typeof Compression];

export interface LogFile {
  path: string;
  /** zxid of the first record, by the name. */
  zxid: Zxid;
}

export interface SnapshotFile {
  path: string;
  zxid: Zxid;
  compression: Compression;
}

const LOG_NAME = /^log\.([0-9a-fA-F]{1,16})$/;
const SNAPSHOT_NAME = /^snapshot\.([0-9a-fA-F]{1,16})(?:\.(gz|snappy))?$/;

export function logPath(directory: string, zxid: Zxid): string {
  return join(directory, `log.${zxidHex(zxid)}`);
}

export function snapshotPath(directory: string, zxid: Zxid, compression: Compression): string {
  const extension = compression === Compression.none ? "" : `.${compression}`;
  return join(directory, `snapshot.${zxidHex(zxid)}${extension}`);
}

/** @throws StorageError */
export async function namesIn(disk: Disk, directory: string): Promise<string[]> {
  try {
    return await disk.readDirectory(directory);
  } catch (error) {
    throw storageErrorFrom(error, directory, "listing the directory");
  }
}

/** Log files, oldest first. */
export async function listLogs(disk: Disk, directory: string): Promise<LogFile[]> {
  const files: LogFile[] = [];
  for (const name of await namesIn(disk, directory)) {
    const match = LOG_NAME.exec(name);
    if (match === null) continue;
    const path = join(directory, name);
    files.push({ path, zxid: parseZxid(match[1] as string, path) });
  }
  return files.sort((a, b) => a.zxid - b.zxid);
}

/** Snapshot files, newest first. */
export async function listSnapshots(disk: Disk, directory: string): Promise<SnapshotFile[]> {
  const files: SnapshotFile[] = [];
  for (const name of await namesIn(disk, directory)) {
    const match = SNAPSHOT_NAME.exec(name);
    if (match === null) continue;
    const path = join(directory, name);
    files.push({
      path,
      zxid: parseZxid(match[1] as string, path),
      compression: (match[2] as Compression | undefined) ?? Compression.none,
    });
  }
  return files.sort((a, b) => b.zxid - a.zxid);
}

function parseZxid(hex: string, path: string): Zxid {
  const zxid = Number.parseInt(hex, 16);
  if (Number.isSafeInteger(zxid)) return zxid;
  throw new StorageError(
    path,
    "the zxid in its name has an epoch of 2^21 or more, which is more than this server can count",
    "If this ensemble really had that many elections, keep it on Apache ZooKeeper; otherwise move the file away.",
  );
}
