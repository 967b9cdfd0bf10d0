/**
 * What can be read of a znode, given its id. Reads copy bytes straight from the records and the slab into a
 * connection's output; nothing here changes anything. @see NodeStore for how nodes are found and changed
 */
import { decode, utf8Read } from "@vivarium/jute";
import { type OwnerRules, STAT_BYTES, Stat } from "@vivarium/protocol";
import * as at from "./node-record.ts";
import { Kind, NodeRecords } from "./node-record.ts";
import { Slab } from "./slab.ts";

/** Good until its node is removed; after that it may name another. */
export type NodeId = number;
/** The node whose path is both "" and "/". */
export const ROOT: NodeId = 0;
export const NONE: NodeId = -1;

const SLASH = 0x2f;

export class NodeFacts {
  /** How owners are to be read. */
  readonly rules: OwnerRules;
  protected readonly records = new NodeRecords();
  /** Names and data. */
  protected readonly slab = new Slab();
  #scratch = new Uint8Array(1024);

  constructor(rules: OwnerRules) {
    this.rules = rules;
  }

  /** Memory of at least this many bytes, for the moment. */
  protected scratch(length: number): Uint8Array {
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(2 * length);
    return this.#scratch;
  }

  // Its place in the tree

  /** The node's path; the root's is "/". */
  path(id: NodeId): string {
    if (id === ROOT) return "/";
    const length = this.pathLength(id);
    const bytes = this.scratch(length);
    this.copyPath(id, bytes, 0);
    return utf8Read(bytes, 0, length);
  }

  /** Length in bytes of the node's path; the root's is 0. */
  pathLength(id: NodeId): number {
    return this.records.int(id, at.PATH_LENGTH);
  }

  /** Writes {@link pathLength} bytes. */
  copyPath(id: NodeId, target: Uint8Array, offset: number): void {
    const records = this.records;
    let end = offset + records.int(id, at.PATH_LENGTH);
    for (let node = id; node !== ROOT; node = records.int(node, at.PARENT)) {
      const length = records.int(node, at.NAME_LENGTH);
      end -= length;
      this.slab.copyTo(records.int(node, at.NAME), length, target, end);
      target[--end] = SLASH;
    }
  }

  parent(id: NodeId): NodeId {
    return this.records.int(id, at.PARENT);
  }

  firstChild(id: NodeId): NodeId {
    return this.records.int(id, at.FIRST_CHILD);
  }

  nextSibling(id: NodeId): NodeId {
    return this.records.int(id, at.NEXT_SIBLING);
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
    return this.records.statInt(id, at.NUM_CHILDREN);
  }

  nameLength(id: NodeId): number {
    return this.records.int(id, at.NAME_LENGTH);
  }

  /** Writes {@link nameLength} bytes. */
  copyName(id: NodeId, target: Uint8Array, offset: number): void {
    this.slab.copyTo(this.records.int(id, at.NAME), this.records.int(id, at.NAME_LENGTH), target, offset);
  }

  name(id: NodeId): string {
    const length = this.nameLength(id);
    const pointer = this.records.int(id, at.NAME);
    const start = this.slab.offset(pointer, length);
    return utf8Read(this.slab.memory(pointer, length), start, start + length);
  }

  // A node's facts

  /** Writes the 68 bytes of a Stat. */
  copyStat(id: NodeId, target: Uint8Array, offset: number): void {
    const memory = this.records.statMemory(id);
    const from = this.records.statOffset(id);
    for (let i = 0; i < STAT_BYTES; i++) target[offset + i] = memory[from + i] as number;
  }

  /** Writes the 60 bytes of a StatPersisted. */
  copyPersistedStat(id: NodeId, target: Uint8Array, offset: number): void {
    const memory = this.records.statMemory(id);
    const from = this.records.statOffset(id);
    for (let i = 0; i < 36; i++) target[offset + i] = memory[from + i] as number;
    putInt(target, offset + 36, this.records.int(id, at.PERSISTED_CVERSION));
    putInt(target, offset + 40, this.aversion(id));
    putInt(target, offset + 44, this.records.int(id, at.OWNER));
    putInt(target, offset + 48, this.records.int(id, at.OWNER + 1));
    for (let i = 0; i < 8; i++) target[offset + 52 + i] = memory[from + at.PZXID + i] as number;
  }

  stat(id: NodeId): Stat {
    const bytes = new Uint8Array(STAT_BYTES);
    this.copyStat(id, bytes, 0);
    return decode(Stat, bytes);
  }

  /** Length of the data in bytes, or -1 for null. */
  dataLength(id: NodeId): number {
    if ((this.records.int(id, at.FLAGS) & at.NULL_DATA) !== 0) return -1;
    return this.records.statInt(id, at.DATA_LENGTH);
  }

  /** Writes {@link dataLength} bytes, or nothing for null. */
  copyData(id: NodeId, target: Uint8Array, offset: number): void {
    this.slab.copyTo(this.records.int(id, at.DATA), this.records.statInt(id, at.DATA_LENGTH), target, offset);
  }

  data(id: NodeId): Uint8Array | null {
    const length = this.dataLength(id);
    if (length === -1) return null;
    const data = new Uint8Array(length);
    this.copyData(id, data, 0);
    return data;
  }

  version(id: NodeId): number {
    return this.records.statInt(id, at.VERSION);
  }

  /** The persisted count of creates, from which sequence numbers come; not the Stat's. */
  cversion(id: NodeId): number {
    return this.records.int(id, at.PERSISTED_CVERSION);
  }

  aversion(id: NodeId): number {
    return this.records.statInt(id, at.AVERSION);
  }

  czxid(id: NodeId): number {
    return this.records.statNumber(id, at.CZXID);
  }

  mzxid(id: NodeId): number {
    return this.records.statNumber(id, at.MZXID);
  }

  pzxid(id: NodeId): number {
    return this.records.statNumber(id, at.PZXID);
  }

  ctime(id: NodeId): number {
    return this.records.statNumber(id, at.CTIME);
  }

  mtime(id: NodeId): number {
    return this.records.statNumber(id, at.MTIME);
  }

  /** The stored owner: a session id, 0, or the mark of a container or TTL node. */
  owner(id: NodeId): bigint {
    const high = this.records.int(id, at.OWNER);
    const low = this.records.int(id, at.OWNER + 1);
    if (high === 0 && low === 0) return 0n;
    return (BigInt(high) << 32n) | BigInt(low >>> 0);
  }

  kind(id: NodeId): Kind {
    return (this.records.int(id, at.FLAGS) & at.KIND_MASK) as Kind;
  }

  /** Whether the node belongs to a session; containers and TTL nodes do not. */
  isNormalEphemeral(id: NodeId): boolean {
    return this.kind(id) === Kind.ephemeral;
  }

  aclId(id: NodeId): number {
    return this.records.int(id, at.ACL_ID);
  }

  /** Checksum of path and data: what a digest of this node under another Stat starts from. 0 when digests are off. */
  prefixCrc(id: NodeId): number {
    return this.records.int(id, at.PREFIX_CRC) >>> 0;
  }

  /** The node's share of {@link treeDigest}, unsigned; 0 under /zookeeper/ and when digests are off. */
  digest(id: NodeId): number {
    return this.records.int(id, at.DIGEST) >>> 0;
  }
}

function putInt(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >> 24;
  target[offset + 1] = value >> 16;
  target[offset + 2] = value >> 8;
  target[offset + 3] = value;
}
