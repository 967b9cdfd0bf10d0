/**
 * Takes the state's own part of a snapshot apart, which files and the stream from a leader to a learner have in common:
 * sessions, ACL table, nodes, ustring "/". It reads whole records from a window and leaves a cut-off one where it is,
 * for when more has arrived. Every length is checked before it is believed; the sink must be thrown away when this throws.
 */
import { ProtocolError, type Reader, vector } from "@vivarium/jute";
import { ACL, SnapshotNode, type SnapshotSink } from "@vivarium/protocol";

const SESSION_BYTES = 12;
/** ACL id and StatPersisted, after a node's path and data. */
const NODE_TAIL_BYTES = 8 + 60;
/** An ACL that is not whole after so many bytes is nonsense. */
const MAX_ACL_BYTES = 4 * 1024 * 1024;
/** The largest node path or data that is believed, unless told otherwise. */
export const MAX_SNAPSHOT_RECORD_BYTES = 1024 * 1024 * 1024;
const ACLS = vector(ACL);
const SLASH = 0x2f;
const TWO_POW_32 = 0x1_0000_0000;
/** Where a node's tail has integers of 64 bits. Their upper half says whether a number can hold them. */
const [ACL_ID, CZXID, MZXID, CTIME, MTIME, PZXID] = [0, 8, 16, 24, 32, 60];
const MAX_HIGH = 0x20_0000;

export type ContentStage = "sessions" | "acls" | "nodes" | "end";

export class SnapshotContentParser {
  readonly #sink: SnapshotSink;
  readonly #maxRecordBytes: number;
  readonly #current = new SnapshotNode(new Uint8Array(0));
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
        return this.#nodes(reader);
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

  #nodes(reader: Reader): boolean {
    const { bytes, view, end } = reader;
    const node = this.#current;
    node.bytes = bytes;
    node.view = view;
    let at = reader.offset;
    while (end - at >= 5) {
      const pathSize = view.getInt32(at);
      const pathAt = at + 4;
      if (pathSize === 1 && bytes[pathAt] === SLASH) {
        reader.offset = pathAt + 1;
        return this.#enter("end");
      }
      this.#believe(pathSize, 0);
      const pathEnd = pathAt + pathSize;
      if (pathEnd + 4 > end) break;
      const dataLength = view.getInt32(pathEnd);
      this.#believe(dataLength, -1);
      const dataAt = pathEnd + 4;
      const tailAt = dataLength > 0 ? dataAt + dataLength : dataAt;
      if (tailAt + NODE_TAIL_BYTES > end) break;
      node.pathAt = pathAt;
      node.pathEnd = pathEnd;
      node.dataAt = dataAt;
      node.dataLength = dataLength;
      this.#tail(node, tailAt);
      this.#sink.node(node);
      this.nodeCount++;
      at = tailAt + NODE_TAIL_BYTES;
    }
    reader.offset = at;
    return false;
  }

  #tail(node: SnapshotNode, tailAt: number): void {
    const { view } = node;
    // Each is from 0 to 2^22 - 1 if its integer of 64 bits is within 2^53, and so are all of them together.
    const high = (offset: number) => view.getInt32(tailAt + offset) + MAX_HIGH;
    const highs = high(ACL_ID) | high(CZXID) | high(MZXID) | high(CTIME) | high(MTIME) | high(PZXID);
    if (highs >>> 22 !== 0) throw new ProtocolError("a number beyond 2^53 in a node");
    node.aclId = view.getInt32(tailAt) * TWO_POW_32 + view.getUint32(tailAt + 4);
    node.statAt = tailAt + 8;
  }

  #believe(size: number, least: number): void {
    if (size < least || size > this.#maxRecordBytes) throw new ProtocolError(`unreasonable length ${size} in a node`);
  }
}
