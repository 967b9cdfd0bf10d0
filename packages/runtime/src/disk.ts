/**
 * Files as storage needs them. Nothing written is certain to survive until `datasync` of its file has returned, and no
 * new, renamed or removed name until `syncDirectory` of its directory has.
 *
 * Errors carry Node.js's `code`: ENOENT, ENOSPC, EIO, EACCES, EROFS ... Paths are absolute or relative to the process.
 */
export const OpenMode = {
  /** An existing file, for reading. */
  read: "read",
  /** A new and empty file for reading and writing; what had the name before is emptied. */
  create: "create",
  /** An existing file, for reading and writing. */
  update: "update",
} as const;
export type OpenMode = (typeof OpenMode)[keyof typeof OpenMode];

export interface DiskFile {
  readonly path: string;
  /** Writes all of `bytes` at `position`; they must not change until it is done. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** As `write` and then `datasync` of what was written here, in one step where the platform has it. */
  writeDurably(bytes: Uint8Array, position: number): Promise<void>;
  /** Fills `target` from `position`; returns how many bytes there were, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Everything written to this file so far survives a power failure, once this is done. */
  datasync(): Promise<void>;
  /** Makes the file `size` bytes long: shorter, or longer with zeros that take no space. */
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

export interface FileInfo {
  kind: "file" | "directory";
  sizeBytes: number;
  /** Last change, milliseconds since 1970. */
  modifiedMs: number;
}

export interface DiskLock {
  release(): Promise<void>;
}

export interface Disk {
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** Names in a directory, in no particular order. */
  readDirectory(path: string): Promise<string[]>;
  /** Null when there is nothing at `path`. */
  stat(path: string): Promise<FileInfo | null>;
  /** Replaces what is at `to`. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes a directory and those above it; one that exists is left as it is. */
  makeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /**
   * Takes a directory for one process. The operating system gives it back when the process ends, however it ends.
   * @param holder what to tell others who want it, for example "vivarium server, port 2181".
   * @throws DirectoryLockedError when another process, or this one, already holds it.
   */
  lock(directory: string, holder: string): Promise<DiskLock>;
}

export class DirectoryLockedError extends Error {
  override readonly name = "DirectoryLockedError";
  readonly directory: string;
  /** Who has it, as far as is known: "process 4711: vivarium server, port 2181". */
  readonly holder: string;

  constructor(directory: string, holder: string) {
    super(
      `${directory} is in use by ${holder}. Two servers on one data directory would destroy it: stop the other one, or give this one a directory of its own.`,
    );
    this.directory = directory;
    this.holder = holder;
  }
}
