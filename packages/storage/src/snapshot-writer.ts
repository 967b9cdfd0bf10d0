/**
 * Writes the state to a file while it goes on changing: in slices, each short enough for one turn of the event loop, of
 * which several share a write to the disk, that is waited for. The file gets its name only once all of it is synced, so
 * a snapshot that can be seen is whole.
 */

import { dirname } from "node:path";
import { Writer } from "@vivarium/jute";
import { DIGEST_VERSION, type SnapshotSource } from "@vivarium/protocol";
import type { Clock, Disk, DiskFile } from "@vivarium/runtime";
import { ADLER32_START, adler32 } from "./adler32.ts";
import { type Compression, type SnapshotFile, snapshotPath } from "./file-names.ts";
import { type Chunks, compress } from "./snapshot-compression.ts";
import { writeContent } from "./snapshot-content-writer.ts";
import { SNAPSHOT_MAGIC, SNAPSHOT_VERSION, writeSeal } from "./snapshot-format.ts";
import { storageErrorFrom } from "./storage-error.ts";

export interface WriteSnapshotOptions {
  disk: Disk;
  clock: Clock;
  /** The version-2 directory of dataDir. */
  directory: string;
  compression: Compression;
  /** `serializeLastProcessedZxid.enabled` */
  lastProcessedZxid: boolean;
}

/** What goes to the disk at a time: each write costs a thread's waking, however small it is. */
const WRITE_BYTES = 512 * 1024;
/** Syncing now and then keeps the last sync, and the log's syncs meanwhile, short. */
const SYNC_EVERY_BYTES = 16 * 1024 * 1024;

/** Closes `source` in any case. @throws StorageError; then there is no such snapshot. */
export async function writeSnapshot(source: SnapshotSource, options: WriteSnapshotOptions): Promise<SnapshotFile> {
  const { disk, clock, directory, compression } = options;
  const path = snapshotPath(directory, source.zxid, compression);
  const unfinished = `${path}.tmp`;
  try {
    const file = await disk.open(unfinished, "create");
    try {
      await writeChunks(file, compress(snapshotSlices(source, options), compression), clock);
    } finally {
      await file.close();
    }
    await disk.rename(unfinished, path);
    await disk.syncDirectory(dirname(path));
    return { path, zxid: source.zxid, compression };
  } catch (error) {
    await disk.unlink(unfinished).catch(() => {});
    throw storageErrorFrom(error, path, "writing a snapshot");
  } finally {
    source.close();
  }
}

async function writeChunks(file: DiskFile, chunks: Chunks, clock: Clock): Promise<void> {
  const gathered = new Writer();
  const turn = () => new Promise<void>((resolve) => clock.defer(resolve));
  let position = 0;
  let synced = 0;
  for await (const chunk of chunks) {
    gathered.raw(chunk);
    if (gathered.length < WRITE_BYTES) {
      await turn();
      continue;
    }
    await file.write(gathered.written(), position);
    position += gathered.length;
    gathered.reset();
    if (position - synced >= SYNC_EVERY_BYTES) {
      await file.datasync();
      synced = position;
    }
  }
  await file.write(gathered.written(), position);
  await file.datasync();
}

/** The content in order; each slice is valid until the next is asked for. */
export function* snapshotSlices(
  source: SnapshotSource,
  options: { lastProcessedZxid: boolean },
): Generator<Uint8Array, void, void> {
  const writer = new Writer();
  let adler = ADLER32_START;
  let summed = 0;
  const sum = (): number => {
    adler = adler32(writer.bytes, summed, writer.length, adler);
    summed = writer.length;
    return adler;
  };
  const slice = (): Uint8Array => {
    sum();
    const written = writer.written();
    writer.reset();
    summed = 0;
    return written;
  };
  writer.int(SNAPSHOT_MAGIC);
  writer.int(SNAPSHOT_VERSION);
  writer.number(-1);
  for (const _ of writeContent(writer, source)) yield slice();
  writeSeal(writer, sum());
  const digest = source.digest();
  if (digest !== null) {
    writer.number(digest.zxid);
    writer.int(DIGEST_VERSION);
    writer.long(BigInt.asIntN(64, digest.treeDigest));
    writeSeal(writer, sum());
  }
  if (options.lastProcessedZxid) {
    writer.number(source.lastProcessedZxid());
    writeSeal(writer, sum());
  }
  yield slice();
}
