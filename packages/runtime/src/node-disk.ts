/** Files by node:fs. Every call runs in Node's thread pool, so that a slow disk never holds up the event loop. */
import fs from "node:fs";
import { mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Disk, DiskFile, DiskLock, FileInfo, OpenMode } from "./disk.ts";
import { lockDirectory } from "./node-directory-lock.ts";

const FLAGS: Record<OpenMode, string> = { read: "r", create: "w+", update: "r+" };

export class NodeDisk implements Disk {
  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return new Promise((resolve, reject) => {
      fs.open(path, FLAGS[mode], (error, fd) => (error === null ? resolve(new NodeFile(path, fd)) : reject(error)));
    });
  }

  readDirectory(path: string): Promise<string[]> {
    return readdir(path);
  }

  async stat(path: string): Promise<FileInfo | null> {
    try {
      const found = await stat(path);
      return {
        kind: found.isDirectory() ? "directory" : "file",
        sizeBytes: found.size,
        modifiedMs: Math.floor(found.mtimeMs),
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  rename(from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  unlink(path: string): Promise<void> {
    return unlink(path);
  }

  async makeDirectory(path: string): Promise<void> {
    // One level at a time: Node's own recursion never ends where directories cannot be made, as under /proc.
    try {
      await mkdir(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST" && (await this.stat(path))?.kind === "directory") return;
      const parent = dirname(path);
      if (code !== "ENOENT" || parent === path || (await this.stat(parent)) !== null) throw error;
      await this.makeDirectory(parent);
      await mkdir(path);
    }
  }

  async syncDirectory(path: string): Promise<void> {
    // Windows keeps names safe by itself and cannot open a directory for this.
    if (process.platform === "win32") return;
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  lock(directory: string, holder: string): Promise<DiskLock> {
    return lockDirectory(directory, holder);
  }
}

interface Writing {
  readonly fd: number;
  readonly bytes: Uint8Array;
  readonly position: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** On bare descriptors: the log calls write and datasync thousands of times a second, and FileHandle costs more. */
class NodeFile implements DiskFile {
  readonly path: string;
  readonly #fd: number;
  /** A second descriptor, on which every write is durable by itself: one trip to the disk instead of two. */
  #durableFd: number | null = null;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#writeTo(this.#fd, bytes, position);
  }

  async writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    const { O_DSYNC, O_WRONLY } = fs.constants;
    if (O_DSYNC === undefined) {
      await this.write(bytes, position);
      return this.datasync();
    }
    this.#durableFd ??= await this.#open(O_WRONLY | O_DSYNC);
    return this.#writeTo(this.#durableFd, bytes, position);
  }

  #open(flags: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.open(this.path, flags, (error, fd) => (error === null ? resolve(fd) : reject(error)));
    });
  }

  #writeTo(fd: number, bytes: Uint8Array, position: number): Promise<void> {
    return new Promise((resolve, reject) => this.#writeFrom({ fd, bytes, position, resolve, reject }, 0));
  }

  /** The operating system may take less than everything in one go. */
  #writeFrom(work: Writing, from: number): void {
    const { fd, bytes, position, resolve, reject } = work;
    const left = bytes.length - from;
    fs.write(fd, bytes, from, left, position + from, (error, written) => {
      if (error !== null) reject(error);
      else if (written === left) resolve();
      else this.#writeFrom(work, from + written);
    });
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const count = await this.#readOnce(target, filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  #readOnce(target: Uint8Array, from: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, from, target.length - from, position, (error, count) =>
        error === null ? resolve(count) : reject(error),
      );
    });
  }

  datasync(): Promise<void> {
    return this.#done((callback) => fs.fdatasync(this.#fd, callback));
  }

  truncate(size: number): Promise<void> {
    return this.#done((callback) => fs.ftruncate(this.#fd, size, callback));
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#fd, (error, found) => (error === null ? resolve(found.size) : reject(error)));
    });
  }

  async close(): Promise<void> {
    const durableFd = this.#durableFd;
    if (durableFd !== null) await this.#done((callback) => fs.close(durableFd, callback));
    return this.#done((callback) => fs.close(this.#fd, callback));
  }

  #done(call: (callback: (error: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      call((error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
  }
}
