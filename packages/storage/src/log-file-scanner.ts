/**
 * Reads one log file from its start, in pieces, and gives each whole record to a visitor. It only finds out how the
 * file ends; what that means for the log as a whole is the reader's judgement.
 */
import { Reader } from "@vivarium/jute";
import type { Zxid } from "@vivarium/protocol";
import type { DiskFile } from "@vivarium/runtime";
import { adler32 } from "./adler32.ts";
import { CHUNK_BYTES, fileChunks } from "./file-chunks.ts";
import { isZero, looksTorn, SECTOR_BYTES } from "./torn-tail.ts";
import {
  ENTRY_MIN_BYTES,
  entryZxid,
  LOG_HEADER_BYTES,
  LOG_MAGIC,
  MAX_GROUP_BYTES,
  RECORD_END,
  RECORD_HEADER_BYTES,
  RECORD_OVERHEAD_BYTES,
} from "./txn-log-format.ts";

/** `entry`'s window is exactly the entry, as readTxn wants it, and valid only during the call. False stops reading. */
export type VisitRecord = (entry: Reader, zxid: Zxid, fileOffset: number) => boolean;

export type LogFileEnd =
  /** The file ends, or its reserved zeros begin, right after a whole record. */
  | { kind: "whole"; goodBytes: number }
  /** The visitor had enough; `goodBytes` is where the record begins that it refused. */
  | { kind: "stopped"; goodBytes: number }
  /** There is not even a header: the server stopped before it was written. */
  | { kind: "unbegun"; goodBytes: 0 }
  | { kind: "not a log"; goodBytes: 0 }
  /** The record after `goodBytes` was being written when the power failed. */
  | { kind: "torn"; goodBytes: number; reason: string }
  /** The record after `goodBytes` was spoiled. */
  | { kind: "corrupt"; goodBytes: number; reason: string };

export async function scanLogFile(file: DiskFile, visit: VisitRecord): Promise<LogFileEnd> {
  const window = new FileWindow(file, await file.size());
  try {
    if (!(await window.fill(LOG_HEADER_BYTES))) return { kind: "unbegun", goodBytes: 0 };
    if (window.reader.int() !== LOG_MAGIC) return await withoutHeader(window);
    window.reader.offset = LOG_HEADER_BYTES;
    return await scanRecords(window, visit);
  } finally {
    await window.close();
  }
}

/** The first write may have left any of its sectors behind, but the sector of the header is then zero. */
async function withoutHeader(window: FileWindow): Promise<LogFileEnd> {
  window.reader.offset = 0;
  const start = await window.peek(2 * MAX_GROUP_BYTES);
  const headerIsLost = isZero(start, 0, Math.min(SECTOR_BYTES, start.length));
  const beyond = start.subarray(MAX_GROUP_BYTES);
  return { kind: headerIsLost && isZero(beyond, 0, beyond.length) ? "unbegun" : "not a log", goodBytes: 0 };
}

async function scanRecords(window: FileWindow, visit: VisitRecord): Promise<LogFileEnd> {
  const entry = new Reader(window.reader.bytes);
  for (;;) {
    if (window.available < RECORD_HEADER_BYTES && !(await window.fill(RECORD_HEADER_BYTES))) {
      return window.restIsZero() ? { kind: "whole", goodBytes: window.position } : bad(window, "it is cut off");
    }
    const { view } = window.reader;
    const at = window.reader.offset;
    const size = view.getInt32(at + 8);
    const checksum = view.getUint32(at + 4);
    if (size === 0 && checksum === 0) return endAtZeros(window);
    if (size < ENTRY_MIN_BYTES) return bad(window, `its length is ${size}`);
    const total = size + RECORD_OVERHEAD_BYTES;
    if (window.available < total) {
      if (!(await window.fill(total))) return bad(window, `its length is ${size}, but the file ends before that`);
      continue;
    }
    const start = at + RECORD_HEADER_BYTES;
    const end = start + size;
    const { bytes } = window.reader;
    if (bytes[end] !== RECORD_END) return bad(window, "its end mark is missing");
    if (view.getUint32(at) !== 0 || adler32(bytes, start, end) !== checksum)
      return bad(window, "its checksum is wrong");
    entry.reset(bytes, start, end);
    if (!visit(entry, entryZxid(view, start), window.position)) return { kind: "stopped", goodBytes: window.position };
    window.reader.offset = end + 1;
  }
}

/** Reserved space is zero to its end. Anything after the first zeros means that a sector of a group was lost. */
async function endAtZeros(window: FileWindow): Promise<LogFileEnd> {
  const goodBytes = window.position;
  const rest = await window.peek(MAX_GROUP_BYTES);
  if (isZero(rest, 0, rest.length)) return { kind: "whole", goodBytes };
  return { kind: "torn", goodBytes, reason: "it is all zeros, but there is more behind it" };
}

async function bad(window: FileWindow, reason: string): Promise<LogFileEnd> {
  const goodBytes = window.position;
  const rest = await window.peek(2 * MAX_GROUP_BYTES);
  const beyond = rest.subarray(MAX_GROUP_BYTES);
  const torn = isZero(beyond, 0, beyond.length) && looksTorn(rest, goodBytes);
  return { kind: torn ? "torn" : "corrupt", goodBytes, reason };
}

/** The piece of a file that is in memory: whole records are read in place. */
class FileWindow {
  readonly reader: Reader;
  readonly #file: DiskFile;
  readonly #size: number;
  readonly #chunks: AsyncGenerator<Uint8Array, void, void>;
  /** Where in the file the memory's first byte lies. */
  #base = 0;
  filled = 0;

  constructor(file: DiskFile, size: number) {
    this.#file = file;
    this.#size = size;
    this.#chunks = fileChunks(file);
    this.reader = new Reader(new Uint8Array(Math.min(size, CHUNK_BYTES)));
  }

  get available(): number {
    return this.filled - this.reader.offset;
  }

  /** The reader's place in the file. */
  get position(): number {
    return this.#base + this.reader.offset;
  }

  restIsZero(): boolean {
    return isZero(this.reader.bytes, this.reader.offset, this.filled);
  }

  /** Makes at least `needed` bytes available; false if the file does not have them. */
  async fill(needed: number): Promise<boolean> {
    const left = this.#size - this.position;
    const wanted = needed > left ? Math.min(left, CHUNK_BYTES) : needed;
    while (this.available < wanted) {
      const { value: chunk } = await this.#chunks.next();
      if (chunk === undefined) break;
      this.#append(chunk);
    }
    return this.available >= needed;
  }

  #append(chunk: Uint8Array): void {
    const { reader, available } = this;
    const length = available + chunk.length;
    const bytes = length > reader.bytes.length ? new Uint8Array(Math.max(length, 2 * CHUNK_BYTES)) : reader.bytes;
    bytes.set(reader.bytes.subarray(reader.offset, this.filled));
    bytes.set(chunk, available);
    this.#base += reader.offset;
    this.filled = length;
    reader.reset(bytes, 0, bytes.length);
  }

  /** Up to `limit` bytes from the reader's place on, in memory of their own. */
  async peek(limit: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.min(limit, this.#size - this.position));
    return bytes.subarray(0, await this.#file.read(bytes, this.position));
  }

  /** Must be called before the file is closed. */
  async close(): Promise<void> {
    await this.#chunks.return();
  }
}
