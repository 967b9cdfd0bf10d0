/**
 * Takes the state's own part of a snapshot apart, which files and the stream from a leader to a learner have in common:
 * sessions, ACL table, nodes, ustring "/". It reads whole records from a window and leaves a cut-off one where it is,
 * for when more has arrived. Every length is checked before it is believed; the sink must be thrown away when this throws.
 */
import { ProtocolError, type Reader, vector } from "@vivarium/jute";
import { ACL, type SnapshotSink, type StatPersisted } from "@vivarium/protocol";

const SESSION_BYTES = 12;
/** ACL id and StatPersisted, after a node's path and data. */
const NODE_TAIL_BYTES = 8 + 60;
/** An ACL that is not whole after so many bytes is nonsense. */
const MAX_ACL_BYTES = 4 * 1024 * 1024;
/** The largest node path or data that is believed, unless told otherwise. */
export const MAX_SNAPSHOT_RECORD_BYTES = 1024 * 1024 * 1024;
const ACLS = vector(ACL);
const NO_OWNER = 0n;

export type ContentStage = "sessions" | "acls" | "nodes" | "end";

export class SnapshotContentParser {
  readonly #sink: SnapshotSink;
  readonly #maxRecordBytes: number;
  #stage: ContentStage = "sessions";
  /** Records of this stage still to come; -1 until their count is read. */
  #left = -1;
  nodeCount = 0;

  constructor(sink: SnapshotSink, maxRecordBytes: number = MAX_SNAPSHOT_RECORD_BYTES) {
    this.#sink = sink;
    this.#maxRecordBytes = maxRecordBytes;
  }

  get stage(): ContentStage {
    return this.#stage;
  }

  /** Reads all that is whole. True once "/" is read: what is left of the window is not the state's. @throws ProtocolError */
  read(reader: Reader): boolean {
    while (this.#advance(reader)) {}
    return this.#stage === "end";
  }

  /** Reads the next thing if it is all there. */
  #advance(reader: Reader): boolean {
    switch (this.#stage) {
      case "sessions":
        return this.#hasCount(reader) && (this.#left > 0 ? this.#session(reader) : this.#enter("acls"));
      case "acls":
        return this.#hasCount(reader) && (this.#left > 0 ? this.#acl(reader) : this.#enter("nodes"));
      case "nodes":
        return this.#node(reader);
      case "end":
        return false;
    }
  }

  #enter(stage: ContentStage): boolean {
    this.#stage = stage;
    this.#left = -1;
    return true;
  }

  #hasCount(reader: Reader): boolean {
    if (this.#left >= 0) return true;
    if (reader.remaining < 4) return false;
    this.#left = reader.int();
    if (this.#left < 0) throw new ProtocolError(`a count of ${this.#left} ${this.#stage}`);
    return true;
  }

  #session(reader: Reader): boolean {
    if (reader.remaining < SESSION_BYTES) return false;
    this.#sink.session(reader.long(), reader.int());
    this.#left--;
    return true;
  }

  #acl(reader: Reader): boolean {
    const start = reader.offset;
    try {
      const aclId = reader.number();
      const acl = ACLS.read(reader);
      this.#sink.acl(aclId, acl);
    } catch (error) {
      // Whether a list is cut off or nonsense shows only when more has come: the end of the file then finds it.
      if (!(error instanceof ProtocolError) || reader.end - start > MAX_ACL_BYTES) throw error;
      reader.offset = start;
      return false;
    }
    this.#left--;
    return true;
  }

  #node(reader: Reader): boolean {
    const { bytes, view, end } = reader;
    const start = reader.offset;
    if (end - start < 5) return false;
    const pathSize = view.getInt32(start);
    const pathAt = start + 4;
    if (pathSize === 1 && bytes[pathAt] === 0x2f) {
      reader.offset = pathAt + 1;
      return this.#enter("end");
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
