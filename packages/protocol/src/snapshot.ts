/**
 * How the replicated state and the snapshot file meet: the tree gives a {@link SnapshotSource} and fills from a
 * {@link SnapshotSink}; the storage room knows the file around them. Neither needs to know the other.
 */
import type { Writer } from "@vivarium/jute";
import type { ACL } from "./acl.ts";
import type { StatPersisted } from "./stat.ts";
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

/** Takes a snapshot's content, in the order of the file. */
export interface SnapshotSink {
  session(sessionId: bigint, timeoutMs: number): void;
  acl(aclId: number, acl: ACL[]): void;
  /** `path` and `data` are windows on memory that is reused: copy what is kept. `path` is "" for the root. */
  node(path: Uint8Array, data: Uint8Array | null, aclId: number, stat: StatPersisted): void;
  digest(digest: ZxidDigest): void;
}
