/**
 * All znodes, as integers: a {@link NodeId} names a record of fixed size, two byte strings (name and data) and a place
 * among its siblings. Nothing per node lives on the garbage collector's heap.
 *
 * Invariants: a node's parent exists as long as the node does; the Stat in the record is always what a client may see
 * now; `treeDigest` is the sum over all nodes outside /zookeeper/ after every public method.
 * @see client-protocol section 10 "Node state rules"; disk-format 4.1
 */
import { utf8Length, utf8Write } from "@vivarium/jute";
import { nodeKind, type OwnerRules, type StatPersisted } from "@vivarium/protocol";
import { OPEN_ACL_ID } from "./acl-table.ts";
import { type Crc32, crc32 as portableCrc32 } from "./crc32.ts";
import { NONE, NodeFacts, type NodeId, ROOT } from "./node-facts.ts";
import * as at from "./node-record.ts";
import { Kind } from "./node-record.ts";
import { PathIndex } from "./path-index.ts";
import { DIGEST_STAT_BYTES, TreeDigest } from "./tree-digest.ts";

export { NONE, type NodeId, ROOT } from "./node-facts.ts";

const SLASH = 0x2f;
const UNDIGESTED_PREFIX = "/zookeeper/";

export interface NodeStoreOptions {
  rules: OwnerRules;
  /** Whether node digests and their sum are computed. */
  digest: boolean;
  crc32?: Crc32 | undefined;
  /** A secret random integer, so that clients cannot choose paths that are slow to look up together. */
  hashSeed?: number | undefined;
}

/** What a node holds; with the checksum of its path and data and the digest that it will have, if those are known. */
interface NodeContent {
  readonly data: Uint8Array | null;
  readonly prefixCrc?: number | undefined;
  readonly digest?: number | undefined;
}

export class NodeStore extends NodeFacts {
  /** Sum of the digests of all nodes but those under /zookeeper/; 0 when digests are off. */
  readonly treeDigest = new TreeDigest();
  readonly #digestEnabled: boolean;
  readonly #crc32: Crc32;
  readonly #index: PathIndex;
  readonly #digestStat = new Uint8Array(DIGEST_STAT_BYTES);
  readonly #digestView = new DataView(this.#digestStat.buffer);
  /** How many nodes have been removed: while it stays the same, every NodeId names what it did. */
  removals = 0;
  #count = 0;
  #pathBytes = 0;
  #dataBytes = 0;

  constructor(options: NodeStoreOptions) {
    super(options.rules);
    this.#index = new PathIndex(this, options.hashSeed);
    this.#digestEnabled = options.digest;
    this.#crc32 = options.crc32 ?? portableCrc32;
    const root = this.records.allocate();
    for (const field of [at.PARENT, at.FIRST_CHILD, at.NEXT_SIBLING, at.PREV_SIBLING]) {
      this.records.setInt(root, field, NONE);
    }
    this.records.setInt(root, at.ACL_ID, OPEN_ACL_ID);
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
    const bytes = this.scratch(utf8Length(path));
    return this.find(bytes, 0, utf8Write(path, bytes, 0));
  }

  /** For the index: whether this node's path is `bytes[start, end)`. */
  isAt(id: NodeId, bytes: Uint8Array, start: number, end: number): boolean {
    const records = this.records;
    if (records.int(id, at.PATH_LENGTH) !== end - start) return false;
    let to = end;
    for (let node = id; node !== ROOT; node = records.int(node, at.PARENT)) {
      const length = records.int(node, at.NAME_LENGTH);
      const pointer = records.int(node, at.NAME);
      const name = this.slab.memory(pointer, length);
      const nameAt = this.slab.offset(pointer, length);
      to -= length;
      for (let i = 0; i < length; i++) if (name[nameAt + i] !== bytes[to + i]) return false;
      if (bytes[--to] !== SLASH) return false;
    }
    return true;
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
    return this.records.bytes + this.slab.bytes + this.#index.bytes;
  }

  // Changes: only for DataTree and for loading a snapshot

  /**
   * Adds a node under `parent` that is not there yet; {@link born} or {@link restore} must follow and fill its Stat.
   * `path[0, pathEnd)` is its whole path, `nameStart` where the last name begins. The parent counts one child more and
   * is otherwise unchanged.
   */
  insert(parent: NodeId, path: Uint8Array, nameStart: number, pathEnd: number): NodeId {
    const records = this.records;
    const id = records.allocate();
    records.setInt(id, at.NAME, this.slab.put(path, nameStart, pathEnd));
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
  born(
    id: NodeId,
    { data, prefixCrc, digest }: NodeContent,
    aclId: number,
    owner: bigint,
    { zxid, time }: { zxid: number; time: number },
  ): void {
    const records = this.records;
    records.setStatNumber(id, at.CZXID, zxid);
    records.setStatNumber(id, at.MZXID, zxid);
    records.setStatNumber(id, at.PZXID, zxid);
    records.setStatNumber(id, at.CTIME, time);
    records.setStatNumber(id, at.MTIME, time);
    records.setInt(id, at.ACL_ID, aclId);
    if (owner !== 0n) this.#setOwner(id, owner);
    this.#putData(id, data, prefixCrc);
    this.#redigest(id, digest);
  }

  /** Gives the root or an inserted node what a snapshot says of it. */
  restore(id: NodeId, data: Uint8Array | null, aclId: number, stat: StatPersisted): void {
    const records = this.records;
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
    this.#dropData(id);
    this.#putData(id, data);
    this.#redigest(id);
  }

  /** Takes a node without children out; the parent counts one child less and is otherwise unchanged. */
  remove(id: NodeId): void {
    const records = this.records;
    const pathEnd = this.pathLength(id);
    const path = this.scratch(pathEnd);
    this.copyPath(id, path, 0);
    this.#index.remove(path, 0, pathEnd, id);
    const parent = records.int(id, at.PARENT);
    const previous = records.int(id, at.PREV_SIBLING);
    const next = records.int(id, at.NEXT_SIBLING);
    if (previous === NONE) records.setInt(parent, at.FIRST_CHILD, next);
    else records.setInt(previous, at.NEXT_SIBLING, next);
    if (next !== NONE) records.setInt(next, at.PREV_SIBLING, previous);
    this.#setNumChildren(parent, this.numChildren(parent) - 1);
    this.treeDigest.subtract(this.digest(id));
    this.#dropData(id);
    this.slab.free(records.int(id, at.NAME), records.int(id, at.NAME_LENGTH));
    this.removals++;
    this.#count--;
    this.#pathBytes -= pathEnd;
    records.free(id);
  }

  setData(id: NodeId, { data, prefixCrc, digest }: NodeContent, version: number, zxid: number, time: number): void {
    const records = this.records;
    records.setStatInt(id, at.VERSION, version);
    records.setStatNumber(id, at.MZXID, zxid);
    records.setStatNumber(id, at.MTIME, time);
    this.#dropData(id);
    this.#putData(id, data, prefixCrc);
    this.#redigest(id, digest);
  }

  /** Changes the data and nothing else: what the statistics of a quota need. */
  replaceData(id: NodeId, data: Uint8Array | null): void {
    this.#dropData(id);
    this.#putData(id, data);
    this.#redigest(id);
  }

  setAcl(id: NodeId, aclId: number, aversion: number): void {
    this.records.setInt(id, at.ACL_ID, aclId);
    if (aversion === this.aversion(id)) return;
    this.records.setStatInt(id, at.AVERSION, aversion);
    this.#redigest(id);
  }

  /** What a parent keeps of its children's creates and deletes. */
  setChildrenChanged(id: NodeId, cversion: number, pzxid: number, digest?: number): void {
    const records = this.records;
    records.setInt(id, at.PERSISTED_CVERSION, cversion);
    records.setStatNumber(id, at.PZXID, pzxid);
    this.#setNumChildren(id, this.numChildren(id));
    this.#redigest(id, digest);
  }

  #setNumChildren(id: NodeId, numChildren: number): void {
    this.records.setStatInt(id, at.NUM_CHILDREN, numChildren);
    this.records.setStatInt(id, at.CVERSION, 2 * this.records.int(id, at.PERSISTED_CVERSION) - numChildren);
  }

  #setOwner(id: NodeId, owner: bigint): void {
    const records = this.records;
    const kind = owner === 0n ? Kind.normal : Kind[nodeKind(owner, this.rules)];
    records.setInt(id, at.FLAGS, (records.int(id, at.FLAGS) & ~at.KIND_MASK) | kind);
    records.setInt(id, at.OWNER, Number(BigInt.asIntN(32, owner >> 32n)));
    records.setInt(id, at.OWNER + 1, Number(BigInt.asIntN(32, owner)));
    const visible = kind === Kind.ephemeral;
    records.setStatInt(id, at.EPHEMERAL_OWNER, visible ? records.int(id, at.OWNER) : 0);
    records.setStatInt(id, at.EPHEMERAL_OWNER + 4, visible ? records.int(id, at.OWNER + 1) : 0);
  }

  #putData(id: NodeId, data: Uint8Array | null, prefixCrc: number | undefined = undefined): void {
    const records = this.records;
    const flags = records.int(id, at.FLAGS);
    if (data === null) {
      records.setInt(id, at.FLAGS, flags | at.NULL_DATA);
    } else {
      records.setInt(id, at.FLAGS, flags & ~at.NULL_DATA);
      records.setInt(id, at.DATA, this.slab.put(data, 0, data.length));
      records.setStatInt(id, at.DATA_LENGTH, data.length);
      this.#dataBytes += data.length;
    }
    if (this.#digestEnabled) records.setInt(id, at.PREFIX_CRC, prefixCrc ?? this.#prefixCrc(id, data));
  }

  #prefixCrc(id: NodeId, data: Uint8Array | null): number {
    const pathEnd = this.pathLength(id);
    const path = this.scratch(pathEnd);
    this.copyPath(id, path, 0);
    const pathCrc = this.#crc32(path, 0, pathEnd, 0);
    return data === null ? pathCrc : this.#crc32(data, 0, data.length, pathCrc);
  }

  #dropData(id: NodeId): void {
    const records = this.records;
    const length = records.statInt(id, at.DATA_LENGTH);
    this.slab.free(records.int(id, at.DATA), length);
    records.setStatInt(id, at.DATA_LENGTH, 0);
    this.#dataBytes -= length;
  }

  /** Brings the node's digest and the tree's up to date, after anything that a digest is made of has changed. */
  #redigest(id: NodeId, known: number | undefined = undefined): void {
    const records = this.records;
    if (!this.#digestEnabled || (records.int(id, at.FLAGS) & at.UNDIGESTED) !== 0) return;
    const digest = known ?? this.#digestOf(id);
    this.treeDigest.subtract(this.digest(id));
    this.treeDigest.add(digest);
    records.setInt(id, at.DIGEST, digest);
  }

  #digestOf(id: NodeId): number {
    const records = this.records;
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
    return this.#crc32(target, 0, DIGEST_STAT_BYTES, this.prefixCrc(id));
  }
}

function isUndigested(path: Uint8Array, end: number): boolean {
  if (end < UNDIGESTED_PREFIX.length) return false;
  for (let i = 0; i < UNDIGESTED_PREFIX.length; i++) {
    if (path[i] !== UNDIGESTED_PREFIX.charCodeAt(i)) return false;
  }
  return true;
}
