/**
 * How the replicated state and the snapshot file meet: the tree gives a {@link SnapshotSource} and fills from a
 * {@link SnapshotSink}; the storage room knows the file around them. Neither needs to know the other.
 */
import { Reader, Writer } from "@vivarium/jute";
import type { ACL } from "./acl.ts";
import { STAT_PERSISTED_BYTES, StatPersisted } from "./stat.ts";
import type { Zxid } from "./zxid.ts";

/** The digest of a tree at a zxid. */
export interface ZxidDigest {
  zxid: Zxid;
  treeDigest: bigint;
}

/**
 * A fuzzy view of the state, read in slices while transactions go on being applied. What is read may be newer than
 * where it began; replaying the log from the snapshot's zxid repairs that.
 */
export interface SnapshotSource {
  /** The last zxid applied before reading began: the snapshot's name. */
  readonly zxid: Zxid;
  /** Sessions and their timeouts in milliseconds. */
  readonly sessions: Iterable<readonly [sessionId: bigint, timeoutMs: number]>;
  readonly sessionCount: number;
  /** The ACL table; the open ACL (id -1) is not in it. */
  readonly acls: Iterable<readonly [aclId: number, acl: ACL[]]>;
  readonly aclCount: number;
  /**
   * Appends node records { ustring path, buffer data, long aclId, StatPersisted }, parents first, until the writer
   * holds about `untilBytes` bytes. Returns false once all nodes are written.
   */
  writeNodes(writer: Writer, untilBytes: number): boolean;
  /** The tree's digest now, or null when digests are off. */
  digest(): ZxidDigest | null;
  /** The last zxid applied now, which is at or after `zxid`. */
  lastProcessedZxid(): Zxid;
  /** Must be called when reading ends, also early. */
  close(): void;
}

/**
 * One node of a snapshot, as it lies among the bytes that were read: there are millions, so nothing is made of it that
 * nobody asks for. It is good until its reader goes on: what is kept of it must be copied.
 */
export class SnapshotNode {
  bytes: Uint8Array;
  /** Of the same memory. */
  view: DataView;
  /** The path is `bytes[pathAt, pathEnd)`, empty for the root. */
  pathAt = 0;
  pathEnd = 0;
  /** The data is `bytes[dataAt, dataAt + dataLength)`; a length of -1 stands for null. */
  dataAt = 0;
  dataLength = -1;
  aclId = 0;
  /** Where the 60 bytes of its StatPersisted begin. Their integers of 64 bits fit a number, all but the owner. */
  statAt = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A node in memory of its own. */
  static of(path: Uint8Array, data: Uint8Array | null, aclId: number, stat: StatPersisted): SnapshotNode {
    const writer = new Writer();
    writer.raw(path);
    if (data !== null) writer.raw(data);
    const statAt = writer.length;
    StatPersisted.write(writer, stat);
    const node = new SnapshotNode(writer.copy());
    node.pathEnd = path.length;
    node.dataAt = path.length;
    node.dataLength = data === null ? -1 : data.length;
    node.aclId = aclId;
    node.statAt = statAt;
    return node;
  }

  /** A window on the bytes. */
  get path(): Uint8Array {
    return this.bytes.subarray(this.pathAt, this.pathEnd);
  }

  /** A window on the bytes. */
  get data(): Uint8Array | null {
    return this.dataLength === -1 ? null : this.bytes.subarray(this.dataAt, this.dataAt + this.dataLength);
  }

  get stat(): StatPersisted {
    return StatPersisted.read(new Reader(this.bytes, this.statAt, this.statAt + STAT_PERSISTED_BYTES));
  }
}

/** Takes a snapshot's content, in the order of the file. */
export interface SnapshotSink {
  /** About how many nodes there will be, where that can be told: only a hint. */
  expect?(nodeCount: number): void;
  session(sessionId: bigint, timeoutMs: number): void;
  acl(aclId: number, acl: ACL[]): void;
  /** Always the same object, which is on the next node when it comes again. */
  node(node: SnapshotNode): void;
  digest(digest: ZxidDigest): void;
}
