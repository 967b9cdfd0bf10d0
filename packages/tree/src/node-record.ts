/**
 * How one znode lies in memory. Every node has a record of 48 bytes. What makes it differ from a node that was just
 * created by anybody (changes, children, an owner, an ACL of its own) is in a second record, its extra, which most
 * nodes of a large tree never need: a node without one has extra 0, which says what is true of all of them.
 *
 * Fields are offsets in ints of the machine's own byte order; those of 64 bits are two ints, high half first.
 */

// What every node has.
export const CZXID = 0;
export const CTIME = 2;
/** The number of its extra, or {@link NO_EXTRA}. */
export const EXTRA = 4;
/** Name and data in the slab, one after the other. */
export const CELL = 5;
export const NAME_LENGTH = 6;
/** In bytes; -1 for null. */
export const DATA_LENGTH = 7;
export const PARENT = 8;
export const NEXT_SIBLING = 9;
export const PREV_SIBLING = 10;
export const DIGEST = 11;
export const RECORD_INTS = 12;

// What only extras have.
export const MZXID = 0;
export const MTIME = 2;
export const PZXID = 4;
export const VERSION = 6;
/** The persisted one, which counts creates of children; the client's is 2 × this − NUM_CHILDREN. */
export const CVERSION = 7;
export const AVERSION = 8;
/** The stored owner; @see KIND for whose it is. */
export const OWNER = 9;
export const NUM_CHILDREN = 11;
export const FIRST_CHILD = 12;
export const ACL_ID = 13;
/** Checksum of path and data, from which the node's digest continues over its Stat. */
export const PREFIX_CRC = 14;
/** A {@link Kind}, and {@link UNDIGESTED}. */
export const FLAGS = 15;
export const EXTRA_INTS = 16;

export const NO_EXTRA = 0;

/** Bits 0-1 of FLAGS. @see NodeKind in @vivarium/protocol */
export const Kind = { normal: 0, ephemeral: 1, container: 2, ttl: 3 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];
export const KIND_MASK = 3;
/** Not part of the tree digest. */
export const UNDIGESTED = 4;

const CHUNK_SHIFT = 15;
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;
const TWO_POW_32 = 0x1_0000_0000;

/** Records in the first chunk of a new tree, which is replaced by larger copies until it is as large as the others. */
const FIRST_RECORDS = 128;
/** Where a free record says which one is free after it. */
const NEXT_FREE = 0;

/** Records of one size, in chunks of two megabytes at most. Ids are small integers that are used again after `free`. */
export class RecordPool {
  readonly #recordInts: number;
  readonly #chunks: Int32Array[] = [];
  #used = 0;
  /** Records in all chunks. */
  #room = 0;
  #firstFree = -1;

  constructor(recordInts: number) {
    this.#recordInts = recordInts;
  }

  /** A record whose fields may hold anything. */
  allocate(): number {
    const id = this.#firstFree;
    if (id !== -1) {
      this.#firstFree = this.int(id, NEXT_FREE);
      return id;
    }
    if (this.#used === this.#room) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const chunkRecords = 1 << CHUNK_SHIFT;
    const isFirst = this.#room < chunkRecords;
    const records = isFirst ? Math.max(FIRST_RECORDS, 2 * this.#room) : chunkRecords;
    const ints = new Int32Array(this.#recordInts * records);
    const replaced = isFirst ? this.#chunks.pop() : undefined;
    if (replaced !== undefined) ints.set(replaced);
    this.#chunks.push(ints);
    this.#room = isFirst ? records : this.#room + records;
  }

  free(id: number): void {
    this.setInt(id, NEXT_FREE, this.#firstFree);
    this.#firstFree = id;
  }

  int(id: number, field: number): number {
    return (this.#chunks[id >>> CHUNK_SHIFT] as Int32Array)[(id & CHUNK_MASK) * this.#recordInts + field] as number;
  }

  setInt(id: number, field: number, value: number): void {
    (this.#chunks[id >>> CHUNK_SHIFT] as Int32Array)[(id & CHUNK_MASK) * this.#recordInts + field] = value;
  }

  /** A field of two ints. */
  number(id: number, field: number): number {
    const ints = this.#chunks[id >>> CHUNK_SHIFT] as Int32Array;
    const at = (id & CHUNK_MASK) * this.#recordInts + field;
    return (ints[at] as number) * TWO_POW_32 + ((ints[at + 1] as number) >>> 0);
  }

  setNumber(id: number, field: number, value: number): void {
    const ints = this.#chunks[id >>> CHUNK_SHIFT] as Int32Array;
    const at = (id & CHUNK_MASK) * this.#recordInts + field;
    ints[at] = Math.floor(value / TWO_POW_32);
    ints[at + 1] = value;
  }

  /** The memory in which a record lies, from {@link start} on: for who reads or writes many fields. */
  chunk(id: number): Int32Array {
    return this.#chunks[id >>> CHUNK_SHIFT] as Int32Array;
  }

  start(id: number): number {
    return (id & CHUNK_MASK) * this.#recordInts;
  }

  /** Memory held, used or not. */
  get bytes(): number {
    return 4 * this.#recordInts * this.#room;
  }
}
