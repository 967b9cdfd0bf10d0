/**
 * Byte strings outside the garbage collector's heap: slots of equal size in chunks of about a quarter megabyte, one
 * row of chunks per size class. The class follows from the length, so a value is named by one integer and its length,
 * and both must be kept by the caller. Freed slots are chained through their own first bytes.
 *
 * The first chunk of a class begins small and is replaced by larger copies, so that a small tree costs little.
 * Classes have eight steps per doubling, so at most an eighth of a slot is lost. Values too large for them are
 * ordinary arrays of their own.
 */
import { SpareMemory, spareSize } from "@vivarium/jute";

/** Longest value in bytes that shares a chunk with others. */
export const MAX_SLOT_BYTES = 4096;
const CHUNK_BYTES = 256 * 1024;
/** Memory of large values that waits for the next ones, at most. */
const SPARE_BYTES = 16 << 20;
const FIRST_SLOTS = 8;
const GROWTH = 4;
const NO_SLOT = -1;
const EMPTY = new Uint8Array(0);

class SizeClass {
  readonly slotBytes: number;
  readonly shift: number;
  readonly mask: number;
  readonly chunks: Uint8Array[] = [];
  readonly views: DataView[] = [];
  #used = 0;
  /** Slots in all chunks. */
  #room = 0;
  #firstFree = NO_SLOT;

  constructor(slotBytes: number) {
    this.slotBytes = slotBytes;
    this.shift = 31 - Math.clz32(CHUNK_BYTES / slotBytes);
    this.mask = (1 << this.shift) - 1;
  }

  allocate(): number {
    const slot = this.#firstFree;
    if (slot !== NO_SLOT) {
      const chunk = this.chunks[slot >>> this.shift] as Uint8Array;
      const at = (slot & this.mask) * this.slotBytes;
      this.#firstFree = readInt(chunk, at);
      return slot;
    }
    if (this.#used === this.#room) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const chunkSlots = 1 << this.shift;
    const isFirst = this.#room < chunkSlots;
    const slots = isFirst ? Math.min(chunkSlots, Math.max(FIRST_SLOTS, GROWTH * this.#room)) : chunkSlots;
    const memory = new Uint8Array(this.slotBytes * slots);
    const chunk = isFirst ? 0 : this.chunks.length;
    const replaced = this.chunks[chunk];
    if (replaced !== undefined) memory.set(replaced);
    this.chunks[chunk] = memory;
    this.views[chunk] = new DataView(memory.buffer);
    this.#room = isFirst ? slots : this.#room + slots;
  }

  free(slot: number): void {
    writeInt(this.chunks[slot >>> this.shift] as Uint8Array, (slot & this.mask) * this.slotBytes, this.#firstFree);
    this.#firstFree = slot;
  }

  /** Memory held, used or not. */
  get bytes(): number {
    return this.#room * this.slotBytes;
  }
}

export class Slab {
  readonly #classes: SizeClass[] = sizeClasses();
  readonly #large: (Uint8Array | undefined)[] = [];
  readonly #freeLarge: number[] = [];
  #largeBytes = 0;
  readonly #spare = new SpareMemory(SPARE_BYTES);

  /** A place for a value of this length, which may hold anything yet. */
  allocate(length: number): number {
    if (length === 0) return 0;
    if (length > MAX_SLOT_BYTES) return this.#putLarge(this.#spare.take(length));
    return (this.#classes[classIndex(length)] as SizeClass).allocate();
  }

  /** Whether the place of a value of one length is as good for one of the other. */
  fits(length: number, other: number): boolean {
    if (length === other) return true;
    if (length === 0 || other === 0) return false;
    if (length > MAX_SLOT_BYTES) return spareSize(length) === spareSize(other);
    return other <= MAX_SLOT_BYTES && classIndex(length) === classIndex(other);
  }

  free(pointer: number, length: number): void {
    if (length === 0) return;
    if (length > MAX_SLOT_BYTES) {
      const memory = this.#large[pointer] as Uint8Array;
      this.#large[pointer] = undefined;
      this.#freeLarge.push(pointer);
      this.#largeBytes -= memory.length;
      this.#spare.give(memory);
    } else {
      (this.#classes[classIndex(length)] as SizeClass).free(pointer);
    }
  }

  /** The memory in which a value lies, from {@link offset} on. Must not be kept beyond the value's life. */
  memory(pointer: number, length: number): Uint8Array {
    if (length === 0) return EMPTY;
    if (length > MAX_SLOT_BYTES) return this.#large[pointer] as Uint8Array;
    const sizeClass = this.#classes[classIndex(length)] as SizeClass;
    return sizeClass.chunks[pointer >>> sizeClass.shift] as Uint8Array;
  }

  /** The same memory. */
  view(pointer: number, length: number): DataView {
    if (length > MAX_SLOT_BYTES || length === 0) return new DataView(this.memory(pointer, length).buffer);
    const sizeClass = this.#classes[classIndex(length)] as SizeClass;
    return sizeClass.views[pointer >>> sizeClass.shift] as DataView;
  }

  offset(pointer: number, length: number): number {
    if (length === 0 || length > MAX_SLOT_BYTES) return 0;
    const sizeClass = this.#classes[classIndex(length)] as SizeClass;
    return (pointer & sizeClass.mask) * sizeClass.slotBytes;
  }

  /** Memory held, used or not. */
  get bytes(): number {
    return this.#classes.reduce((sum, sizeClass) => sum + sizeClass.bytes, this.#largeBytes + this.#spare.bytes);
  }

  #putLarge(value: Uint8Array): number {
    const pointer = this.#freeLarge.pop() ?? this.#large.length;
    this.#large[pointer] = value;
    this.#largeBytes += value.length;
    return pointer;
  }
}

/** Below this many bytes a loop is faster than `set`, which needs a window object. */
const LOOP_BYTES = 48;

export function copyBytes(from: Uint8Array, start: number, length: number, target: Uint8Array, at: number): void {
  if (length > LOOP_BYTES) {
    target.set(length === from.length ? from : from.subarray(start, start + length), at);
    return;
  }
  for (let i = 0; i < length; i++) target[at + i] = from[start + i] as number;
}

/** Up to so many bytes it is {@link copyWords} that is faster. */
export const WORDS_MAX_BYTES = 256;

/** The same between views, four bytes at a step: for lengths at which a window object costs more than the copy. */
export function copyWords(from: DataView, start: number, length: number, target: DataView, at: number): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) target.setInt32(at + i, from.getInt32(start + i, true), true);
  for (; i < length; i++) target.setUint8(at + i, from.getUint8(start + i));
}

// Steps of 8 up to 64, then eight steps per doubling.
function classIndex(length: number): number {
  if (length <= 64) return (length - 1) >> 3;
  const doubling = 31 - Math.clz32(length - 1);
  return (doubling - 5) * 8 + (((length - 1) >> (doubling - 3)) & 7);
}

function sizeClasses(): SizeClass[] {
  const classes: SizeClass[] = [];
  for (let size = 8; size <= 64; size += 8) classes.push(new SizeClass(size));
  for (let base = 64; base < MAX_SLOT_BYTES; base *= 2) {
    for (let step = 1; step <= 8; step++) classes.push(new SizeClass(base + (step * base) / 8));
  }
  return classes;
}

function readInt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function writeInt(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
}
