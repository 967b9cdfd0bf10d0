/**
 * From files to state: the newest snapshot that can be read, then every logged transaction after it, in order.
 * Transactions that were logged but perhaps never committed are replayed too; in an ensemble the leader decides about
 * them.
 *
 * @see fact sheet "disk-format", sections 3.2 and 4
 */
import { join } from "node:path";
import { ProtocolError } from "@vivarium/jute";
import { readTxn, type SnapshotSink, type Txn, type Zxid, zxidHex } from "@vivarium/protocol";
import type { Disk } from "@vivarium/runtime";
import type { DataDirectories } from "./data-directories.ts";
import { listLogs } from "./file-names.ts";
import { makeDurable } from "./make-durable.ts";
import { loadNewestSnapshot } from "./snapshot-reader.ts";
import { StorageError, storageErrorFrom } from "./storage-error.ts";
import { readTxnLog } from "./txn-log-reader.ts";

/** How storage builds a state it knows nothing about. */
export interface StateBuilder<State> {
  /** The state of a server that has no files yet. */
  createEmpty(): State;
  /** Takes a snapshot; thrown away unless `finish` is called. Throws ProtocolError if the content makes no sense. */
  createSink(zxid: Zxid): SnapshotSink & { finish(): State };
  /** Must accept transactions whose effect the snapshot already has. */
  apply(state: State, txn: Txn): void;
}

export interface RecoveryOptions<State> {
  disk: Disk;
  directories: DataDirectories;
  state: StateBuilder<State>;
  /** `snapshot.trust.empty`: logs without any snapshot are replayed from an empty state. */
  trustEmptySnapshot: boolean;
  /** `db.autocreate`: a server without any file may start with an empty state that counts as up to date. */
  dbAutoCreate: boolean;
  onWarning(message: string): void;
}

export interface Recovered<State> {
  state: State;
  /** -1: there was nothing, and an empty state may not be trusted. */
  lastProcessedZxid: Zxid;
  /** The snapshot it began from; null for none. */
  snapshotZxid: Zxid | null;
  /** Transactions replayed from the log. */
  replayed: number;
  /** There is no snapshot on disk and the state may be trusted: take one before anything else. */
  needsSnapshot: boolean;
}

const INITIALIZE_FILE = "initialize";

export async function recover<State>(options: RecoveryOptions<State>): Promise<Recovered<State>> {
  const { disk, directories, state: builder, onWarning } = options;
  const trusted = await takeInitializeFile(options);
  const snapshot = await loadNewestSnapshot({
    disk,
    directory: directories.snapshots,
    createSink: (zxid) => builder.createSink(zxid),
    onWarning,
  });
  if (snapshot === null) return recoverWithoutSnapshot(options, trusted);
  await makeDurable(disk, snapshot.file.path);
  const { state } = snapshot;
  const { last, replayed } = await replay(options, state, snapshot.file.zxid);
  return { state, lastProcessedZxid: last, snapshotZxid: snapshot.file.zxid, replayed, needsSnapshot: false };
}

async function recoverWithoutSnapshot<State>(
  options: RecoveryOptions<State>,
  trusted: boolean,
): Promise<Recovered<State>> {
  const { disk, directories, state: builder, trustEmptySnapshot } = options;
  const state = builder.createEmpty();
  const [firstLog] = await listLogs(disk, directories.logs);
  if (firstLog !== undefined && !trustEmptySnapshot) {
    throw new StorageError(
      firstLog.path,
      "there is a log, but no snapshot to begin from, so transactions may be missing",
      "Restore the snapshot. Only if this server never had one (ZooKeeper before 3.5): set zookeeper.snapshot.trust.empty=true for one start.",
    );
  }
  const { last, replayed } = firstLog === undefined ? { last: -1, replayed: 0 } : await replay(options, state, null);
  const empty = trusted || trustEmptySnapshot ? 0 : -1;
  const lastProcessedZxid = Math.max(last, empty);
  return { state, lastProcessedZxid, snapshotZxid: null, replayed, needsSnapshot: lastProcessedZxid >= 0 };
}

/** The operator's word, for one start, that this server's being empty is no accident. */
async function takeInitializeFile<State>(options: RecoveryOptions<State>): Promise<boolean> {
  const { disk, directories, dbAutoCreate } = options;
  const path = join(directories.dataLogDir, INITIALIZE_FILE);
  try {
    if ((await disk.stat(path)) === null) return dbAutoCreate;
    await disk.unlink(path);
    await disk.syncDirectory(directories.dataLogDir);
    return true;
  } catch (error) {
    throw storageErrorFrom(error, path, "taking away the file that allows an empty start");
  }
}

async function replay<State>(
  options: RecoveryOptions<State>,
  state: State,
  after: Zxid | null,
): Promise<{ last: Zxid; replayed: number }> {
  const { disk, directories, state: builder, onWarning } = options;
  let replayed = 0;
  const last = await readTxnLog({
    disk,
    directory: directories.logs,
    after,
    repair: true,
    onWarning,
    visit(entry, zxid) {
      builder.apply(state, decodeTxn(entry, zxid, directories.logs));
      replayed++;
      return true;
    },
  });
  return { last, replayed };
}

function decodeTxn(entry: Parameters<typeof readTxn>[0], zxid: Zxid, directory: string): Txn {
  try {
    return readTxn(entry);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new StorageError(
      directory,
      `transaction ${zxidHex(zxid)} in the log has a right checksum but makes no sense: ${error.message}`,
      "It was written by a newer or a faulty server: use a version that knows it.",
      error,
    );
  }
}
