/** The names in a directory of a MemoryDisk, and which of them a power failure would leave as they were. */
import type { MemoryFile } from "./memory-file.ts";
import type { Random } from "./random.ts";

export class MemoryDirectory {
  readonly #entries = new Map<string, MemoryFile>();
  /** What names that changed since the last sync stood for at that time; null for nothing. */
  readonly #before = new Map<string, MemoryFile | null>();

  get(name: string): MemoryFile | undefined {
    return this.#entries.get(name);
  }

  names(): IterableIterator<string> {
    return this.#entries.keys();
  }

  files(): IterableIterator<MemoryFile> {
    return this.#entries.values();
  }

  set(name: string, file: MemoryFile): void {
    this.#remember(name);
    this.#entries.set(name, file);
  }

  /** False: there was no such name. */
  delete(name: string): boolean {
    this.#remember(name);
    return this.#entries.delete(name);
  }

  #remember(name: string): void {
    if (!this.#before.has(name)) this.#before.set(name, this.#entries.get(name) ?? null);
  }

  sync(): void {
    this.#before.clear();
  }

  /** Names that were not synced appear or vanish one by one, as `random` decides. */
  crash(random: Random): void {
    for (const [name, file] of this.#before) {
      if (random.int(2) === 0) continue;
      if (file === null) this.#entries.delete(name);
      else this.#entries.set(name, file);
    }
    this.#before.clear();
  }
}
