/**
 * One process per data directory, held by the operating system so that a killed process leaves no lock behind.
 *
 * Node.js offers no flock. Linux: a listening socket in the abstract namespace, named after the directory's identity
 * (device, inode, birth), which needs no file and vanishes with the process; it is known within one network namespace.
 * macOS and Windows: the lock file is opened with the exclusive flag that libuv passes on. In both cases the file
 * vivarium.lock only says who has the directory; Apache ZooKeeper does not look at it.
 */
import fs from "node:fs";
import { open, readFile, stat, unlink, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { DirectoryLockedError, type DiskLock } from "./disk.ts";

export const LOCK_FILE = "vivarium.lock";

/** O_EXLOCK of macOS's fcntl.h with O_NONBLOCK, and UV_FS_O_EXLOCK of libuv for Windows. */
const EXCLUSIVE: Partial<Record<NodeJS.Platform, number>> = {
  darwin: 0x20 | 0x4,
  freebsd: 0x20 | 0x4,
  win32: 0x1000_0000,
};

export async function lockDirectory(directory: string, holder: string): Promise<DiskLock> {
  const file = path.join(directory, LOCK_FILE);
  const text = `process ${process.pid}: ${holder}`;
  const exclusive = EXCLUSIVE[process.platform];
  try {
    return exclusive === undefined
      ? await lockBySocket(directory, file, text)
      : await lockByFlag(file, exclusive, text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE" && code !== "EAGAIN" && code !== "EWOULDBLOCK" && code !== "EBUSY") throw error;
    const other = await readFile(file, "utf8").catch(() => "");
    throw new DirectoryLockedError(directory, other.trim() || "another process");
  }
}

async function lockBySocket(directory: string, file: string, text: string): Promise<DiskLock> {
  const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
  const server = net.createServer((socket) => socket.end(text));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // Exclusive: otherwise the workers of a node:cluster would share one socket.
    server.listen({ path: `\0vivarium/${dev}/${ino}/${birthtimeNs}`, exclusive: true }, resolve);
  });
  server.unref();
  try {
    await writeFile(file, `${text}\n`);
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    async release() {
      await unlink(file).catch(() => {});
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function lockByFlag(file: string, exclusive: number, text: string): Promise<DiskLock> {
  const handle = await open(file, fs.constants.O_RDWR | fs.constants.O_CREAT | exclusive);
  await handle.truncate(0);
  await handle.write(`${text}\n`, 0);
  return {
    async release() {
      await handle.close();
    },
  };
}
