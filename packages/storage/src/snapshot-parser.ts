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
    if (reader.remaining === 0) {
      reader.reset(chunk, 0, chunk.length);
    } else {
      const joined = new Uint8Array(reader.remaining + chunk.length);
      joined.set(reader.bytes.subarray(reader.offset, reader.end));
      joined.set(chunk, reader.remaining);
      reader.reset(joined, 0, joined.length);
    }
    const start = reader.offset;
    if (this.#stage === "header") this.#header();
    if (this.#stage === "content" && this.#content.read(reader)) this.#stage = "trailers";
    if (this.#stage === "trailers") {
      if (reader.remaining > TRAILERS_MAX_BYTES) throw new ProtocolError("more than a seal after the last node");
    }
    this.#sum(start, reader.offset);
    // The caller reuses the chunk's memory, so what is left of it is kept elsewhere.
    const rest = reader.bytes.slice(reader.offset, reader.end);
    reader.reset(rest, 0, rest.length);
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
