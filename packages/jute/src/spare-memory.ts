/**
 * Byte arrays that are used again. A new one of many kilobytes costs more than what is done with it: the system clears
 * its pages, and V8 collects garbage for each few megabytes of them. So who is done with one gives it back here, and the
 * next who needs one of about that size takes it.
 *
 * Sizes are rounded up to eight steps per doubling, so that an eighth is lost at most.
 */

/** Smaller ones are not worth it. */
export const SPARE_MIN_BYTES = 4096;

export class SpareMemory {
  readonly #limitBytes: number;
  readonly #bySize = new Map<number, Uint8Array[]>();
  #bytes = 0;

  /** @param limitBytes how much may wait here to be used again */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** What waits here, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory of at least that size; what is in it is left over from others. */
  take(bytes: number): Uint8Array {
    const size = spareSize(bytes);
    const spare = this.#bySize.get(size)?.pop();
    if (spare === undefined) return new Uint8Array(size);
    this.#bytes -= size;
    return spare;
  }

  /** Takes back what nobody looks at any more. */
  give(memory: Uint8Array): void {
    const size = memory.length;
    if (size < SPARE_MIN_BYTES || size !== spareSize(size) || this.#bytes + size > this.#limitBytes) return;
    this.#bytes += size;
    const others = this.#bySize.get(size);
    if (others === undefined) this.#bySize.set(size, [memory]);
    else others.push(memory);
  }
}

/** How long what is taken for so many bytes is. */
export function spareSize(bytes: number): number {
  if (bytes < SPARE_MIN_BYTES) return bytes;
  const step = 2 ** (28 - Math.clz32(bytes - 1));
  return Math.ceil(bytes / step) * step;
}
