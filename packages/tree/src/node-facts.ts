/**
 * What can be read of a znode, given its id. Reads copy bytes straight from the records and the slab into a
 * connection's output; nothing here changes anything. @see NodeStore for how nodes are found and changed
 */
import { copyBytes, decode, utf8Read } from "@vivarium/jute";
import { type OwnerRules, STAT_BYTES, Stat } from "@vivarium/protocol";
import { OPEN_ACL_ID } from "./acl-table.ts";
import * as at from "./node-record.ts";
import { Kind, RecordPool } from "./node-record.ts";
import { copyWords, Slab, WORDS_MAX_BYTES } from "./slab.ts";

/** Good until its node is removed; after that it may name another. */
export type NodeId = number;
/** The node whose path is both "" and "/". */
export const ROOT: NodeId = 0;
export const NONE: NodeId = -1;

const SLASH = 0x2f;
/** Where snapshots have what {@link NodeFacts.copyAllFacts} writes. */
const PERSISTED = { pzxid: 52, times: 16 };

export class NodeFacts {
  /** How owners are to be read. */
  readonly rules: OwnerRules;
  protected readonly records = new RecordPool(at.RECORD_INTS);
  protected readonly extras = new RecordPool(at.EXTRA_INTS);
  /** Names and data. */
  protected readonly slab = new Slab();
  #scratch = new Uint8Array(1024);

  constructor(rules: OwnerRules) {
    this.rules = rules;
    // What is true of every node that has no extra.
    const extras = this.extras;
    const none = extras.allocate();
    extras.setInt(none, at.FIRST_CHILD, NONE);
    extras.setInt(none, at.ACL_ID, OPEN_ACL_ID);
  }

  /** Memory of at least this many bytes, for the moment. */
  protected scratch(length: number): Uint8Array {
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(2 * length);
    return this.#scratch;
  }

  /** A field that only extras have. */
  protected extraInt(id: NodeId, field: number): number {
    return this.extras.int(this.records.int(id, at.EXTRA), field);
  }

  /** Bytes of name and data together. */
  protected cellLength(id: NodeId): number {
    const dataLength = this.records.int(id, at.DATA_LENGTH);
    return this.records.int(id, at.NAME_LENGTH) + Math.max(0, dataLength);
  }

  /** Lets the slab find name and data, which is after it. Returns the name's length. */
  protected locate(id: NodeId): number {
    const record = this.records.chunk(id);
    const r = this.records.start(id);
    const nameLength = record[r + at.NAME_LENGTH] as number;
    const dataLength = record[r + at.DATA_LENGTH] as number;
    this.slab.locate(record[r + at.CELL] as number, dataLength > 0 ? nameLength + dataLength : nameLength);
    return nameLength;
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
    const records = this.records;
    let length = 0;
    for (let node = id; node !== ROOT; node = records.int(node, at.PARENT)) {
      length += 1 + records.int(node, at.NAME_LENGTH);
    }
    return length;
  }

  /** Writes {@link pathLength} bytes. */
  copyPath(id: NodeId, target: Uint8Array, offset: number): void {
    const records = this.records;
    let end = offset + this.pathLength(id);
    for (let node = id; node !== ROOT; node = records.int(node, at.PARENT)) {
      end -= records.int(node, at.NAME_LENGTH);
      this.copyName(node, target, end);
      target[--end] = SLASH;
    }
  }

  parent(id: NodeId): NodeId {
    return this.records.int(id, at.PARENT);
  }

  firstChild(id: NodeId): NodeId {
    return this.extraInt(id, at.FIRST_CHILD);
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
    return this.extraInt(id, at.NUM_CHILDREN);
  }

  nameLength(id: NodeId): number {
    return this.records.int(id, at.NAME_LENGTH);
  }

  /** Writes {@link nameLength} bytes. */
  copyName(id: NodeId, target: Uint8Array, offset: number): void {
    const length = this.locate(id);
    copyBytes(this.slab.memory.bytes, this.slab.at, length, target, offset);
  }

  name(id: NodeId): string {
    const length = this.locate(id);
    return utf8Read(this.slab.memory.bytes, this.slab.at, this.slab.at + length);
  }

  // A node's facts

  /** Writes the 68 bytes of a Stat, as clients get it. */
  copyStat(id: NodeId, target: DataView, offset: number): void {
    const record = this.records.chunk(id);
    const r = this.records.start(id);
    const dataLength = record[r + at.DATA_LENGTH] as number;
    const extra = record[r + at.EXTRA] as number;
    copyLong(record, r + at.CZXID, target, offset);
    copyLong(record, r + at.CTIME, target, offset + 16);
    target.setInt32(offset + 52, Math.max(0, dataLength));
    if (extra === at.NO_EXTRA) {
      copyLong(record, r + at.CZXID, target, offset + 8);
      copyLong(record, r + at.CTIME, target, offset + 24);
      for (let i = 32; i < 52; i += 4) target.setInt32(offset + i, 0);
      target.setInt32(offset + 56, 0);
      copyLong(record, r + at.CZXID, target, offset + 60);
      return;
    }
    const facts = this.extras.chunk(extra);
    const f = this.extras.start(extra);
    const numChildren = facts[f + at.NUM_CHILDREN] as number;
    const isEphemeral = ((facts[f + at.FLAGS] as number) & at.KIND_MASK) === Kind.ephemeral;
    copyLong(facts, f + at.MZXID, target, offset + 8);
    copyLong(facts, f + at.MTIME, target, offset + 24);
    target.setInt32(offset + 32, facts[f + at.VERSION] as number);
    target.setInt32(offset + 36, 2 * (facts[f + at.CVERSION] as number) - numChildren);
    target.setInt32(offset + 40, facts[f + at.AVERSION] as number);
    target.setInt32(offset + 44, isEphemeral ? (facts[f + at.OWNER] as number) : 0);
    target.setInt32(offset + 48, isEphemeral ? (facts[f + at.OWNER + 1] as number) : 0);
    target.setInt32(offset + 56, numChildren);
    copyLong(facts, f + at.PZXID, target, offset + 60);
  }

  /** Writes the 60 bytes of a StatPersisted. */
  copyPersistedStat(id: NodeId, target: DataView, offset: number): void {
    this.copyAllFacts(id, target, offset, PERSISTED);
  }

  /** All that is kept of a node's Stat, 60 bytes: snapshots and digests differ in where the pzxid stands. */
  protected copyAllFacts(id: NodeId, target: DataView, start: number, to: { pzxid: number; times: number }): void {
    const pzxidAt = start + to.pzxid;
    const timesAt = start + to.times;
    const record = this.records.chunk(id);
    const r = this.records.start(id);
    const extra = record[r + at.EXTRA] as number;
    copyLong(record, r + at.CZXID, target, start);
    copyLong(record, r + at.CTIME, target, timesAt);
    if (extra === at.NO_EXTRA) {
      copyLong(record, r + at.CZXID, target, start + 8);
      copyLong(record, r + at.CTIME, target, timesAt + 8);
      for (let i = 16; i < 36; i += 4) target.setInt32(timesAt + i, 0);
      copyLong(record, r + at.CZXID, target, pzxidAt);
      return;
    }
    const facts = this.extras.chunk(extra);
    const f = this.extras.start(extra);
    copyLong(facts, f + at.MZXID, target, start + 8);
    copyLong(facts, f + at.MTIME, target, timesAt + 8);
    // Version, cversion, aversion and owner follow each other in both.
    for (let i = 0; i < 5; i++) target.setInt32(timesAt + 16 + 4 * i, facts[f + at.VERSION + i] as number);
    copyLong(facts, f + at.PZXID, target, pzxidAt);
  }

  stat(id: NodeId): Stat {
    const view = new DataView(new ArrayBuffer(STAT_BYTES));
    this.copyStat(id, view, 0);
    return decode(Stat, new Uint8Array(view.buffer));
  }

  /** Length of the data in bytes, or -1 for null. */
  dataLength(id: NodeId): number {
    return this.records.int(id, at.DATA_LENGTH);
  }

  /** Writes {@link dataLength} bytes, or nothing for null. `view` is on the same memory as `target`. */
  copyData(id: NodeId, target: Uint8Array, view: DataView, offset: number): void {
    const length = this.records.int(id, at.DATA_LENGTH);
    if (length <= 0) return;
    const { slab } = this;
    const from = this.locate(id) + slab.at;
    if (length > WORDS_MAX_BYTES) copyBytes(slab.memory.bytes, from, length, target, offset);
    else copyWords(slab.memory.view, from, length, view, offset);
  }

  data(id: NodeId): Uint8Array | null {
    const length = this.dataLength(id);
    if (length === -1) return null;
    const data = new Uint8Array(length);
    if (length === 0) return data;
    const from = this.locate(id) + this.slab.at;
    copyBytes(this.slab.memory.bytes, from, length, data, 0);
    return data;
  }

  version(id: NodeId): number {
    return this.extraInt(id, at.VERSION);
  }

  /** The persisted count of creates, from which sequence numbers come; not the Stat's. */
  cversion(id: NodeId): number {
    return this.extraInt(id, at.CVERSION);
  }

  aversion(id: NodeId): number {
    return this.extraInt(id, at.AVERSION);
  }

  czxid(id: NodeId): number {
    return this.records.number(id, at.CZXID);
  }

  mzxid(id: NodeId): number {
    const extra = this.records.int(id, at.EXTRA);
    return extra === at.NO_EXTRA ? this.czxid(id) : this.extras.number(extra, at.MZXID);
  }

  pzxid(id: NodeId): number {
    const extra = this.records.int(id, at.EXTRA);
    return extra === at.NO_EXTRA ? this.czxid(id) : this.extras.number(extra, at.PZXID);
  }

  ctime(id: NodeId): number {
    return this.records.number(id, at.CTIME);
  }

  mtime(id: NodeId): number {
    const extra = this.records.int(id, at.EXTRA);
    return extra === at.NO_EXTRA ? this.ctime(id) : this.extras.number(extra, at.MTIME);
  }

  /** The stored owner: a session id, 0, or the mark of a container or TTL node. */
  owner(id: NodeId): bigint {
    const high = this.extraInt(id, at.OWNER);
    const low = this.extraInt(id, at.OWNER + 1);
    if (high === 0 && low === 0) return 0n;
    return (BigInt(high) << 32n) | BigInt(low >>> 0);
  }

  kind(id: NodeId): Kind {
    return (this.extraInt(id, at.FLAGS) & at.KIND_MASK) as Kind;
  }

  /** Whether the node belongs to a session; containers and TTL nodes do not. */
  isNormalEphemeral(id: NodeId): boolean {
    return this.kind(id) === Kind.ephemeral;
  }

  aclId(id: NodeId): number {
    return this.extraInt(id, at.ACL_ID);
  }

  /** The node's share of {@link treeDigest}, unsigned; 0 under /zookeeper/ and when digests are off. */
  digest(id: NodeId): number {
    return this.records.int(id, at.DIGEST) >>> 0;
  }
}

/** A field of two ints, in the byte order of the wire. */
function copyLong(from: Int32Array, index: number, target: DataView, offset: number): void {
  target.setInt32(offset, from[index] as number);
  target.setInt32(offset + 4, from[index + 1] as number);
}
