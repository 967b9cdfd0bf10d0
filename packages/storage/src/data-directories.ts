/**
 * dataDir and dataLogDir: made if need be, locked for this process, and checked for the one mix-up that Apache refuses
 * too, a log among the snapshots or a snapshot among the logs of two separate directories.
 *
 * @see fact sheet "disk-format", section 1
 */
import { join, resolve } from "node:path";
import type { Disk, DiskLock } from "@vivarium/runtime";
import { listLogs, listSnapshots, namesIn, VERSION_DIRECTORY } from "./file-names.ts";
import { StorageError, storageErrorFrom } from "./storage-error.ts";

export interface DataDirectoryOptions {
  disk: Disk;
  dataDir: string;
  /** Default: dataDir. */
  dataLogDir?: string;
  /** `datadir.autocreate`: false refuses directories that do not exist. */
  autoCreate: boolean;
  /** What to tell another server that wants the same directory. */
  holder: string;
}

export class DataDirectories {
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** Where snapshots and epoch files are. */
  readonly snapshots: string;
  /** Where logs are. */
  readonly logs: string;
  readonly #locks: DiskLock[] = [];

  constructor(options: { dataDir: string; dataLogDir?: string }) {
    this.dataDir = resolve(options.dataDir);
    this.dataLogDir = resolve(options.dataLogDir ?? options.dataDir);
    this.snapshots = join(this.dataDir, VERSION_DIRECTORY);
    this.logs = join(this.dataLogDir, VERSION_DIRECTORY);
  }

  static async open(options: DataDirectoryOptions): Promise<DataDirectories> {
    const { disk, autoCreate, holder } = options;
    const directories = new DataDirectories(options);
    const { dataDir, dataLogDir, snapshots, logs } = directories;
    try {
      for (const directory of new Set([snapshots, logs])) await provide(disk, directory, autoCreate);
      for (const directory of new Set([dataDir, dataLogDir])) {
        directories.#locks.push(await lock(disk, directory, holder));
      }
      if (snapshots !== logs) await refuseMixing(disk, directories);
      await removeUnfinished(disk, snapshots);
      return directories;
    } catch (error) {
      await directories.release();
      throw error;
    }
  }

  async release(): Promise<void> {
    for (const held of this.#locks.splice(0)) await held.release();
  }
}

async function provide(disk: Disk, directory: string, autoCreate: boolean): Promise<void> {
  try {
    const found = await disk.stat(directory);
    if (found?.kind === "directory") return;
    if (found !== null) throw new StorageError(directory, "it is a file, not a directory", "Move it away.");
    if (!autoCreate) {
      throw new StorageError(
        directory,
        "it does not exist, and datadir.autocreate is false",
        "Make it, correct dataDir and dataLogDir, or set zookeeper.datadir.autocreate=true.",
      );
    }
    await disk.makeDirectory(directory);
    await disk.syncDirectory(join(directory, ".."));
  } catch (error) {
    throw storageErrorFrom(error, directory, "making the directory");
  }
}

async function lock(disk: Disk, directory: string, holder: string): Promise<DiskLock> {
  try {
    return await disk.lock(directory, holder);
  } catch (error) {
    if (error instanceof Error && error.name === "DirectoryLockedError") throw error;
    throw storageErrorFrom(error, directory, "locking the directory");
  }
}

async function refuseMixing(disk: Disk, { snapshots, logs }: DataDirectories): Promise<void> {
  const [strayLog] = await listLogs(disk, snapshots);
  const [straySnapshot] = await listSnapshots(disk, logs);
  const stray = strayLog ?? straySnapshot;
  if (stray === undefined) return;
  const [kind, home] = strayLog === undefined ? ["snapshot", snapshots] : ["log", logs];
  throw new StorageError(
    stray.path,
    `a ${kind} file outside ${home}, where dataDir and dataLogDir say that it should be`,
    "Was dataLogDir set later or changed? Move the log files to dataLogDir and the snapshots to dataDir, or set both as before.",
  );
}

const UNFINISHED_SNAPSHOT = /^snapshot\.[0-9a-fA-F]+(\.(gz|snappy))?\.tmp$/;

/** Snapshots that a crash interrupted. */
async function removeUnfinished(disk: Disk, directory: string): Promise<void> {
  for (const name of await namesIn(disk, directory)) {
    if (!UNFINISHED_SNAPSHOT.test(name)) continue;
    const path = join(directory, name);
    await disk.unlink(path).catch((error) => {
      throw storageErrorFrom(error, path, "removing an unfinished snapshot");
    });
  }
}
