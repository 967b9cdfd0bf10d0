/**
 * The tree as it will be: nodes as the transactions leave them that are decided but not yet applied. A request is
 * judged by these where there are any, and by the tree where there are none.
 *
 * Invariants: there is one record per path, and it shows the state after the newest decided transaction that touches
 * the path; it goes once that transaction is applied, because then the tree shows the same. `digest` is the tree's
 * digest after the newest decided transaction.
 * @see PrepRequestProcessor's outstandingChanges
 */
import { type ACL, parentPath, type Zxid } from "@vivarium/protocol";
import { type Crc32, crc32 as portableCrc32 } from "./crc32.ts";
import type { DataTree } from "./data-tree.ts";
import { Kind } from "./node-record.ts";
import { NONE, type NodeId } from "./node-store.ts";
import { DIGEST_STAT_BYTES, TreeDigest } from "./tree-digest.ts";

const UNTOUCHED: Zxid = -1;

export class ChangeRecord {
  /** "/" for the root, never "". */
  path: string;
  /** The newest transaction that touches the node; UNTOUCHED while it is as in the tree, and not among the records. */
  zxid: Zxid = UNTOUCHED;
  exists = false;
  czxid: Zxid = 0;
  mzxid: Zxid = 0;
  pzxid: Zxid = 0;
  ctime = 0;
  mtime = 0;
  version = 0;
  /** The persisted one: counts creates of children. */
  cversion = 0;
  aversion = 0;
  owner = 0n;
  kind: Kind = Kind.normal;
  numChildren = 0;
  dataLength = 0;
  acl: readonly ACL[] = NO_ACL;
  /** Checksum of path and data, and the node's share of the tree digest. */
  prefixCrc = 0;
  digest = 0;
  /** Where the tree has the node, or NONE; good while the tree's count of removals is this. */
  node: NodeId = NONE;
  removals = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes this the record of a node that is created now. */
  born(zxid: Zxid, time: number, kind: Kind, owner: bigint, acl: readonly ACL[], dataLength: number): void {
    this.exists = true;
    this.czxid = zxid;
    this.mzxid = zxid;
    this.pzxid = zxid;
    this.ctime = time;
    this.mtime = time;
    this.version = 0;
    this.cversion = 0;
    this.aversion = 0;
    this.owner = owner;
    this.kind = kind;
    this.numChildren = 0;
    this.dataLength = dataLength;
    this.acl = acl;
  }

  assign(other: ChangeRecord): void {
    Object.assign(this, other);
  }
}

const NO_ACL: readonly ACL[] = [];

/** A path in memory: bytes[pathAt, pathEnd). */
export interface PathBytes {
  readonly bytes: Uint8Array;
  readonly pathAt: number;
  readonly pathEnd: number;
}

/** What a failed multi goes back to. */
interface Savepoint {
  readonly digest: TreeDigest;
  /** Records as they were before, by path; undefined for those that were not there. */
  readonly before: Map<string, ChangeRecord | undefined>;
}

export class ChangeRecords {
  /** The tree's digest once everything decided is applied. */
  readonly digest = new TreeDigest();
  readonly #tree: DataTree;
  readonly #crc32: Crc32;
  readonly #byPath = new Map<string, ChangeRecord>();
  /** Ephemerals among the records, by session. */
  readonly #owned = new Map<bigint, Set<ChangeRecord>>();
  /** Which transaction touched which record, oldest first, from #oldest on. */
  readonly #zxids: Zxid[] = [];
  readonly #records: ChangeRecord[] = [];
  #oldest = 0;
  /** Records that are free again: every write needs one or two, and they are large. */
  readonly #free: ChangeRecord[] = [];
  #savepoint: Savepoint | undefined;
  readonly #stat = new Uint8Array(DIGEST_STAT_BYTES);
  readonly #statView = new DataView(this.#stat.buffer);

  constructor(options: { tree: DataTree; crc32?: Crc32 | undefined }) {
    this.#tree = options.tree;
    this.#crc32 = options.crc32 ?? portableCrc32;
    this.digest.assign(options.tree.nodes.treeDigest);
  }

  /** Number of nodes with changes not yet applied. */
  get size(): number {
    return this.#byPath.size;
  }

  /** Before each request: with nothing outstanding the tree itself is what counts. */
  refresh(): void {
    if (this.#byPath.size === 0) this.digest.assign(this.#tree.nodes.treeDigest);
  }

  /**
   * The node as it will be, to look at; {@link touch} it before changing it. Undefined when it will not exist.
   * @param at where the path lies in memory, if it does
   */
  find(path: string, at?: PathBytes): ChangeRecord | undefined {
    const record = this.#byPath.get(path === "" ? "/" : path);
    if (record !== undefined) return record.exists ? record : undefined;
    const node = this.#inTree(path, at);
    return node === NONE ? undefined : this.#fromTree(path === "" ? "/" : path, node);
  }

  parentOf(path: string): ChangeRecord | undefined {
    return this.find(parentPath(path));
  }

  /** A record for a node that will not exist when it is touched; undefined when it will. */
  absent(path: string, at?: PathBytes): ChangeRecord | undefined {
    const record = this.#byPath.get(path);
    if (record !== undefined) return record.exists ? undefined : record;
    return this.#inTree(path, at) === NONE ? this.#take(path) : undefined;
  }

  #inTree(path: string, at: PathBytes | undefined): NodeId {
    const { nodes } = this.#tree;
    return at === undefined ? nodes.findPath(path) : nodes.find(at.bytes, at.pathAt, at.pathEnd);
  }

  #take(path: string): ChangeRecord {
    const record = this.#free.pop();
    if (record === undefined) return new ChangeRecord(path);
    record.path = path;
    record.zxid = UNTOUCHED;
    record.exists = false;
    record.digest = 0;
    record.node = NONE;
    return record;
  }

  /** Announces a change by this transaction to a record that find or absent gave. {@link changed} must follow. */
  touch(record: ChangeRecord, zxid: Zxid): void {
    const isKnown = record.zxid !== UNTOUCHED;
    const before = this.#savepoint?.before;
    if (before !== undefined && !before.has(record.path)) before.set(record.path, isKnown ? copyOf(record) : undefined);
    if (!isKnown) this.#byPath.set(record.path, record);
    this.#disown(record);
    record.zxid = zxid;
    this.#zxids.push(zxid);
    this.#records.push(record);
  }

  /** Ends a change: brings digests and owners up to date. */
  changed(record: ChangeRecord): void {
    this.#own(record);
    if (!this.#tree.digestEnabled) return;
    this.digest.subtract(record.digest);
    record.digest = record.exists && !record.path.startsWith(UNDIGESTED) ? this.#digestOf(record) : 0;
    this.digest.add(record.digest);
  }

  /** Checksum of bytes that belong to a node's path or data. */
  crc(bytes: Uint8Array, start: number, end: number, seed: number): number {
    return this.#tree.digestEnabled ? this.#crc32(bytes, start, end, seed) : 0;
  }

  /** Paths of the nodes that a session will own. */
  ephemerals(sessionId: bigint): string[] {
    const paths = this.#tree.ephemerals(sessionId).filter((path) => !this.#byPath.has(path));
    for (const record of this.#owned.get(sessionId) ?? []) paths.push(record.path);
    return paths;
  }

  /** All transactions up to this one are applied to the tree. */
  applied(zxid: Zxid): void {
    while (this.#oldest < this.#zxids.length && (this.#zxids[this.#oldest] as Zxid) <= zxid) {
      const record = this.#records[this.#oldest++] as ChangeRecord;
      if (record.zxid > zxid || !this.#byPath.delete(record.path)) continue;
      this.#disown(record);
      if (this.#free.length < FREE_RECORDS) this.#free.push(record);
    }
    if (this.#oldest === this.#zxids.length) this.#forget(this.#oldest);
    else if (this.#oldest >= FORGET_AFTER) this.#forget(this.#oldest);
  }

  /** From here on changes can be taken back, until {@link commit} or {@link rollback}. */
  begin(): void {
    const digest = new TreeDigest();
    digest.assign(this.digest);
    this.#savepoint = { digest, before: new Map() };
  }

  commit(): void {
    this.#savepoint = undefined;
  }

  /** Takes back all changes of a transaction since {@link begin}. */
  rollback(zxid: Zxid): void {
    const savepoint = this.#savepoint;
    if (savepoint === undefined) return;
    this.#savepoint = undefined;
    this.digest.assign(savepoint.digest);
    for (const [path, before] of savepoint.before) {
      const record = this.#byPath.get(path);
      if (record === undefined) continue;
      this.#disown(record);
      if (before === undefined) this.#byPath.delete(path);
      else record.assign(before);
      if (before !== undefined) this.#own(record);
    }
    while (this.#zxids.at(-1) === zxid) {
      this.#zxids.pop();
      this.#records.pop();
    }
  }

  #forget(count: number): void {
    this.#zxids.splice(0, count);
    this.#records.splice(0, count);
    this.#oldest = 0;
  }

  #own(record: ChangeRecord): void {
    if (!record.exists || record.kind !== Kind.ephemeral) return;
    const records = this.#owned.get(record.owner);
    if (records === undefined) this.#owned.set(record.owner, new Set([record]));
    else records.add(record);
  }

  #disown(record: ChangeRecord): void {
    if (!record.exists || record.kind !== Kind.ephemeral) return;
    const records = this.#owned.get(record.owner);
    if (records?.delete(record) && records.size === 0) this.#owned.delete(record.owner);
  }

  #fromTree(path: string, node: NodeId): ChangeRecord {
    const { nodes, acls } = this.#tree;
    const record = this.#take(path);
    record.exists = true;
    record.czxid = nodes.czxid(node);
    record.mzxid = nodes.mzxid(node);
    record.pzxid = nodes.pzxid(node);
    record.ctime = nodes.ctime(node);
    record.mtime = nodes.mtime(node);
    record.version = nodes.version(node);
    record.cversion = nodes.cversion(node);
    record.aversion = nodes.aversion(node);
    record.owner = nodes.owner(node);
    record.kind = nodes.kind(node);
    record.numChildren = nodes.numChildren(node);
    record.dataLength = Math.max(0, nodes.dataLength(node));
    record.acl = acls.get(nodes.aclId(node));
    record.prefixCrc = nodes.prefixCrc(node);
    record.digest = nodes.digest(node);
    record.node = node;
    record.removals = nodes.removals;
    return record;
  }

  // The 60 bytes in the order that digest version 2 wants.
  #digestOf(record: ChangeRecord): number {
    const view = this.#statView;
    setNumber(view, 0, record.czxid);
    setNumber(view, 8, record.mzxid);
    setNumber(view, 16, record.pzxid);
    setNumber(view, 24, record.ctime);
    setNumber(view, 32, record.mtime);
    view.setInt32(40, record.version);
    view.setInt32(44, record.cversion);
    view.setInt32(48, record.aversion);
    view.setBigInt64(52, record.owner);
    return this.#crc32(this.#stat, 0, DIGEST_STAT_BYTES, record.prefixCrc);
  }
}

const UNDIGESTED = "/zookeeper/";
/** How many entries of the queue may be used up before they are removed: removing moves all that follow. */
const FORGET_AFTER = 4096;
/** As many as requests may be under way in all by default (globalOutstandingLimit), for a node and its parent. */
const FREE_RECORDS = 2048;

function setNumber(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value >>> 0);
}

function copyOf(record: ChangeRecord): ChangeRecord {
  const copy = new ChangeRecord(record.path);
  copy.assign(record);
  return copy;
}
