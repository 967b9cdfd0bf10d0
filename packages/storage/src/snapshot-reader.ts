/**
 * Finds the newest snapshot that can be read and fills a fresh sink from it: what a bad file left behind in one sink
 * never reaches the next.
 *
 * @see fact sheet "disk-format", section 3.2
 */
import { ProtocolError } from "@vivarium/jute";
import type { SnapshotSink, Zxid } from "@vivarium/protocol";
import type { Disk, DiskFile } from "@vivarium/runtime";
import { fileChunks } from "./file-chunks.ts";
import { Compression, listSnapshots, type SnapshotFile } from "./file-names.ts";
import { decompress, GZIP_MAGIC, SNAPPY_MAGIC } from "./snapshot-compression.ts";
import { END_MARK } from "./snapshot-format.ts";
import { SnapshotParser } from "./snapshot-parser.ts";
import { StorageError, storageErrorFrom } from "./storage-error.ts";

const PLAIN_MIN_BYTES = 10;
/** As many bad files are passed over before giving up. */
const MAX_CANDIDATES = 100;

export interface LoadedSnapshot<State> {
  file: SnapshotFile;
  state: State;
  lastProcessedZxid: Zxid | null;
  nodeCount: number;
}

export interface LoadSnapshotOptions<State> {
  disk: Disk;
  /** The version-2 directory of dataDir. */
  directory: string;
  /** Takes a snapshot; thrown away unless `finish` is called. Both throw ProtocolError if the content makes no sense. */
  createSink(zxid: Zxid): SnapshotSink & { finish(): State };
  onWarning(message: string): void;
}

/** Null if there is none. @throws StorageError if there are some, but none that can be read. */
export async function loadNewestSnapshot<State>(
  options: LoadSnapshotOptions<State>,
): Promise<LoadedSnapshot<State> | null> {
  const { disk, directory, createSink, onWarning } = options;
  const files = await listSnapshots(disk, directory);
  if (files.length === 0) return null;
  for (const file of files.slice(0, MAX_CANDIDATES)) {
    try {
      const sink = createSink(file.zxid);
      const parser = await readSnapshot(disk, file, sink);
      const state = sink.finish();
      return { file, state, lastProcessedZxid: parser.lastProcessedZxid, nodeCount: parser.nodeCount };
    } catch (error) {
      if (!isBadContent(error)) throw storageErrorFrom(error, file.path, "reading the snapshot");
      onWarning(`${file.path}: not usable (${(error as Error).message}); trying the snapshot before it`);
    }
  }
  throw new StorageError(
    (files[0] as SnapshotFile).path,
    "neither this snapshot nor any older one can be read",
    "In an ensemble, empty this server's data directories and let it copy from the leader; otherwise restore them from a backup.",
  );
}

/** Reads one file into `sink`. @throws ProtocolError, or an error of zlib, if its content is bad. */
export async function readSnapshot(disk: Disk, snapshot: SnapshotFile, sink: SnapshotSink): Promise<SnapshotParser> {
  const file = await disk.open(snapshot.path, "read");
  try {
    if (!(await looksWhole(file, snapshot.compression))) throw new ProtocolError("it is incomplete");
    const parser = new SnapshotParser(sink);
    let bytes = 0;
    const sizeBytes = await file.size();
    for await (const chunk of decompress(fileChunks(file), snapshot.compression)) {
      parser.push(chunk);
      bytes += chunk.length;
      if (bytes === chunk.length && snapshot.compression === Compression.none) {
        sink.expect?.(Math.ceil((parser.nodeCount * sizeBytes) / bytes));
      }
    }
    parser.finish();
    return parser;
  } finally {
    await file.close();
  }
}

/** A look at the first or last bytes, as Apache does: cheap, and enough to pass over a file that was cut off. */
export async function looksWhole(file: DiskFile, compression: Compression): Promise<boolean> {
  const size = await file.size();
  switch (compression) {
    case Compression.none:
      return size >= PLAIN_MIN_BYTES && (await holds(file, size - END_MARK.length, END_MARK));
    case Compression.gzip:
      return holds(file, 0, GZIP_MAGIC);
    case Compression.snappy:
      return holds(file, 0, SNAPPY_MAGIC);
  }
}

async function holds(file: DiskFile, position: number, expected: Uint8Array): Promise<boolean> {
  const found = new Uint8Array(expected.length);
  const count = await file.read(found, position);
  return count === expected.length && expected.every((byte, i) => found[i] === byte);
}

/** Bad content can be passed over; a disk that fails cannot. */
function isBadContent(error: unknown): boolean {
  if (error instanceof ProtocolError) return true;
  const { code } = error as { code?: string };
  return typeof code === "string" && code.startsWith("Z_");
}
