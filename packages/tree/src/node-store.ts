/**
 * All znodes, as integers: a {@link NodeId} names a record of fixed size, two byte strings (name and data) and a place
 * among its siblings. Nothing per node lives on the garbage collector's heap.
 *
 * Invariants: a node's parent exists as long as the node does; what a record says is what a client may see now;
 * `treeDigest` is the sum over all nodes outside /zookeeper/ after every public method.
 * @see client-protocol section 10 "Node state rules"; disk-format 4.1
 */
import { asciiWrite, copyBytes, ProtocolError, utf8Length, utf8Read, utf8Write } from "@vivarium/jute";
import type { OwnerRules, SnapshotNode } from "@vivarium/protocol";
import { OPEN_ACL_ID } from "./acl-table.ts";
import { type Crc32, crc32OfView } from "./crc32.ts";
import { LastParent } from "./last-parent.ts";
import { NONE, type NodeId, ROOT } from "./node-facts.ts";
import { NodeParts } from "./node-parts.ts";
import * as at from "./node-record.ts";
import { extendHash, PathIndex } from "./path-index.ts";
import { copyWords, WORDS_MAX_BYTES } from "./slab.ts";

export { NONE, type NodeId, ROOT } from "./node-facts.ts";

const SLASH = 0x2f;

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

export class NodeStore extends NodeParts {
  readonly #index: PathIndex;
  readonly #lastParent = new LastParent();
  /** The node that was loaded last, or the root. */
  #loaded = ROOT;
  /** How many nodes have been removed: while it stays the same, every NodeId names what it did. */
  removals = 0;

  constructor(options: NodeStoreOptions) {
    super(options);
    this.#index = new PathIndex(this, options.hashSeed);
  }

  // Finding

  /** The node at the path `bytes[start, end)`, or NONE; a malformed path is simply not there. */
  find(bytes: Uint8Array, start: number, end: number): NodeId {
    if (end - start <= 1 && (end === start || bytes[start] === SLASH)) return ROOT;
    return this.#index.find(bytes, start, end);
  }

  findPath(path: string): NodeId {
    const own = this.scratch(path.length);
    if (asciiWrite(path, own, 0)) return this.find(own, 0, path.length);
    const bytes = this.scratch(utf8Length(path));
    return this.find(bytes, 0, utf8Write(path, bytes, 0));
  }

  /** For the index: whether this node's path is `bytes[start, end)`. */
  isAt(id: NodeId, bytes: Uint8Array, start: number, end: number): boolean {
    const { records, slab } = this;
    let to = end;
    for (let node = id; node !== ROOT; node = records.int(node, at.PARENT)) {
      const length = this.locate(node);
      to -= length;
      if (to <= start || bytes[to - 1] !== SLASH) return false;
      const name = slab.memory.bytes;
      const nameAt = slab.at;
      for (let i = 0; i < length; i++) if (name[nameAt + i] !== bytes[to + i]) return false;
      to--;
    }
    return to === start;
  }

  /** For the index: whether both have the same path. */
  isTwin(id: NodeId, other: NodeId): boolean {
    if (this.parent(id) !== this.parent(other)) return false;
    return this.name(id) === this.name(other);
  }

  /** Number of nodes as Java's `srvr` counts them: it keeps the root twice, as "" and as "/". */
  get size(): number {
    return this.count + 1;
  }

  /** Bytes of all paths and data. */
  get approximateDataSize(): number {
    return this.pathBytes + this.dataBytes + 1;
  }

  /** Bytes of memory held for nodes, used or not. */
  get memoryBytes(): number {
    return this.records.bytes + this.extras.bytes + this.slab.bytes + this.#index.bytes;
  }

  // Changes: only for DataTree and for loading a snapshot

  /**
   * Adds a node under `parent` that is not there yet; {@link born} must follow and fill its Stat. `path[0, pathEnd)` is
   * its whole path, `nameStart` where the last name begins. The parent counts one child more and is otherwise unchanged.
   */
  insert(parent: NodeId, path: Uint8Array, nameStart: number, pathEnd: number, data: Uint8Array | null): NodeId {
    const id = this.records.allocate();
    this.#index.insert(path, 0, pathEnd, id);
    this.putCell(id, path, nameStart, pathEnd - nameStart, data === null ? -1 : data.length);
    if (data !== null) this.fillData(id, data);
    this.join(parent, id, pathEnd);
    return id;
  }

  /** Gives an inserted node the Stat of one that is created now. */
  born(
    id: NodeId,
    { prefixCrc, digest }: NodeContent,
    aclId: number,
    owner: bigint,
    { zxid, time }: { zxid: number; time: number },
  ): void {
    const records = this.records;
    records.setNumber(id, at.CZXID, zxid);
    records.setNumber(id, at.CTIME, time);
    const crc = this.digestEnabled ? (prefixCrc ?? this.prefixCrc(id)) : 0;
    if (this.isUndigested(id)) this.extras.setInt(this.own(id, crc), at.FLAGS, at.UNDIGESTED);
    if (aclId !== OPEN_ACL_ID) this.extras.setInt(this.own(id, crc), at.ACL_ID, aclId);
    if (owner !== 0n) this.setOwner(this.own(id, crc), owner);
    this.redigest(id, crc, digest);
  }

  /** Takes a node without children out; the parent counts one child less and is otherwise unchanged. */
  remove(id: NodeId): void {
    const { records } = this;
    const pathEnd = this.pathLength(id);
    const path = this.scratch(pathEnd);
    this.copyPath(id, path, 0);
    this.#index.remove(path, 0, pathEnd, id);
    this.#lastParent.forget();
    this.#loaded = ROOT;
    this.removals++;
    this.leave(id, pathEnd);
    this.treeDigest.subtract(this.digest(id));
    this.dataBytes -= Math.max(0, this.dataLength(id));
    this.slab.free(records.int(id, at.CELL), this.cellLength(id));
    const extra = records.int(id, at.EXTRA);
    if (extra !== at.NO_EXTRA) this.extras.free(extra);
    records.free(id);
  }

  setData(id: NodeId, { data, prefixCrc, digest }: NodeContent, version: number, zxid: number, time: number): void {
    this.exchangeData(id, data);
    const crc = this.digestEnabled ? (prefixCrc ?? this.computePrefixCrc(id)) : 0;
    const extra = this.own(id, crc);
    const { extras } = this;
    extras.setInt(extra, at.PREFIX_CRC, crc);
    extras.setInt(extra, at.VERSION, version);
    extras.setNumber(extra, at.MZXID, zxid);
    extras.setNumber(extra, at.MTIME, time);
    this.redigest(id, crc, digest);
  }

  /** Changes the data and nothing else: what the statistics of a quota need. */
  replaceData(id: NodeId, data: Uint8Array | null): void {
    this.exchangeData(id, data);
    const crc = this.digestEnabled ? this.computePrefixCrc(id) : 0;
    this.extras.setInt(this.own(id, crc), at.PREFIX_CRC, crc);
    this.redigest(id, crc);
  }

  setAcl(id: NodeId, aclId: number, aversion: number): void {
    const extra = this.own(id);
    this.extras.setInt(extra, at.ACL_ID, aclId);
    if (aversion === this.aversion(id)) return;
    this.extras.setInt(extra, at.AVERSION, aversion);
    this.redigest(id);
  }

  /** What a parent keeps of its children's creates and deletes. */
  setChildrenChanged(id: NodeId, cversion: number, pzxid: number, digest?: number): void {
    const extra = this.own(id);
    this.extras.setInt(extra, at.CVERSION, cversion);
    this.extras.setNumber(extra, at.PZXID, pzxid);
    this.redigest(id, undefined, digest);
  }

  // Loading a snapshot

  /** About so many nodes will be loaded. */
  expect(nodeCount: number): void {
    this.#index.makeRoom(nodeCount);
  }

  /**
   * Adds a node, other than the root, as a snapshot has it.
   * @throws ProtocolError when its parent is not there, or when a former one had the same path: that may show later
   */
  load(given: SnapshotNode): NodeId {
    const { bytes, view, pathAt, pathEnd, dataAt, dataLength } = given;
    let nameStart = pathEnd;
    while (nameStart > pathAt && bytes[nameStart - 1] !== SLASH) nameStart--;
    const parent = this.#findParent(given, nameStart);
    const id = this.records.allocate();
    this.putCell(id, bytes, nameStart, pathEnd - nameStart, dataLength);
    const { memory, at: cellAt } = this.slab;
    const to = cellAt + pathEnd - nameStart;
    if (dataLength > WORDS_MAX_BYTES) copyBytes(bytes, dataAt, dataLength, memory.bytes, to);
    else if (dataLength > 0) copyWords(view, dataAt, dataLength, memory.view, to);
    this.join(parent, id, pathEnd - pathAt);
    const { hashState, crc, hasUndigested } = this.#lastParent;
    this.#takeStat(id, given, crc32OfView(view, nameStart - 1, pathEnd, crc), hasUndigested);
    this.#index.insertLater(extendHash(hashState, bytes, nameStart - 1, pathEnd), id);
    this.#loaded = id;
    return id;
  }

  /** Gives the root what a snapshot says of it. */
  restoreRoot(given: SnapshotNode): void {
    this.exchangeData(ROOT, given.data);
    this.#takeStat(ROOT, given, 0, false);
  }

  /** @throws ProtocolError if a node was loaded twice */
  finishLoading(): void {
    this.#index.insertWaiting();
  }

  /** The parent of a node that a snapshot has. It is the {@link LastParent} then. */
  #findParent({ bytes, view, pathAt, pathEnd }: SnapshotNode, nameStart: number): NodeId {
    const end = nameStart - 1;
    const last = this.#lastParent;
    const hasName = nameStart > pathAt && nameStart < pathEnd;
    if (hasName && last.isAt(bytes, pathAt, end)) return last.id;
    const parent = hasName ? this.#findNear(bytes, pathAt, end) : NONE;
    if (parent === NONE || (parent === ROOT && end > pathAt)) {
      const path = utf8Read(bytes, pathAt, pathEnd);
      throw new ProtocolError(`the snapshot has ${path} but not its parent before it: the file is damaged`);
    }
    last.become(parent, bytes, pathAt, end);
    last.hashState = extendHash(this.#index.emptyPath, bytes, pathAt, end);
    last.crc = crc32OfView(view, pathAt, end, 0);
    last.hasUndigested = this.hasUndigested(parent);
    return parent;
  }

  /** Finds a node, which is mostly the one that was loaded last, or one above it. */
  #findNear(bytes: Uint8Array, start: number, end: number): NodeId {
    for (let near = this.#loaded; near !== ROOT; near = this.parent(near)) {
      if (this.isAt(near, bytes, start, end)) return near;
    }
    return this.find(bytes, start, end);
  }

  /** What a snapshot says of a node whose path and data are in place. */
  #takeStat(id: NodeId, given: SnapshotNode, pathCrc: number, isUndigested: boolean): void {
    const { view, aclId, statAt } = given;
    const record = this.records.chunk(id);
    const r = this.records.start(id);
    copyLong(view, statAt, record, r + at.CZXID);
    copyLong(view, statAt + 16, record, r + at.CTIME);
    const crc = this.digestEnabled ? this.#withData(pathCrc, given) : 0;
    const hasExtra = (record[r + at.EXTRA] as number) !== at.NO_EXTRA;
    if (hasExtra || isUndigested || aclId !== OPEN_ACL_ID || !isAsBorn(view, statAt)) {
      this.#takeExtra(this.own(id, crc), given, { crc, isUndigested });
    }
    this.redigest(id, crc);
  }

  #withData(pathCrc: number, { bytes, view, dataAt, dataLength }: SnapshotNode): number {
    if (dataLength > WORDS_MAX_BYTES) return this.crc32(bytes, dataAt, dataAt + dataLength, pathCrc >>> 0);
    return dataLength > 0 ? crc32OfView(view, dataAt, dataAt + dataLength, pathCrc) : pathCrc;
  }

  #takeExtra(
    extra: number,
    { view, aclId, statAt }: SnapshotNode,
    { crc, isUndigested }: { crc: number; isUndigested: boolean },
  ): void {
    const facts = this.extras.chunk(extra);
    const f = this.extras.start(extra);
    copyLong(view, statAt + 8, facts, f + at.MZXID);
    copyLong(view, statAt + 24, facts, f + at.MTIME);
    copyLong(view, statAt + 52, facts, f + at.PZXID);
    for (let i = 0; i < 3; i++) facts[f + at.VERSION + i] = view.getInt32(statAt + 32 + 4 * i);
    facts[f + at.ACL_ID] = aclId;
    facts[f + at.PREFIX_CRC] = crc;
    facts[f + at.FLAGS] = isUndigested ? at.UNDIGESTED : 0;
    const isOwned = view.getInt32(statAt + 44) !== 0 || view.getInt32(statAt + 48) !== 0;
    this.setOwner(extra, isOwned ? view.getBigInt64(statAt + 44) : 0n);
  }
}

/** Whether a StatPersisted says nothing that does not follow from czxid and ctime. */
function isAsBorn(view: DataView, statAt: number): boolean {
  const int = (offset: number) => view.getInt32(statAt + offset);
  const mzxid = (int(0) ^ int(8)) | (int(4) ^ int(12));
  const pzxid = (int(0) ^ int(52)) | (int(4) ^ int(56));
  const mtime = (int(16) ^ int(24)) | (int(20) ^ int(28));
  const countsAndOwner = int(32) | int(36) | int(40) | int(44) | int(48);
  return (mzxid | pzxid | mtime | countsAndOwner) === 0;
}

function copyLong(from: DataView, at: number, target: Int32Array, index: number): void {
  target[index] = from.getInt32(at);
  target[index + 1] = from.getInt32(at + 4);
}
