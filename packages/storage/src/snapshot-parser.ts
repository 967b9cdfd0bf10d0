/**
 * Takes a snapshot file apart as it arrives, piece by piece, and hands its content to a sink. Records that a piece cuts
 * in two wait for the next piece. Every seal is checked against all bytes before it; the sink must be thrown away when
 * this throws.
 */
import { ProtocolError, Reader } from "@vivarium/jute";
import { DIGEST_VERSION, type SnapshotSink, type Zxid } from "@vivarium/protocol";
import { ADLER32_START, adler32 } from "./adler32.ts";
import { SnapshotContentParser } from "./snapshot-content-parser.ts";
import {
  DIGEST_SECTION_BYTES,
  END_MARK,
  SEAL_BYTES,
  SNAPSHOT_MAGIC,
  SnapshotHeader,
  ZXID_SECTION_BYTES,
} from "./snapshot-format.ts";

const HEADER_BYTES = 16;
const TRAILERS_MAX_BYTES = 4096;
/** How much of a chunk is tried first to make a record whole that began in the one before. */
const JOINED_BYTES = 16 * 1024;

export class SnapshotParser {
  readonly #sink: SnapshotSink;
  readonly #content: SnapshotContentParser;
  readonly #reader = new Reader(new Uint8Array(0));
  #stage: "header" | "content" | "trailers" = "header";
  #adler = ADLER32_START;
  /** What the file says of the zxid when its writing ended; null if it says nothing. */
  lastProcessedZxid: Zxid | null = null;

  /** @param maxRecordBytes the largest node path or data that is believed. */
  constructor(sink: SnapshotSink, maxRecordBytes?: number) {
    this.#sink = sink;
    this.#content = new SnapshotContentParser(sink, maxRecordBytes);
  }

  get nodeCount(): number {
    return this.#content.nodeCount;
  }

  /** @throws ProtocolError */
  push(chunk: Uint8Array): void {
    const reader = this.#reader;
    let at = 0;
    // A record that was cut in two is joined, and no more of the chunk than that takes.
    for (let taken = JOINED_BYTES; reader.remaining > 0 && at < chunk.length; taken *= 2) {
      const kept = reader.remaining;
      const joined = new Uint8Array(kept + Math.min(taken, chunk.length - at));
      joined.set(reader.bytes.subarray(reader.offset, reader.end));
      joined.set(chunk.subarray(at, at + joined.length - kept), kept);
      reader.reset(joined, 0, joined.length);
      this.#read();
      if (reader.offset >= kept) {
        at += reader.offset - kept;
        break;
      }
      at += joined.length - kept;
    }
    if (at === chunk.length) return;
    reader.reset(chunk, at, chunk.length);
    this.#read();
    // The caller reuses the chunk's memory, so what is left of it is kept elsewhere.
    const rest = chunk.slice(reader.offset);
    reader.reset(rest, 0, rest.length);
  }

  /** Takes all that is whole out of the reader, and sums it. */
  #read(): void {
    const reader = this.#reader;
    const start = reader.offset;
    if (this.#stage === "header") this.#header();
    if (this.#stage === "content" && this.#content.read(reader)) this.#stage = "trailers";
    if (this.#stage === "trailers" && reader.remaining > TRAILERS_MAX_BYTES) {
      throw new ProtocolError("more than a seal after the last node");
    }
    this.#sum(start, reader.offset);
  }

  /** The file ended: checks the seals and that nothing is missing. @throws ProtocolError */
  finish(): void {
    if (this.#stage !== "trailers") {
      const part = this.#stage === "content" ? this.#content.stage : this.#stage;
      throw new ProtocolError(`the file ends within its ${part}`);
    }
    const reader = this.#reader;
    this.#seal(reader.offset);
    if (reader.remaining > ZXID_SECTION_BYTES) this.#digestSection();
    if (reader.remaining > 0) {
      const start = reader.offset;
      this.lastProcessedZxid = reader.number();
      this.#seal(start);
    }
    if (reader.remaining > 0) throw new ProtocolError(`${reader.remaining} bytes left over after the last seal`);
  }

  #sum(from: number, to: number): void {
    this.#adler = adler32(this.#reader.bytes, from, to, this.#adler);
  }

  /** Reads a seal; `from` is where the bytes begin that are not yet summed. */
  #seal(from: number): void {
    const reader = this.#reader;
    this.#sum(from, reader.offset);
    const start = reader.offset;
    if (reader.remaining < SEAL_BYTES) throw new ProtocolError("a seal is missing or cut off");
    const expected = reader.number();
    if (expected !== this.#adler) throw new ProtocolError("the checksum is wrong");
    reader.skip(END_MARK.length);
    this.#sum(start, reader.offset);
  }

  #digestSection(): void {
    const reader = this.#reader;
    const start = reader.offset;
    const zxid = reader.number();
    const version = reader.int();
    if (version >= DIGEST_VERSION) {
      if (reader.remaining < DIGEST_SECTION_BYTES - 12) throw new ProtocolError("the digest is cut off");
      const treeDigest = reader.long();
      // Java writes zeros for "none".
      if (zxid !== 0 || treeDigest !== 0n) this.#sink.digest({ zxid, treeDigest: BigInt.asUintN(64, treeDigest) });
    } else {
      reader.nullableUstring();
    }
    this.#seal(start);
  }

  #header(): void {
    const reader = this.#reader;
    if (reader.remaining < HEADER_BYTES) return;
    const { magic } = SnapshotHeader.read(reader);
    if (magic !== SNAPSHOT_MAGIC) throw new ProtocolError("it does not begin with ZKSN");
    this.#stage = "content";
  }
}
