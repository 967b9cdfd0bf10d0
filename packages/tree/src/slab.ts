/**
 * Byte strings outside the garbage collector's heap: slots of equal size in chunks of one or two megabytes, one row of
 * chunks per size class. The class follows from the length, so a value is named by one integer and its length,
 * and both must be kept by the caller. Freed slots are chained through their own first bytes.
 *
 * The first chunk of a class begins small and is replaced by larger copies, so that a small tree costs little.
 * Classes have eight steps per doubling, so at most an eighth of a slot is lost. Values too large for them are
 * ordinary arrays of their own.
 */
import { SpareMemory, spareSize } from "@vivarium/jute";

/** Longest value in bytes that shares a chunk with others. */
export const MAX_SLOT_BYTES = 4096;
const CHUNK_BYTES = 2 * 1024 * 1024;
/** Memory of large values that waits for the next ones, at most. */
const SPARE_BYTES = 16 << 20;
const FIRST_SLOTS = 8;
const NO_SLOT = -1;

/** Bytes, and a view of the same. */
interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const EMPTY = memoryOf(new Uint8Array(0));

class SizeClass {
  readonly slotBytes: number;
  readonly shift: number;
  readonly mask: number;
  readonly chunks: Memory[] = [];
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
      this.#firstFree = this.#viewOf(slot).getInt32(this.offset(slot));
      return slot;
    }
    if (this.#used === this.#room) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const chunkSlots = 1 << this.shift;
    const isFirst = this.#room < chunkSlots;
    const slots = isFirst ? Math.min(chunkSlots, Math.max(FIRST_SLOTS, 2 * this.#room)) : chunkSlots;
    const chunk = isFirst ? 0 : this.chunks.length;
    const memory = memoryOf(new Uint8Array(this.slotBytes * slots));
    const replaced = this.chunks[chunk];
    if (replaced !== undefined) memory.bytes.set(replaced.bytes);
    this.chunks[chunk] = memory;
    this.#room = isFirst ? slots : this.#room + slots;
  }

  free(slot: number): void {
    this.#viewOf(slot).setInt32(this.offset(slot), this.#firstFree);
    this.#firstFree = slot;
  }

  offset(slot: number): number {
    return (slot & this.mask) * this.slotBytes;
  }

  #viewOf(slot: number): DataView {
    return (this.chunks[slot >>> this.shift] as Memory).view;
  }

  /** Memory held, used or not. */
  get bytes(): number {
    return this.#room * this.slotBytes;
  }
}

export class Slab {
  /** Where the value lies that was located last: from `at` on in this memory. It must not be kept beyond the value's life. */
  memory: Memory = EMPTY;
  at = 0;
  readonly #classes: SizeClass[] = sizeClasses();
  readonly #large: (Memory | undefined)[] = [];
  readonly #freeLarge: number[] = [];
  #largeBytes = 0;
  readonly #spare = new SpareMemory(SPARE_BYTES);

  /** A place for a value of this length, which may hold anything yet. */
  allocate(length: number): number {
    if (length === 0) return 0;
    if (length > MAX_SLOT_BYTES) return this.#addLarge(memoryOf(this.#spare.take(length)));
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
      const { bytes } = this.#large[pointer] as Memory;
      this.#large[pointer] = undefined;
      this.#freeLarge.push(pointer);
      this.#largeBytes -= bytes.length;
      this.#spare.give(bytes);
    } else {
      (this.#classes[classIndex(length)] as SizeClass).free(pointer);
    }
  }

  /** Finds the place of a value: {@link memory} and {@link at} say it until the next one is located. */
  locate(pointer: number, length: number): void {
    if (length === 0 || length > MAX_SLOT_BYTES) {
      this.memory = length === 0 ? EMPTY : (this.#large[pointer] as Memory);
      this.at = 0;
    } else {
      const sizeClass = this.#classes[classIndex(length)] as SizeClass;
      this.memory = sizeClass.chunks[pointer >>> sizeClass.shift] as Memory;
      this.at = sizeClass.offset(pointer);
    }
  }

  /** Memory held, used or not. */
  get bytes(): number {
    return this.#classes.reduce((sum, sizeClass) => sum + sizeClass.bytes, this.#largeBytes + this.#spare.bytes);
  }

  #addLarge(value: Memory): number {
    const pointer = this.#freeLarge.pop() ?? this.#large.length;
    this.#large[pointer] = value;
    this.#largeBytes += value.bytes.length;
    return pointer;
  }
}

function memoryOf(bytes: Uint8Array): Memory {
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Up to so many bytes {@link copyWords} is faster than copyBytes of jute. */
export const WORDS_MAX_BYTES = 256;

/** As copyBytes of jute, but between views, four bytes at a step: for lengths at which a window object costs more than the copy. */
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
