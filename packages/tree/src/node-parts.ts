/**
 * What changes of znodes are made of: a node's name and data in their cell, its extra, its place among its siblings, its
 * digest. Each of these steps leaves something to do for who calls it. @see NodeStore, which has whole changes
 */
import { copyBytes } from "@vivarium/jute";
import { nodeKind } from "@vivarium/protocol";
import { OPEN_ACL_ID } from "./acl-table.ts";
import { bornDigest } from "./born-digest.ts";
import { type Crc32, crc32OfView, crc32 as portableCrc32 } from "./crc32.ts";
import { NONE, NodeFacts, type NodeId, ROOT } from "./node-facts.ts";
import * as at from "./node-record.ts";
import { Kind } from "./node-record.ts";
import { DIGEST_STAT_BYTES, TreeDigest } from "./tree-digest.ts";

/** The name of the node whose descendants are not digested. */
const UNDIGESTED = "zookeeper";
/** Where a digest wants what {@link NodeFacts.copyAllFacts} writes. */
const DIGESTED = { pzxid: 16, times: 24 };
/** What an extra begins with, and the field of the record that says it of a node without one. */
const AS_BORN = [
  [at.MZXID, at.CZXID],
  [at.MTIME, at.CTIME],
  [at.PZXID, at.CZXID],
] as const;

export class NodeParts extends NodeFacts {
  /** Sum of the digests of all nodes but those under /zookeeper/; 0 when digests are off. */
  readonly treeDigest = new TreeDigest();
  protected readonly digestEnabled: boolean;
  protected readonly crc32: Crc32;
  protected count = 0;
  /** Bytes of all paths, and of all data. */
  protected pathBytes = 0;
  protected dataBytes = 0;
  readonly #digestStat = new DataView(new ArrayBuffer(DIGEST_STAT_BYTES));

  constructor(options: { rules: NodeFacts["rules"]; digest: boolean; crc32?: Crc32 | undefined }) {
    super(options.rules);
    this.digestEnabled = options.digest;
    this.crc32 = options.crc32 ?? portableCrc32;
    const root = this.records.allocate();
    for (const field of [at.PARENT, at.NEXT_SIBLING, at.PREV_SIBLING]) this.records.setInt(root, field, NONE);
    this.records.setInt(root, at.DATA_LENGTH, -1);
    this.count = 1;
    this.own(root);
    this.redigest(root);
  }

  // Its place in the tree

  /** Puts a new node that has a name among its parent's children. */
  protected join(parent: NodeId, id: NodeId, pathLength: number): void {
    const { records, extras } = this;
    const extra = this.own(parent);
    const next = extras.int(extra, at.FIRST_CHILD);
    if (next !== NONE) records.setInt(next, at.PREV_SIBLING, id);
    extras.setInt(extra, at.FIRST_CHILD, id);
    extras.setInt(extra, at.NUM_CHILDREN, extras.int(extra, at.NUM_CHILDREN) + 1);
    const record = records.chunk(id);
    const r = records.start(id);
    record[r + at.PARENT] = parent;
    record[r + at.NEXT_SIBLING] = next;
    record[r + at.PREV_SIBLING] = NONE;
    record[r + at.EXTRA] = at.NO_EXTRA;
    record[r + at.DIGEST] = 0;
    this.count++;
    this.pathBytes += pathLength;
  }

  /** Takes it from among them. */
  protected leave(id: NodeId, pathLength: number): void {
    const { records, extras } = this;
    const extra = this.own(records.int(id, at.PARENT));
    const previous = records.int(id, at.PREV_SIBLING);
    const next = records.int(id, at.NEXT_SIBLING);
    if (previous === NONE) extras.setInt(extra, at.FIRST_CHILD, next);
    else records.setInt(previous, at.NEXT_SIBLING, next);
    if (next !== NONE) records.setInt(next, at.PREV_SIBLING, previous);
    extras.setInt(extra, at.NUM_CHILDREN, extras.int(extra, at.NUM_CHILDREN) - 1);
    this.count--;
    this.pathBytes -= pathLength;
  }

  // Name and data

  /** Gives it a cell for name and data, in which the name is. The slab has it located. */
  protected putCell(id: NodeId, bytes: Uint8Array, nameStart: number, nameLength: number, dataLength: number): void {
    const { slab } = this;
    const size = dataLength > 0 ? nameLength + dataLength : nameLength;
    const cell = slab.allocate(size);
    slab.locate(cell, size);
    copyBytes(bytes, nameStart, nameLength, slab.memory.bytes, slab.at);
    const record = this.records.chunk(id);
    const r = this.records.start(id);
    record[r + at.CELL] = cell;
    record[r + at.NAME_LENGTH] = nameLength;
    record[r + at.DATA_LENGTH] = dataLength;
    if (dataLength > 0) this.dataBytes += dataLength;
  }

  /** Copies the data into the cell that was made for it. */
  protected fillData(id: NodeId, data: Uint8Array): void {
    const to = this.locate(id) + this.slab.at;
    copyBytes(data, 0, data.length, this.slab.memory.bytes, to);
  }

  /** Where the new data needs as much room as the old, it takes its place. */
  protected exchangeData(id: NodeId, data: Uint8Array | null): void {
    const { records, slab } = this;
    const cell = records.int(id, at.CELL);
    const size = this.cellLength(id);
    const nameLength = records.int(id, at.NAME_LENGTH);
    const dataLength = data === null ? -1 : data.length;
    this.dataBytes -= size - nameLength;
    if (slab.fits(size, nameLength + Math.max(0, dataLength))) {
      records.setInt(id, at.DATA_LENGTH, dataLength);
      this.dataBytes += Math.max(0, dataLength);
    } else {
      slab.locate(cell, size);
      this.putCell(id, slab.memory.bytes, slab.at, nameLength, dataLength);
      slab.free(cell, size);
    }
    if (data !== null) this.fillData(id, data);
  }

  // Extras

  /** The number of the node's extra, which it has from now on. `prefixCrc` if that is known already. */
  protected own(id: NodeId, prefixCrc: number | undefined = undefined): number {
    const before = this.records.int(id, at.EXTRA);
    if (before !== at.NO_EXTRA) return before;
    const { extras, records } = this;
    const crc = prefixCrc ?? this.prefixCrc(id);
    const extra = extras.allocate();
    const facts = extras.chunk(extra);
    const f = extras.start(extra);
    facts.fill(0, f, f + at.EXTRA_INTS);
    facts[f + at.FIRST_CHILD] = NONE;
    facts[f + at.ACL_ID] = OPEN_ACL_ID;
    facts[f + at.PREFIX_CRC] = crc;
    const record = records.chunk(id);
    const r = records.start(id);
    for (const [of, from] of AS_BORN) {
      facts[f + of] = record[r + from] as number;
      facts[f + of + 1] = record[r + from + 1] as number;
    }
    record[r + at.EXTRA] = extra;
    return extra;
  }

  protected setOwner(extra: number, owner: bigint): void {
    const { extras } = this;
    const kind = owner === 0n ? Kind.normal : Kind[nodeKind(owner, this.rules)];
    extras.setInt(extra, at.FLAGS, (extras.int(extra, at.FLAGS) & ~at.KIND_MASK) | kind);
    extras.setInt(extra, at.OWNER, owner === 0n ? 0 : Number(BigInt.asIntN(32, owner >> 32n)));
    extras.setInt(extra, at.OWNER + 1, owner === 0n ? 0 : Number(BigInt.asIntN(32, owner)));
  }

  // Digests

  /** Checksum of path and data: what a digest of this node under another Stat starts from. 0 when digests are off. */
  prefixCrc(id: NodeId): number {
    if (!this.digestEnabled) return 0;
    const extra = this.records.int(id, at.EXTRA);
    return extra === at.NO_EXTRA ? this.computePrefixCrc(id) : this.extras.int(extra, at.PREFIX_CRC) >>> 0;
  }

  /** The same, of a node that would be at `path[0, pathEnd)`. */
  prefixCrcOf(path: Uint8Array, pathEnd: number, data: Uint8Array | null): number {
    if (!this.digestEnabled) return 0;
    const crc = this.crc32(path, 0, pathEnd, 0);
    return data === null || data.length === 0 ? crc : this.crc32(data, 0, data.length, crc);
  }

  /** The same, after its data was exchanged. */
  protected computePrefixCrc(id: NodeId): number {
    if (!this.digestEnabled) return 0;
    const pathEnd = this.pathLength(id);
    const path = this.scratch(pathEnd);
    this.copyPath(id, path, 0);
    const pathCrc = this.crc32(path, 0, pathEnd, 0);
    const dataLength = this.dataLength(id);
    if (dataLength <= 0) return pathCrc;
    const dataAt = this.locate(id) + this.slab.at;
    return this.crc32(this.slab.memory.bytes, dataAt, dataAt + dataLength, pathCrc);
  }

  /** Whether it is below /zookeeper, whose nodes are no part of the tree's digest. */
  protected isUndigested(id: NodeId): boolean {
    return this.hasUndigested(this.records.int(id, at.PARENT));
  }

  /** Whether the children of this node, if it is one, are no part of the tree's digest. */
  protected hasUndigested(parent: NodeId): boolean {
    if (parent === NONE || parent === ROOT) return false;
    if ((this.extraInt(parent, at.FLAGS) & at.UNDIGESTED) !== 0) return true;
    const isTop = this.records.int(parent, at.PARENT) === ROOT;
    return isTop && this.nameLength(parent) === UNDIGESTED.length && this.name(parent) === UNDIGESTED;
  }

  /**
   * Brings the node's digest and the tree's up to date, after anything that a digest is made of has changed. Checksum of
   * path and data, and the digest, if they are known already.
   */
  protected redigest(id: NodeId, prefixCrc?: number, known?: number): void {
    if (!this.digestEnabled) return;
    const { records, extras } = this;
    const extra = records.int(id, at.EXTRA);
    if (extra !== at.NO_EXTRA && (extras.int(extra, at.FLAGS) & at.UNDIGESTED) !== 0) return;
    if (known !== undefined) return this.#setDigest(id, known);
    const crc = prefixCrc ?? this.prefixCrc(id);
    if (extra === at.NO_EXTRA) {
      const r = records.start(id);
      return this.#setDigest(id, bornDigest(crc, records.chunk(id), r + at.CZXID, r + at.CTIME));
    }
    this.copyAllFacts(id, this.#digestStat, 0, DIGESTED);
    this.#setDigest(id, crc32OfView(this.#digestStat, 0, DIGEST_STAT_BYTES, crc));
  }

  /** @param digest its 32 bits, signed or not */
  #setDigest(id: NodeId, digest: number): void {
    const record = this.records.chunk(id);
    const index = this.records.start(id) + at.DIGEST;
    this.treeDigest.subtract((record[index] as number) >>> 0);
    this.treeDigest.add(digest >>> 0);
    record[index] = digest;
  }
}
