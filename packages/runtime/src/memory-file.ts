/**
 * The content of a file of a MemoryDisk, and what of it a power failure would leave. For every sector that was written
 * since the last sync, the file remembers what the sector held before; a crash puts some of them back.
 */
import type { Random } from "./random.ts";

export const SECTOR_BYTES = 512;

/** A sync under way: what its sectors held before, and the size it makes safe. */
export interface PendingSync {
  readonly before: Map<number, Uint8Array>;
  readonly size: number;
}

export class MemoryFile {
  #bytes = new Uint8Array(0);
  #size = 0;
  #durableSize = 0;
  /** What unsynced sectors held when last synced. */
  #before = new Map<number, Uint8Array>();
  /** The same of syncs under way. */
  readonly #syncs = new Set<PendingSync>();
  /** The same of sectors whose sync failed: the operating system gave up on them, and no sync saves them unless they are written again. */
  readonly #doomed = new Map<number, Uint8Array>();
  modifiedMs = 0;

  get size(): number {
    return this.#size;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    this.#remember(Math.min(position, this.#size), end);
    this.#makeRoom(end);
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  read(target: Uint8Array, position: number): number {
    const found = this.#bytes.subarray(Math.min(position, this.#size), Math.min(position + target.length, this.#size));
    target.set(found);
    return found.length;
  }

  truncate(size: number): void {
    if (size < this.#size) {
      this.#remember(size, this.#size);
      this.#bytes.fill(0, size, this.#size);
    }
    this.#makeRoom(size);
    this.#size = size;
  }

  beginSync(): PendingSync {
    const sync = { before: this.#before, size: this.#size };
    this.#syncs.add(sync);
    this.#before = new Map();
    return sync;
  }

  endSync(sync: PendingSync): void {
    if (!this.#syncs.has(sync)) return;
    // It covers those that were begun before it, whether or not anybody still waits for them.
    for (const earlier of this.#syncs) {
      this.#syncs.delete(earlier);
      for (const sector of earlier.before.keys()) this.#doomed.delete(sector);
      if (earlier === sync) break;
    }
    this.#durableSize = sync.size;
  }

  failSync(sync: PendingSync): void {
    this.#syncs.delete(sync);
    for (const [sector, content] of sync.before) this.#doomed.set(sector, content);
  }

  /** Unsynced sectors are all kept, all lost or each kept or lost, and so are changes of size, as `random` decides. */
  crash(random: Random): void {
    const size = this.#size === this.#durableSize ? this.#size : this.#sizeAfterCrash(random);
    const syncing = [...this.#syncs].reverse().map((sync) => sync.before);
    const fate = random.int(3);
    for (const lost of [this.#before, ...syncing, this.#doomed]) {
      for (const [sector, content] of lost) {
        const isLost = fate === 0 || (fate === 1 && random.int(2) === 0);
        if (isLost) this.#bytes.set(content, sector * SECTOR_BYTES);
      }
    }
    this.#makeRoom(size);
    this.#bytes.fill(0, size);
    this.#size = size;
    this.#durableSize = size;
    this.#before = new Map();
    this.#syncs.clear();
    this.#doomed.clear();
  }

  #sizeAfterCrash(random: Random): number {
    const choice = random.int(3);
    if (choice === 0) return this.#durableSize;
    if (choice === 1) return this.#size;
    const least = Math.min(this.#size, this.#durableSize);
    return least + random.int(Math.abs(this.#size - this.#durableSize) + 1);
  }

  #remember(from: number, to: number): void {
    this.#makeRoom(to);
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < to; sector++) {
      if (this.#before.has(sector)) continue;
      this.#before.set(sector, this.#bytes.slice(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES));
    }
  }

  /** Room for whole sectors, zero where nothing was written. */
  #makeRoom(size: number): void {
    const needed = Math.ceil(size / SECTOR_BYTES) * SECTOR_BYTES;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
