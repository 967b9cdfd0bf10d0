/**
 * The disk did not do what it must, or a file is not what it must be. The server that gets one stops: what it has in
 * memory can no longer be trusted to be on disk. The message names the file, what is wrong and what to do.
 */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly file: string;

  constructor(file: string, problem: string, advice: string, cause?: unknown) {
    super(`${file}: ${problem}. ${advice}`, cause === undefined ? undefined : { cause });
    this.file = file;
  }
}

const ADVICE_BY_CODE: Record<string, string> = {
  ENOSPC: "Free some space on this disk, then start the server again",
  EFBIG: "Raise the limit on the size of files (ulimit -f) of the server's user, then start the server again",
  EDQUOT: "Raise the disk quota of the server's user, then start the server again",
  EIO: "The disk reports a hardware error: check it (dmesg, smartctl), and restore from another server if it is failing",
  EACCES: "Give the server's user the right to read and write this path",
  EPERM: "Give the server's user the right to read and write this path",
  EROFS: "This file system is mounted read-only: mount it for writing, or set dataDir and dataLogDir elsewhere",
  EMFILE: "Raise the limit of open files (ulimit -n)",
  ENFILE: "Raise the system's limit of open files",
  ENOENT: "Check that its directory exists and can hold it; nothing else may move or delete files of a running server",
};

/** Says what an error of the operating system means for the operator; a StorageError stays what it is. */
export function storageErrorFrom(error: unknown, file: string, doing: string): StorageError {
  if (error instanceof StorageError) return error;
  const { code = "", message } = error as { code?: string; message: string };
  const advice = ADVICE_BY_CODE[code] ?? "Check this path and its disk, then start the server again";
  return new StorageError(file, `${doing} failed: ${message}`, `${advice}.`.replace(/\.\.$/, "."), error);
}
