/**
 * From the hash of a path to the node: 256 open-addressing tables chosen by the hash's top byte, each of which doubles
 * on its own when it is three quarters full. So growing is spread over many inserts and none has to move more than a
 * 256th of all entries.
 *
 * Nodes that are known to be new can wait until there are many: each finds its slot in memory that is in no cache, and a
 * loop that does nothing else waits for several of them at once.
 *
 * A slot is two ints: hash, and node id + 1 (0 = empty). Deleting moves later entries of the run back, so there are no
 * tombstones and lookups do not slow down with age.
 */
import { ProtocolError } from "@vivarium/jute";

const SEGMENTS = 256;
const FIRST_SLOTS = 8;
/** Stands for every table that has no entries yet; never written to. */
const NO_SLOTS = new Int32Array(2);
const NOT_FOUND = -1;
const FNV_OFFSET = 0x811c9dc5;

/** Says whether a node that the hash suggests is the one that was asked for. */
export interface PathMatcher {
  isAt(id: number, bytes: Uint8Array, start: number, end: number): boolean;
  /** Whether both have the same path. */
  isTwin(id: number, other: number): boolean;
}

/** How many nodes wait at most. */
const WAITING = 64 * 1024;

export class PathIndex {
  readonly #matcher: PathMatcher;
  /** The state of the hash before the first byte of a path. */
  readonly emptyPath: number;
  readonly #segments: Int32Array[] = new Array(SEGMENTS).fill(NO_SLOTS);
  readonly #counts = new Int32Array(SEGMENTS);
  /** Hash and id of each node that waits. */
  #waiting = NO_SLOTS;
  #waits = 0;

  /** @param seed any integer; a secret one keeps clients from choosing paths whose hashes are all the same */
  constructor(matcher: PathMatcher, seed = 0) {
    this.#matcher = matcher;
    this.emptyPath = FNV_OFFSET ^ seed;
  }

  /** The node whose path is `bytes[start, end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (this.#waits > 0) this.insertWaiting();
    const hash = hashOf(extendHash(this.emptyPath, bytes, start, end));
    const slots = this.#segments[hash >>> 24] as Int32Array;
    const mask = slots.length - 1;
    for (let i = (hash << 1) & mask; ; i = (i + 2) & mask) {
      const id = (slots[i + 1] as number) - 1;
      if (id === NOT_FOUND) return NOT_FOUND;
      if (slots[i] === hash && this.#matcher.isAt(id, bytes, start, end)) return id;
    }
  }

  /** Adds a node that is not in the index. */
  insert(bytes: Uint8Array, start: number, end: number, id: number): void {
    if (this.#waits > 0) this.insertWaiting();
    const hash = hashOf(extendHash(this.emptyPath, bytes, start, end));
    place(this.#withRoom(hash >>> 24), hash, id + 1);
  }

  /**
   * Adds a node sooner or later, but before anything else is asked.
   * @param state what {@link extendHash} makes of its path
   * @throws ProtocolError if a node that waited has the path of another
   */
  insertLater(state: number, id: number): void {
    if (this.#waiting === NO_SLOTS) this.#waiting = new Int32Array(2 * WAITING);
    this.#waiting[2 * this.#waits] = hashOf(state);
    this.#waiting[2 * this.#waits + 1] = id;
    if (++this.#waits === WAITING) this.insertWaiting();
  }

  insertWaiting(): void {
    const waiting = this.#waiting;
    const order = this.#waitingBySegment();
    this.#waits = 0;
    for (let i = 0; i < order.length; i++) {
      const at = 2 * (order[i] as number);
      this.#insertUnlessThere(waiting[at] as number, waiting[at + 1] as number);
    }
  }

  /** The order in which those that wait go through each segment once, which is then in the processor's cache. */
  #waitingBySegment(): Int32Array {
    const waiting = this.#waiting;
    const count = this.#waits;
    const next = new Int32Array(SEGMENTS + 1);
    for (let i = 0; i < count; i++) {
      const after = ((waiting[2 * i] as number) >>> 24) + 1;
      next[after] = (next[after] as number) + 1;
    }
    for (let segment = 1; segment < SEGMENTS; segment++) {
      next[segment] = (next[segment] as number) + (next[segment - 1] as number);
    }
    const order = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const segment = (waiting[2 * i] as number) >>> 24;
      const place = next[segment] as number;
      next[segment] = place + 1;
      order[place] = i;
    }
    return order;
  }

  #insertUnlessThere(hash: number, id: number): void {
    const slots = this.#withRoom(hash >>> 24);
    const mask = slots.length - 1;
    let i = (hash << 1) & mask;
    for (; slots[i + 1] !== 0; i = (i + 2) & mask) {
      if (slots[i] !== hash || !this.#matcher.isTwin((slots[i + 1] as number) - 1, id)) continue;
      throw new ProtocolError("two nodes of one path: the file is damaged");
    }
    slots[i] = hash;
    slots[i + 1] = id + 1;
  }

  /** Makes the tables as large as they will be with so many nodes, in place of doubling time and again. */
  makeRoom(nodes: number): void {
    const perSegment = nodes / SEGMENTS;
    if (perSegment < FIRST_SLOTS) return;
    const slots = 2 ** Math.ceil(Math.log2((4 / 3) * perSegment));
    for (let segment = 0; segment < SEGMENTS; segment++) {
      let table = this.#segments[segment] as Int32Array;
      if (table.length < 2 * slots) table = enlarged(table, slots);
      this.#segments[segment] = table;
    }
  }

  /** A segment, in which there will be one entry more. */
  #withRoom(segment: number): Int32Array {
    const slots = this.#segments[segment] as Int32Array;
    const count = (this.#counts[segment] as number) + 1;
    this.#counts[segment] = count;
    // count entries in length / 2 slots: three quarters full.
    if (8 * count <= 3 * slots.length) return slots;
    const larger = enlarged(slots, slots === NO_SLOTS ? FIRST_SLOTS : slots.length);
    this.#segments[segment] = larger;
    return larger;
  }

  /** Takes a node out that is in the index. */
  remove(bytes: Uint8Array, start: number, end: number, id: number): void {
    if (this.#waits > 0) this.insertWaiting();
    const hash = hashOf(extendHash(this.emptyPath, bytes, start, end));
    const slots = this.#segments[hash >>> 24] as Int32Array;
    const mask = slots.length - 1;
    let hole = (hash << 1) & mask;
    while (slots[hole + 1] !== id + 1) hole = (hole + 2) & mask;
    for (let i = (hole + 2) & mask; slots[i + 1] !== 0; i = (i + 2) & mask) {
      const home = ((slots[i] as number) << 1) & mask;
      // An entry may fill the hole unless its home lies after it.
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      slots[hole] = slots[i] as number;
      slots[hole + 1] = slots[i + 1] as number;
      hole = i;
    }
    slots[hole + 1] = 0;
    this.#counts[hash >>> 24] = (this.#counts[hash >>> 24] as number) - 1;
  }

  /** Memory held, used or not. */
  get bytes(): number {
    return this.#segments.reduce((sum, slots) => sum + (slots === NO_SLOTS ? 0 : slots.byteLength), 0);
  }
}

function place(slots: Int32Array, hash: number, idPlusOne: number): void {
  const mask = slots.length - 1;
  let i = (hash << 1) & mask;
  while (slots[i + 1] !== 0) i = (i + 2) & mask;
  slots[i] = hash;
  slots[i + 1] = idPlusOne;
}

function enlarged(slots: Int32Array, slotCount: number): Int32Array {
  const larger = new Int32Array(2 * slotCount);
  for (let i = 0; i < slots.length; i += 2) {
    if (slots[i + 1] !== 0) place(larger, slots[i] as number, slots[i + 1] as number);
  }
  return larger;
}

/** The state of the hash after some more bytes of a path, by FNV-1a. */
export function extendHash(state: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = state;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash;
}

// Murmur3's finish, so that both the top and the bottom bits depend on every byte.
function hashOf(state: number): number {
  let hash = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
