/**
 * TRUNC: forgets everything after a zxid, in an order that leaves a usable directory behind whenever it is interrupted.
 * First the snapshots beyond it, because a state loaded from one would bring back what was cut; then later log files,
 * newest first; then the tail of the file that remains.
 *
 * @see fact sheet "disk-format", section 2.4; ZOOKEEPER-1549, -4837, -3701
 */
import { type Zxid, zxidHex } from "@vivarium/protocol";
import type { Disk } from "@vivarium/runtime";
import type { DataDirectories } from "./data-directories.ts";
import { type LogFile, listLogs, listSnapshots } from "./file-names.ts";
import { StorageError, storageErrorFrom } from "./storage-error.ts";
import { scanFile } from "./txn-log-reader.ts";

export interface TruncateOptions {
  disk: Disk;
  directories: DataDirectories;
  zxid: Zxid;
  /** Another state follows: if no snapshot is as old as `zxid`, then nothing here is worth anything, and all of it goes. */
  mayEmpty?: boolean;
}

/** The log must be closed, and the state reloaded afterwards. @throws StorageError: the server must stop. */
export async function truncateAfter({ disk, directories, zxid, mayEmpty = false }: TruncateOptions): Promise<void> {
  const snapshots = await listSnapshots(disk, directories.snapshots);
  const logs = await listLogs(disk, directories.logs);
  const isBaseless = snapshots.every((snapshot) => snapshot.zxid > zxid);
  if (isBaseless && mayEmpty) {
    // The log first: without a snapshot it would be refused at the next start.
    await removeAll(disk, directories.logs, logs.reverse());
    await removeAll(disk, directories.snapshots, snapshots);
    return;
  }
  if (isBaseless) {
    throw new StorageError(
      directories.snapshots,
      `the leader asks to go back to transaction ${zxidHex(zxid)}, but no snapshot is that old`,
      "Empty this server's data directories and let it copy from the leader.",
    );
  }
  try {
    await removeAll(
      disk,
      directories.snapshots,
      snapshots.filter((snapshot) => snapshot.zxid > zxid),
    );
    await removeAll(disk, directories.logs, logs.filter((log) => log.zxid > zxid).reverse());
    const last = logs.findLast((log) => log.zxid <= zxid);
    if (last !== undefined) await cutFile(disk, last, zxid);
  } catch (error) {
    throw storageErrorFrom(error, directories.logs, "truncating the log");
  }
}

async function removeAll(disk: Disk, directory: string, files: readonly { path: string }[]): Promise<void> {
  for (const { path } of files) {
    try {
      await disk.unlink(path);
      await disk.syncDirectory(directory);
    } catch (error) {
      throw storageErrorFrom(error, path, "removing what the leader does not have");
    }
  }
}

async function cutFile(disk: Disk, log: LogFile, zxid: Zxid): Promise<void> {
  const end = await scanFile(disk, log.path, (_, found) => found <= zxid);
  const file = await disk.open(log.path, "update");
  try {
    await file.truncate(end.goodBytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}
