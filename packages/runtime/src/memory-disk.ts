/**
 * A disk in memory that forgets as a real one may. `crash` takes the power away: unsynced sectors are kept or lost one
 * by one, names that were not synced with their directory appear or vanish one by one, and everything that the dead
 * process still waited for never answers. Faults on demand: a full disk, failing operations, slow syncs.
 */
import { basename, dirname, resolve } from "node:path";
import type { Clock } from "./clock.ts";
import { DirectoryLockedError, type Disk, type DiskFile, type DiskLock, type FileInfo, OpenMode } from "./disk.ts";
import { MemoryDirectory } from "./memory-directory.ts";
import { MemoryFile } from "./memory-file.ts";
import type { Random } from "./random.ts";

export type DiskOperation =
  | "open"
  | "write"
  | "read"
  | "datasync"
  | "truncate"
  | "readDirectory"
  | "stat"
  | "rename"
  | "unlink"
  | "makeDirectory"
  | "syncDirectory"
  | "lock";

export interface MemoryDiskOptions {
  clock: Clock;
  random: Random;
  /** More than this, by the sizes of all files, is ENOSPC. Default: no limit. */
  capacityBytes?: number;
}

export class MemoryDisk implements Disk {
  capacityBytes: number;
  /** How long a sync takes. */
  syncDelayMs = 0;
  /** Asked before every operation: a code such as "EIO" makes it fail; null lets it pass. */
  fault: (operation: DiskOperation, path: string) => string | null = () => null;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #directories = new Map([["/", new MemoryDirectory()]]);
  readonly #locks = new Map<string, string>();
  /** Counts crashes: what belongs to an earlier life gets no answer. */
  #life = 0;

  constructor(options: MemoryDiskOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
  }

  /** The power fails: the process that used this disk is gone, and what it had not synced perhaps too. */
  crash(): void {
    this.kill();
    const files = new Set<MemoryFile>();
    for (const directory of this.#directories.values()) {
      directory.crash(this.#random);
      for (const file of directory.files()) files.add(file);
    }
    for (const file of files) file.crash(this.#random);
  }

  /** The process is killed, but the machine goes on: nothing that was written is lost. */
  kill(): void {
    this.#life++;
    this.#locks.clear();
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.perform("open", path, () => {
      const directory = this.#parent(path);
      let file = directory.get(basename(path));
      if (mode === OpenMode.create) {
        if (file === undefined) {
          file = new MemoryFile();
          directory.set(basename(path), file);
        } else {
          file.truncate(0);
        }
      }
      if (file === undefined) throw failure("ENOENT", "open", path);
      return new MemoryHandle(this, path, file);
    });
  }

  readDirectory(path: string): Promise<string[]> {
    return this.perform("readDirectory", path, () => {
      const here = resolve(path);
      const below = [...this.#directories.keys()].filter((other) => other !== here && dirname(other) === here);
      return [...this.#directory(path).names(), ...below.map((other) => basename(other))];
    });
  }

  stat(path: string): Promise<FileInfo | null> {
    return this.perform("stat", path, () => {
      if (this.#directories.has(resolve(path))) return { kind: "directory", sizeBytes: 0, modifiedMs: 0 };
      const file = this.#directories.get(dirname(resolve(path)))?.get(basename(path));
      if (file === undefined) return null;
      return { kind: "file", sizeBytes: file.size, modifiedMs: file.modifiedMs };
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.perform("rename", from, () => {
      const file = this.#parent(from).get(basename(from));
      if (file === undefined) throw failure("ENOENT", "rename", from);
      this.#parent(to).set(basename(to), file);
      this.#parent(from).delete(basename(from));
    });
  }

  unlink(path: string): Promise<void> {
    return this.perform("unlink", path, () => {
      if (!this.#parent(path).delete(basename(path))) throw failure("ENOENT", "unlink", path);
    });
  }

  /** Directories survive a crash at once: losing whole directories is not part of this model. */
  makeDirectory(path: string): Promise<void> {
    return this.perform("makeDirectory", path, () => {
      for (let here = resolve(path); !this.#directories.has(here); here = dirname(here)) {
        this.#directories.set(here, new MemoryDirectory());
      }
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.perform("syncDirectory", path, () => {
      this.#directory(path).sync();
    });
  }

  lock(path: string, holder: string): Promise<DiskLock> {
    return this.perform("lock", path, () => {
      const here = resolve(path);
      this.#directory(here);
      const other = this.#locks.get(here);
      if (other !== undefined) throw new DirectoryLockedError(here, other);
      this.#locks.set(here, holder);
      return { release: async () => void this.#locks.delete(here) };
    });
  }

  #directory(path: string): MemoryDirectory {
    const found = this.#directories.get(path) ?? this.#directories.get(resolve(path));
    if (found === undefined) throw failure("ENOENT", "open", path);
    return found;
  }

  #parent(path: string): MemoryDirectory {
    return this.#directory(dirname(path));
  }

  /** Does `act` unless the disk fails, and answers later, as a disk does; after a crash never. */
  perform<T>(operation: DiskOperation, path: string, act: () => T, delayMs = 0): Promise<T> {
    const life = this.#life;
    return new Promise((resolvePromise, reject) => {
      const answer = (): void => {
        if (life !== this.#life) return;
        const code = this.fault(operation, path);
        if (code !== null) return reject(failure(code, operation, path));
        try {
          resolvePromise(act());
        } catch (error) {
          reject(error);
        }
      };
      if (delayMs > 0) this.#clock.setTimer(delayMs, answer);
      else this.#clock.defer(answer);
    });
  }

  /** @throws ENOSPC if `extra` more bytes do not fit. */
  ensureRoom(extra: number, path: string): void {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return;
    if (this.usedBytes + extra > this.capacityBytes) throw failure("ENOSPC", "write", path);
  }

  /** By the sizes of all files. */
  get usedBytes(): number {
    let used = 0;
    for (const directory of this.#directories.values()) for (const file of directory.files()) used += file.size;
    return used;
  }

  nowMs(): number {
    return this.#clock.wallMs();
  }
}

class MemoryHandle implements DiskFile {
  readonly path: string;
  readonly #disk: MemoryDisk;
  readonly #file: MemoryFile;

  constructor(disk: MemoryDisk, path: string, file: MemoryFile) {
    this.path = path;
    this.#disk = disk;
    this.#file = file;
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#disk.perform("write", this.path, () => {
      this.#disk.ensureRoom(Math.max(0, position + bytes.length - this.#file.size), this.path);
      this.#file.write(bytes, position);
      this.#file.modifiedMs = this.#disk.nowMs();
    });
  }

  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    await this.write(bytes, position);
    await this.datasync();
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#disk.perform("read", this.path, () => this.#file.read(target, position));
  }

  async datasync(): Promise<void> {
    const sync = this.#file.beginSync();
    try {
      await this.#disk.perform("datasync", this.path, () => this.#file.endSync(sync), this.#disk.syncDelayMs);
    } catch (error) {
      this.#file.failSync(sync);
      throw error;
    }
  }

  truncate(size: number): Promise<void> {
    return this.#disk.perform("truncate", this.path, () => this.#file.truncate(size));
  }

  size(): Promise<number> {
    return this.#disk.perform("stat", this.path, () => this.#file.size);
  }

  async close(): Promise<void> {}
}

function failure(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code, path });
}
