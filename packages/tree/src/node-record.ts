/**
 * How one znode lies in memory: 128 bytes, of which the first 68 are its Stat exactly as it goes to clients, so that a
 * read copies bytes and computes nothing. Offsets from 68 on are in the machine's own byte order and count ints.
 */

/** Byte offsets inside the Stat. @see Stat in @vivarium/protocol */
export const CZXID = 0;
export const MZXID = 8;
export const CTIME = 16;
export const MTIME = 24;
export const VERSION = 32;
/** The client's cversion: 2 × persisted − numChildren. */
export const CVERSION = 36;
export const AVERSION = 40;
/** The session id of an ephemeral, 0 for every other kind. */
export const EPHEMERAL_OWNER = 44;
export const DATA_LENGTH = 52;
export const NUM_CHILDREN = 56;
export const PZXID = 60;

/** Int offsets of what clients do not see. */
export const PERSISTED_CVERSION = 17;
/** The stored owner: two ints, high half first. */
export const OWNER = 18;
export const ACL_ID = 20;
export const NAME = 21;
export const NAME_LENGTH = 22;
export const DATA = 23;
export const PARENT = 24;
export const FIRST_CHILD = 25;
export const NEXT_SIBLING = 26;
export const PREV_SIBLING = 27;
export const PATH_LENGTH = 28;
/** Checksum of path and data, from which the node's digest continues over its Stat. */
export const PREFIX_CRC = 29;
export const DIGEST = 30;
/** Bits 0-1: kind. Bit 2: not part of the tree digest. Bit 3: null data. */
export const FLAGS = 31;

export const RECORD_INTS = 32;
export const RECORD_BYTES = 4 * RECORD_INTS;

/** Bits 0-1 of FLAGS. @see NodeKind in @vivarium/protocol */
export const Kind = { normal: 0, ephemeral: 1, container: 2, ttl: 3 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];
export const KIND_MASK = 3;
export const UNDIGESTED = 4;
export const NULL_DATA = 8;

const CHUNK_SHIFT = 13;
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;
const TWO_POW_32 = 0x1_0000_0000;

/** Records in the first chunk of a new tree, which is replaced by larger copies until it is as large as the others. */
const FIRST_RECORDS = 128;
const GROWTH = 4;

/** All records, in chunks of one megabyte. Ids are small integers that are used again after `free`. */
export class NodeRecords {
  readonly #ints: Int32Array[] = [];
  readonly #views: DataView[] = [];
  readonly #bytes: Uint8Array[] = [];
  #used = 0;
  /** Records in all chunks. */
  #room = 0;
  #firstFree = -1;

  /** A record with all its fields 0. */
  allocate(): number {
    const id = this.#firstFree;
    if (id !== -1) {
      this.#firstFree = this.int(id, NEXT_SIBLING);
      const at = (id & CHUNK_MASK) * RECORD_INTS;
      (this.#ints[id >>> CHUNK_SHIFT] as Int32Array).fill(0, at, at + RECORD_INTS);
      return id;
    }
    if (this.#used === this.#room) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const chunkRecords = 1 << CHUNK_SHIFT;
    const isFirst = this.#room < chunkRecords;
    const records = isFirst ? Math.max(FIRST_RECORDS, GROWTH * this.#room) : chunkRecords;
    const chunk = isFirst ? 0 : this.#bytes.length;
    const bytes = new Uint8Array(RECORD_BYTES * records);
    const replaced = this.#bytes[chunk];
    if (replaced !== undefined) bytes.set(replaced);
    this.#bytes[chunk] = bytes;
    this.#ints[chunk] = new Int32Array(bytes.buffer);
    this.#views[chunk] = new DataView(bytes.buffer);
    this.#room = isFirst ? records : this.#room + records;
  }

  free(id: number): void {
    this.setInt(id, NEXT_SIBLING, this.#firstFree);
    this.#firstFree = id;
  }

  /** @param field one of the int offsets, from PERSISTED_CVERSION on */
  int(id: number, field: number): number {
    return (this.#ints[id >>> CHUNK_SHIFT] as Int32Array)[(id & CHUNK_MASK) * RECORD_INTS + field] as number;
  }

  setInt(id: number, field: number, value: number): void {
    (this.#ints[id >>> CHUNK_SHIFT] as Int32Array)[(id & CHUNK_MASK) * RECORD_INTS + field] = value;
  }

  /** @param at one of the byte offsets inside the Stat */
  statInt(id: number, at: number): number {
    return (this.#views[id >>> CHUNK_SHIFT] as DataView).getInt32((id & CHUNK_MASK) * RECORD_BYTES + at);
  }

  setStatInt(id: number, at: number, value: number): void {
    (this.#views[id >>> CHUNK_SHIFT] as DataView).setInt32((id & CHUNK_MASK) * RECORD_BYTES + at, value);
  }

  statNumber(id: number, at: number): number {
    const view = this.#views[id >>> CHUNK_SHIFT] as DataView;
    const offset = (id & CHUNK_MASK) * RECORD_BYTES + at;
    return view.getInt32(offset) * TWO_POW_32 + view.getUint32(offset + 4);
  }

  setStatNumber(id: number, at: number, value: number): void {
    const view = this.#views[id >>> CHUNK_SHIFT] as DataView;
    const offset = (id & CHUNK_MASK) * RECORD_BYTES + at;
    view.setInt32(offset, Math.floor(value / TWO_POW_32));
    view.setUint32(offset + 4, value >>> 0);
  }

  /** The memory in which a Stat lies, from {@link statOffset} on. */
  statMemory(id: number): Uint8Array {
    return this.#bytes[id >>> CHUNK_SHIFT] as Uint8Array;
  }

  statOffset(id: number): number {
    return (id & CHUNK_MASK) * RECORD_BYTES;
  }

  /** Memory held, used or not. */
  get bytes(): number {
    return this.#room * RECORD_BYTES;
  }
}
