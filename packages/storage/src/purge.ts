/**
 * Deletes what no recovery will ask for: all but the newest snapshots that are whole, and the logs that end before the
 * oldest snapshot kept. A log's name says only where it begins, so the last log that begins at or before that snapshot
 * stays.
 */
import type { Disk } from "@vivarium/runtime";
import type { DataDirectories } from "./data-directories.ts";
import { listLogs, listSnapshots, type SnapshotFile } from "./file-names.ts";
import { looksWhole } from "./snapshot-reader.ts";
import { storageErrorFrom } from "./storage-error.ts";

/** Apache refuses fewer. */
export const MIN_SNAP_RETAIN_COUNT = 3;

/** @returns the files that were deleted, oldest first. */
export async function purge(disk: Disk, directories: DataDirectories, snapRetainCount: number): Promise<string[]> {
  if (snapRetainCount < MIN_SNAP_RETAIN_COUNT) {
    throw new RangeError(`autopurge.snapRetainCount must be at least ${MIN_SNAP_RETAIN_COUNT}, not ${snapRetainCount}`);
  }
  const snapshots = await listSnapshots(disk, directories.snapshots);
  const retained: SnapshotFile[] = [];
  for (const snapshot of snapshots) {
    if (retained.length < snapRetainCount && (await isWhole(disk, snapshot))) retained.push(snapshot);
  }
  const oldest = retained.at(-1);
  if (oldest === undefined) return [];
  const logs = await listLogs(disk, directories.logs);
  const firstNeededLog = Math.max(
    0,
    logs.findLastIndex((log) => log.zxid <= oldest.zxid),
  );
  const doomed = [
    ...logs.slice(0, firstNeededLog).map((log) => log.path),
    ...snapshots
      .filter((snapshot) => snapshot.zxid < oldest.zxid)
      .map((snapshot) => snapshot.path)
      .reverse(),
  ];
  for (const path of doomed) {
    await disk.unlink(path).catch((error) => {
      throw storageErrorFrom(error, path, "deleting an old file");
    });
  }
  return doomed;
}

async function isWhole(disk: Disk, snapshot: SnapshotFile): Promise<boolean> {
  const file = await disk.open(snapshot.path, "read");
  try {
    return await looksWhole(file, snapshot.compression);
  } finally {
    await file.close();
  }
}
