/**
 * All znodes, as integers: a {@link NodeId} names a record of fixed size, two byte strings (name and data) and a place
 * among its siblings. Nothing per node lives on the garbage collector's heap, and reads copy bytes straight from here
 * into a connection's output.
 *
 * Invariants: a node's parent exists as long as the node does; the Stat in the record is always what a client may see
 * now; `digest` is the sum over all nodes outside /zookeeper/ after every public method. A NodeId is good until its
 * node is removed, after which it may name another.
 * @see client-protocol section 10 "Node state rules"; disk-format 4.1
 */
import { decode, utf8Length, utf8Read, utf8Write } from "@vivarium/jute";
import { nodeKind, type OwnerRules, STAT_BYTES, Stat, type StatPersisted } from "@vivarium/protocol";
import { OPEN_ACL_ID } from "./acl-table.ts";
import { type Crc32, crc32 as portableCrc32 } from "./crc32.ts";
import * as at from "./node-record.ts";
import { Kind, NodeRecords } from "./node-record.ts";
import { PathIndex } from "./path-index.ts";
import { Slab } from "./slab.ts";
import { DIGEST_STAT_BYTES, TreeDigest } from "./tree-digest.ts";

export type NodeId = number;
/** The node whose path is both "" and "/". */
export const ROOT: NodeId = 0;
export const NONE: NodeId = -1;

const SLASH = 0x2f;
const UNDIGESTED_PREFIX = "/zookeeper/";

export interface NodeStoreOptions {
  rules: OwnerRules;
  /** Whether node digests and their sum are computed. */
  digest: boolean;
  crc32?: Crc32;
}

export class NodeStore {
  /** Sum of the digests of all nodes but those under /zookeeper/; 0 when digests are off. */
  readonly treeDigest = new TreeDigest();
  readonly rules: OwnerRules;
  readonly #digestEnabled: boolean;
  readonly #crc32: Crc32;
  readonly #records = new NodeRecords();
  readonly #slab = new Slab();
  readonly #index = new PathIndex(this);
  readonly #digestStat = new Uint8Array(DIGEST_STAT_BYTES);
  readonly #digestView = new DataView(this.#digestStat.buffer);
  #path = new Uint8Array(1024);
  #count = 0;
  #pathBytes = 0;
  #dataBytes = 0;

  constructor(options: NodeStoreOptions) {
    this.rules = options.rules;
    this.#digestEnabled = options.digest;
    this.#crc32 = options.crc32 ?? portableCrc32;
    const root = this.#records.allocate();
    for (const field of [at.PARENT, at.FIRST_CHILD, at.NEXT_SIBLING, at.PREV_SIBLING]) {
      this.#records.setInt(root, field, NONE);
    }
    this.#records.setInt(root, at.ACL_ID, OPEN_ACL_ID);
    this.#count = 1;
    this.#redigest(root);
  }

  // Finding

  /** The node at the path `bytes[start, end)`, or NONE; a malformed path is simply not there. */
  find(bytes: Uint8Array, start: number, end: number): NodeId {
    if (end - start <= 1 && (end === start || bytes[start] === SLASH)) return ROOT;
    return this.#index.find(bytes, start, end);
  }

  findPath(path: string): NodeId {
    const length = this.#writeScratch(path);
    return this.find(this.#path, 0, length);
  }

  /** The node's path; the root's is "/". */
  path(id: NodeId): string {
    if (id === ROOT) return "/";
    return utf8Read(this.#path, 0, this.#pathToScratch(id));
  }

  /** Length in bytes of the node's path; the root's is 0. */
  pathLength(id: NodeId): number {
    return this.#records.int(id, at.PATH_LENGTH);
  }

  /** Writes {@link pathLength} bytes. */
  copyPath(id: NodeId, target: Uint8Array, offset: number): void {
    const records = this.#records;
    let end = offset + records.int(id, at.PATH_LENGTH);
    for (let node = id; node !== ROOT; node = records.int(node, at.PARENT)) {
      const length = records.int(node, at.NAME_LENGTH);
      end -= length;
      this.#slab.copyTo(records.int(node, at.NAME), length, target, end);
      target[--end] = SLASH;
    }
  }

  /** For the index: whether this node's path is `bytes[start, end)`. */
  isAt(id: NodeId, bytes: Uint8Array, start: number, end: number): boolean {
    const records = this.#records;
    if (records.int(id, at.PATH_LENGTH) !== end - start) return false;
    let to = end;
    for (let node = id; node !== ROOT; node = records.int(node, at.PARENT)) {
      const length = records.int(node, at.NAME_LENGTH);
      const pointer = records.int(node, at.NAME);
      const name = this.#slab.memory(pointer, length);
      const nameAt = this.#slab.offset(pointer, length);
      to -= length;
      for (let i = 0; i < length; i++) if (name[nameAt + i] !== bytes[to + i]) return false;
      if (bytes[--to] !== SLASH) return false;
    }
    return true;
  }

  // The tree's shape

  parent(id: NodeId): NodeId {
    return this.#records.int(id, at.PARENT);
  }

  firstChild(id: NodeId): NodeId {
    return this.#records.int(id, at.FIRST_CHILD);
  }

  nextSibling(id: NodeId): NodeId {
    return this.#records.int(id, at.NEXT_SIBLING);
  }

  /** The node after this one in a walk of `top` and all below it, parents first; NONE at the end. */
  nextInSubtree(id: NodeId, top: NodeId): NodeId {
    const child = this.firstChild(id);
    return child === NONE ? this.nextBeside(id, top) : child;
  }

  /** The same, but without what is below this one. */
  nextBeside(id: NodeId, top: NodeId): NodeId {
    for (let node = id; node !== top; node = this.parent(node)) {
      const next = this.nextSibling(node);
      if (next !== NONE) return next;
    }
    return NONE;
  }

  numChildren(id: NodeId): number {
    return this.#records.statInt(id, at.NUM_CHILDREN);
  }

  nameLength(id: NodeId): number {
    return this.#records.int(id, at.NAME_LENGTH);
  }

  /** Writes {@link nameLength} bytes. */
  copyName(id: NodeId, target: Uint8Array, offset: number): void {
    this.#slab.copyTo(this.#records.int(id, at.NAME), this.#records.int(id, at.NAME_LENGTH), target, offset);
  }

  name(id: NodeId): string {
    const length = this.nameLength(id);
    const pointer = this.#records.int(id, at.NAME);
    const start = this.#slab.offset(pointer, length);
    return utf8Read(this.#slab.memory(pointer, length), start, start + length);
  }

  // A node's facts

  /** Writes the 68 bytes of a Stat. */
  copyStat(id: NodeId, target: Uint8Array, offset: number): void {
    const memory = this.#records.statMemory(id);
    const from = this.#records.statOffset(id);
    for (let i = 0; i < STAT_BYTES; i++) target[offset + i] = memory[from + i] as number;
  }

  /** Writes the 60 bytes of a StatPersisted. */
  copyPersistedStat(id: NodeId, target: Uint8Array, offset: number): void {
    const memory = this.#records.statMemory(id);
    const from = this.#records.statOffset(id);
    for (let i = 0; i < 36; i++) target[offset + i] = memory[from + i] as number;
    putInt(target, offset + 36, this.#records.int(id, at.PERSISTED_CVERSION));
    putInt(target, offset + 40, this.aversion(id));
    putInt(target, offset + 44, this.#records.int(id, at.OWNER));
    putInt(target, offset + 48, this.#records.int(id, at.OWNER + 1));
    for (let i = 0; i < 8; i++) target[offset + 52 + i] = memory[from + at.PZXID + i] as number;
  }

  stat(id: NodeId): Stat {
    const bytes = new Uint8Array(STAT_BYTES);
    this.copyStat(id, bytes, 0);
    return decode(Stat, bytes);
  }

  /** Length of the data in bytes, or -1 for null. */
  dataLength(id: NodeId): number {
    if ((this.#records.int(id, at.FLAGS) & at.NULL_DATA) !== 0) return -1;
    return this.#records.statInt(id, at.DATA_LENGTH);
  }

  /** Writes {@link dataLength} bytes, or nothing for null. */
  copyData(id: NodeId, target: Uint8Array, offset: number): void {
    this.#slab.copyTo(this.#records.int(id, at.DATA), this.#records.statInt(id, at.DATA_LENGTH), target, offset);
  }

  data(id: NodeId): Uint8Array | null {
    const length = this.dataLength(id);
    if (length === -1) return null;
    const data = new Uint8Array(length);
    this.copyData(id, data, 0);
    return data;
  }

  version(id: NodeId): number {
    return this.#records.statInt(id, at.VERSION);
  }

  /** The persisted count of creates, from which sequence numbers come; not the Stat's. */
  cversion(id: NodeId): number {
    return this.#records.int(id, at.PERSISTED_CVERSION);
  }

  aversion(id: NodeId): number {
    return this.#records.statInt(id, at.AVERSION);
  }

  czxid(id: NodeId): number {
    return this.#records.statNumber(id, at.CZXID);
  }

  mzxid(id: NodeId): number {
    return this.#records.statNumber(id, at.MZXID);
  }

  pzxid(id: NodeId): number {
    return this.#records.statNumber(id, at.PZXID);
  }

  ctime(id: NodeId): number {
    return this.#records.statNumber(id, at.CTIME);
  }

  mtime(id: NodeId): number {
    return this.#records.statNumber(id, at.MTIME);
  }

  /** The stored owner: a session id, 0, or the mark of a container or TTL node. */
  owner(id: NodeId): bigint {
    const high = this.#records.int(id, at.OWNER);
    const low = this.#records.int(id, at.OWNER + 1);
    if (high === 0 && low === 0) return 0n;
    return (BigInt(high) << 32n) | BigInt(low >>> 0);
  }

  kind(id: NodeId): Kind {
    return (this.#records.int(id, at.FLAGS) & at.KIND_MASK) as Kind;
  }

  /** Whether the node belongs to a session; containers and TTL nodes do not. */
  isNormalEphemeral(id: NodeId): boolean {
    return this.kind(id) === Kind.ephemeral;
  }

  aclId(id: NodeId): number {
    return this.#records.int(id, at.ACL_ID);
  }

  /** Checksum of path and data: what a digest of this node under another Stat starts from. 0 when digests are off. */
  prefixCrc(id: NodeId): number {
    return this.#records.int(id, at.PREFIX_CRC) >>> 0;
  }

  /** The node's share of {@link treeDigest}, unsigned; 0 under /zookeeper/ and when digests are off. */
  digest(id: NodeId): number {
    return this.#records.int(id, at.DIGEST) >>> 0;
  }

  /** Number of nodes as Java's `srvr` counts them: it keeps the root twice, as "" and as "/". */
  get size(): number {
    return this.#count + 1;
  }

  /** Bytes of all paths and data. */
  get approximateDataSize(): number {
    return this.#pathBytes + this.#dataBytes + 1;
  }

  /** Bytes of memory held for nodes, used or not. */
  get memoryBytes(): number {
    return this.#records.bytes + this.#slab.bytes + this.#index.bytes;
  }

  // Changes: only for DataTree and for loading a snapshot

  /**
   * Adds a node under `parent` that is not there yet; {@link born} or {@link restore} must follow and fill its Stat.
   * `path[0, pathEnd)` is its whole path, `nameStart` where the last name begins. The parent counts one child more and
   * is otherwise unchanged.
   */
  insert(parent: NodeId, path: Uint8Array, nameStart: number, pathEnd: number): NodeId {
    const records = this.#records;
    const id = records.allocate();
    records.setInt(id, at.NAME, this.#slab.put(path, nameStart, pathEnd));
    records.setInt(id, at.NAME_LENGTH, pathEnd - nameStart);
    records.setInt(id, at.PATH_LENGTH, pathEnd);
    records.setInt(id, at.PARENT, parent);
    records.setInt(id, at.FIRST_CHILD, NONE);
    records.setInt(id, at.ACL_ID, OPEN_ACL_ID);
    records.setInt(id, at.FLAGS, isUndigested(path, pathEnd) ? at.UNDIGESTED | at.NULL_DATA : at.NULL_DATA);
    const next = records.int(parent, at.FIRST_CHILD);
    records.setInt(id, at.NEXT_SIBLING, next);
    records.setInt(id, at.PREV_SIBLING, NONE);
    if (next !== NONE) records.setInt(next, at.PREV_SIBLING, id);
    records.setInt(parent, at.FIRST_CHILD, id);
    this.#setNumChildren(parent, this.numChildren(parent) + 1);
    this.#index.insert(path, 0, pathEnd, id);
    this.#count++;
    this.#pathBytes += pathEnd;
    return id;
  }

  /** Gives an inserted node the Stat of one that is created now. */
  born(id: NodeId, data: Uint8Array | null, aclId: number, owner: bigint, zxid: number, time: number): void {
    const records = this.#records;
    records.setStatNumber(id, at.CZXID, zxid);
    records.setStatNumber(id, at.MZXID, zxid);
    records.setStatNumber(id, at.PZXID, zxid);
    records.setStatNumber(id, at.CTIME, time);
    records.setStatNumber(id, at.MTIME, time);
    records.setInt(id, at.ACL_ID, aclId);
    if (owner !== 0n) this.#setOwner(id, owner);
    this.#putData(id, data);
    this.#redigest(id);
  }

  /** Gives the root or an inserted node what a snapshot says of it. */
  restore(id: NodeId, data: Uint8Array | null, aclId: number, stat: StatPersisted): void {
    const records = this.#records;
    records.setStatNumber(id, at.CZXID, stat.czxid);
    records.setStatNumber(id, at.MZXID, stat.mzxid);
    records.setStatNumber(id, at.PZXID, stat.pzxid);
    records.setStatNumber(id, at.CTIME, stat.ctime);
    records.setStatNumber(id, at.MTIME, stat.mtime);
    records.setStatInt(id, at.VERSION, stat.version);
    records.setStatInt(id, at.AVERSION, stat.aversion);
    records.setInt(id, at.PERSISTED_CVERSION, stat.cversion);
    records.setInt(id, at.ACL_ID, aclId);
    this.#setNumChildren(id, this.numChildren(id));
    this.#setOwner(id, stat.ephemeralOwner);
    this.replaceData(id, data);
    this.#redigest(id);
  }

  /** Takes a node without children out; the parent counts one child less and is otherwise unchanged. */
  remove(id: NodeId): void {
    const records = this.#records;
    const pathEnd = this.#pathToScratch(id);
    this.#index.remove(this.#path, 0, pathEnd, id);
    const parent = records.int(id, at.PARENT);
    const previous = records.int(id, at.PREV_SIBLING);
    const next = records.int(id, at.NEXT_SIBLING);
    if (previous === NONE) records.setInt(parent, at.FIRST_CHILD, next);
    else records.setInt(previous, at.NEXT_SIBLING, next);
    if (next !== NONE) records.setInt(next, at.PREV_SIBLING, previous);
    this.#setNumChildren(parent, this.numChildren(parent) - 1);
    this.treeDigest.subtract(this.digest(id));
    this.#dropData(id);
    this.#slab.free(records.int(id, at.NAME), records.int(id, at.NAME_LENGTH));
    this.#count--;
    this.#pathBytes -= pathEnd;
    records.free(id);
  }

  setData(id: NodeId, data: Uint8Array | null, version: number, zxid: number, time: number): void {
    const records = this.#records;
    records.setStatInt(id, at.VERSION, version);
    records.setStatNumber(id, at.MZXID, zxid);
    records.setStatNumber(id, at.MTIME, time);
    this.#dropData(id);
    this.#putData(id, data);
    this.#redigest(id);
  }

  /** Changes the data and nothing else: what the statistics of a quota need. */
  replaceData(id: NodeId, data: Uint8Array | null): void {
    this.#dropData(id);
    this.#putData(id, data);
    this.#redigest(id);
  }

  setAcl(id: NodeId, aclId: number, aversion: number): void {
    this.#records.setInt(id, at.ACL_ID, aclId);
    if (aversion === this.aversion(id)) return;
    this.#records.setStatInt(id, at.AVERSION, aversion);
    this.#redigest(id);
  }

  /** What a parent keeps of its children's creates and deletes. */
  setChildrenChanged(id: NodeId, cversion: number, pzxid: number): void {
    const records = this.#records;
    records.setInt(id, at.PERSISTED_CVERSION, cversion);
    records.setStatNumber(id, at.PZXID, pzxid);
    this.#setNumChildren(id, this.numChildren(id));
    this.#redigest(id);
  }

  #setNumChildren(id: NodeId, numChildren: number): void {
    this.#records.setStatInt(id, at.NUM_CHILDREN, numChildren);
    this.#records.setStatInt(id, at.CVERSION, 2 * this.#records.int(id, at.PERSISTED_CVERSION) - numChildren);
  }

  #setOwner(id: NodeId, owner: bigint): void {
    const records = this.#records;
    const kind = owner === 0n ? Kind.normal : Kind[nodeKind(owner, this.rules)];
    records.setInt(id, at.FLAGS, (records.int(id, at.FLAGS) & ~at.KIND_MASK) | kind);
    records.setInt(id, at.OWNER, Number(BigInt.asIntN(32, owner >> 32n)));
    records.setInt(id, at.OWNER + 1, Number(BigInt.asIntN(32, owner)));
    const visible = kind === Kind.ephemeral;
    records.setStatInt(id, at.EPHEMERAL_OWNER, visible ? records.int(id, at.OWNER) : 0);
    records.setStatInt(id, at.EPHEMERAL_OWNER + 4, visible ? records.int(id, at.OWNER + 1) : 0);
  }

  #putData(id: NodeId, data: Uint8Array | null): void {
    const records = this.#records;
    const flags = records.int(id, at.FLAGS);
    if (data === null) {
      records.setInt(id, at.FLAGS, flags | at.NULL_DATA);
    } else {
      records.setInt(id, at.FLAGS, flags & ~at.NULL_DATA);
      records.setInt(id, at.DATA, this.#slab.put(data, 0, data.length));
      records.setStatInt(id, at.DATA_LENGTH, data.length);
      this.#dataBytes += data.length;
    }
    if (!this.#digestEnabled) return;
    const pathEnd = this.#pathToScratch(id);
    const pathCrc = this.#crc32(this.#path, 0, pathEnd, 0);
    records.setInt(id, at.PREFIX_CRC, data === null ? pathCrc : this.#crc32(data, 0, data.length, pathCrc));
  }

  #dropData(id: NodeId): void {
    const records = this.#records;
    const length = records.statInt(id, at.DATA_LENGTH);
    this.#slab.free(records.int(id, at.DATA), length);
    records.setStatInt(id, at.DATA_LENGTH, 0);
    this.#dataBytes -= length;
  }

  /** Brings the node's digest and the tree's up to date, after anything that a digest is made of has changed. */
  #redigest(id: NodeId): void {
    const records = this.#records;
    if (!this.#digestEnabled || (records.int(id, at.FLAGS) & at.UNDIGESTED) !== 0) return;
    const memory = records.statMemory(id);
    const stat = records.statOffset(id);
    const target = this.#digestStat;
    for (let i = 0; i < 16; i++) target[i] = memory[stat + at.CZXID + i] as number;
    for (let i = 0; i < 8; i++) target[16 + i] = memory[stat + at.PZXID + i] as number;
    for (let i = 0; i < 20; i++) target[24 + i] = memory[stat + at.CTIME + i] as number;
    this.#digestView.setInt32(44, records.int(id, at.PERSISTED_CVERSION));
    this.#digestView.setInt32(48, records.statInt(id, at.AVERSION));
    this.#digestView.setInt32(52, records.int(id, at.OWNER));
    this.#digestView.setInt32(56, records.int(id, at.OWNER + 1));
    const digest = this.#crc32(target, 0, DIGEST_STAT_BYTES, this.prefixCrc(id));
    this.treeDigest.subtract(this.digest(id));
    this.treeDigest.add(digest);
    records.setInt(id, at.DIGEST, digest);
  }

  #pathToScratch(id: NodeId): number {
    const length = this.pathLength(id);
    this.#growScratch(length);
    this.copyPath(id, this.#path, 0);
    return length;
  }

  #writeScratch(path: string): number {
    this.#growScratch(utf8Length(path));
    return utf8Write(path, this.#path, 0);
  }

  #growScratch(length: number): void {
    if (length > this.#path.length) this.#path = new Uint8Array(2 * length);
  }
}

function putInt(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >> 24;
  target[offset + 1] = value >> 16;
  target[offset + 2] = value >> 8;
  target[offset + 3] = value;
}

function isUndigested(path: Uint8Array, end: number): boolean {
  if (end < UNDIGESTED_PREFIX.length) return false;
  for (let i = 0; i < UNDIGESTED_PREFIX.length; i++) {
    if (path[i] !== UNDIGESTED_PREFIX.charCodeAt(i)) return false;
  }
  return true;
}
