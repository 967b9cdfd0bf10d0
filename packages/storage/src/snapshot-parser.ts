/**
 * Takes a snapshot's content apart as it arrives, piece by piece, and hands it to a sink. Records that a piece cuts in
 * two wait for the next piece. Every length is checked before it is believed, and every seal against all bytes before
 * it; the sink must be thrown away when this throws.
 */
import { ProtocolError, Reader, vector } from "@vivarium/jute";
import { ACL, DIGEST_VERSION, type SnapshotSink, type StatPersisted, type Zxid } from "@vivarium/protocol";
import { ADLER32_START, adler32 } from "./adler32.ts";
import {
  DIGEST_SECTION_BYTES,
  END_MARK,
  SEAL_BYTES,
  SNAPSHOT_MAGIC,
  SnapshotHeader,
  ZXID_SECTION_BYTES,
} from "./snapshot-format.ts";

const HEADER_BYTES = 16;
const SESSION_BYTES = 12;
/** ACL id and StatPersisted, after a node's path and data. */
const NODE_TAIL_BYTES = 8 + 60;
const TRAILERS_MAX_BYTES = 4096;
const ACLS = vector(ACL);
const NO_OWNER = 0n;

type Stage = "header" | "sessions" | "acls" | "nodes" | "trailers";

export class SnapshotParser {
  readonly #sink: SnapshotSink;
  readonly #maxRecordBytes: number;
  readonly #reader = new Reader(new Uint8Array(0));
  #stage: Stage = "header";
  #left = 0;
  #adler = ADLER32_START;
  /** What the file says of the zxid when its writing ended; null if it says nothing. */
  lastProcessedZxid: Zxid | null = null;
  nodeCount = 0;

  /** @param maxRecordBytes the largest node path or data that is believed. */
  constructor(sink: SnapshotSink, maxRecordBytes = 1024 * 1024 * 1024) {
    this.#sink = sink;
    this.#maxRecordBytes = maxRecordBytes;
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
    while (this.#advance()) {}
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
    if (this.#stage !== "trailers") throw new ProtocolError(`the file ends within its ${this.#stage}`);
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

  /** Reads the next thing if it is all there. */
  #advance(): boolean {
    switch (this.#stage) {
      case "header":
        return this.#header();
      case "sessions":
        return this.#session();
      case "acls":
        return this.#acl();
      case "nodes":
        return this.#node();
      case "trailers":
        return false;
    }
  }

  #header(): boolean {
    const reader = this.#reader;
    if (reader.remaining < HEADER_BYTES + 4) return false;
    const { magic } = SnapshotHeader.read(reader);
    if (magic !== SNAPSHOT_MAGIC) throw new ProtocolError("it does not begin with ZKSN");
    this.#left = this.#count();
    this.#stage = "sessions";
    return true;
  }

  #count(): number {
    const count = this.#reader.int();
    if (count < 0) throw new ProtocolError(`a count of ${count}`);
    return count;
  }

  #session(): boolean {
    const reader = this.#reader;
    if (this.#left === 0) {
      if (reader.remaining < 4) return false;
      this.#left = this.#count();
      this.#stage = "acls";
      return true;
    }
    if (reader.remaining < SESSION_BYTES) return false;
    this.#sink.session(reader.long(), reader.int());
    this.#left--;
    return true;
  }

  #acl(): boolean {
    if (this.#left === 0) {
      this.#stage = "nodes";
      return true;
    }
    const reader = this.#reader;
    const start = reader.offset;
    try {
      const aclId = reader.number();
      const acl = ACLS.read(reader);
      this.#sink.acl(aclId, acl);
    } catch (error) {
      // Whether a list is cut off or nonsense shows only when more has come: finish() then finds it.
      if (!(error instanceof ProtocolError) || reader.end - start > TRAILERS_MAX_BYTES * 1024) throw error;
      reader.offset = start;
      return false;
    }
    this.#left--;
    return true;
  }

  #node(): boolean {
    const reader = this.#reader;
    const { bytes, view, end } = reader;
    const start = reader.offset;
    if (end - start < 5) return false;
    const pathSize = view.getInt32(start);
    const pathAt = start + 4;
    if (pathSize === 1 && bytes[pathAt] === 0x2f) {
      reader.offset = pathAt + 1;
      this.#stage = "trailers";
      return true;
    }
    this.#believe(pathSize, 0);
    const dataSizeAt = pathAt + pathSize;
    if (dataSizeAt + 4 > end) return false;
    const dataSize = view.getInt32(dataSizeAt);
    this.#believe(dataSize, -1);
    const dataAt = dataSizeAt + 4;
    const tailAt = dataAt + Math.max(dataSize, 0);
    if (tailAt + NODE_TAIL_BYTES > end) return false;
    const path = bytes.subarray(pathAt, dataSizeAt);
    const data = dataSize === -1 ? null : bytes.subarray(dataAt, tailAt);
    reader.offset = tailAt;
    const aclId = reader.number();
    this.#sink.node(path, data, aclId, readStat(reader));
    this.nodeCount++;
    return true;
  }

  #believe(size: number, least: number): void {
    if (size < least || size > this.#maxRecordBytes) throw new ProtocolError(`unreasonable length ${size} in a node`);
  }
}

/** StatPersisted, by hand: a snapshot has one per node, and nearly all have no owner. */
function readStat(reader: Reader): StatPersisted {
  const czxid = reader.number();
  const mzxid = reader.number();
  const ctime = reader.number();
  const mtime = reader.number();
  const version = reader.int();
  const cversion = reader.int();
  const aversion = reader.int();
  const { view, offset } = reader;
  const owned = view.getInt32(offset) !== 0 || view.getInt32(offset + 4) !== 0;
  const ephemeralOwner = owned ? view.getBigInt64(offset) : NO_OWNER;
  reader.offset = offset + 8;
  return { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner, pzxid: reader.number() };
}
