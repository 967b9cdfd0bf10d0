/**
 * What servers ask of the outside world, counted on its way: the ports of a server, each with a counter in front of it.
 * What stands behind them (memory, a turn loop) is not counted.
 */
import type { Clock, Disk, DiskFile, OpenMode, Timer } from "@vivarium/runtime";

export class Counts {
  /** Writes to sockets, of clients and of other servers. */
  socketWrites = 0;
  socketBytes = 0;
  /** Writes to files and changes of their size. */
  diskWrites = 0;
  diskBytes = 0;
  diskSyncs = 0;
  /** Timers set. */
  timers = 0;
  /** Calls to be made in a later turn of the event loop. */
  deferred = 0;
  /** Turns of the event loop until everything was answered. */
  turns = 0;
}
export type CountName = keyof Counts;

export class CountedClock implements Clock {
  readonly #clock: Clock;
  readonly #counts: Counts;

  constructor(clock: Clock, counts: Counts) {
    this.#clock = clock;
    this.#counts = counts;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.#counts.timers++;
    return this.#clock.setTimer(delayMs, callback);
  }

  defer(callback: () => void): void {
    this.#counts.deferred++;
    this.#clock.defer(callback);
  }
}

/** What is written to a transaction log is counted and forgotten: nobody reads it, and it would fill the memory. */
export function countedDisk({ disk, clock, counts }: { disk: Disk; clock: Clock; counts: Counts }): Disk {
  const open = async (path: string, mode: OpenMode): Promise<DiskFile> => {
    const forgets = mode === "create" && /\/log\.[0-9a-f]+$/.test(path);
    const file = forgets ? new ForgetfulFile(path, clock) : await disk.open(path, mode);
    return countedFile(file, counts);
  };
  return {
    open,
    readDirectory: (path) => disk.readDirectory(path),
    stat: (path) => disk.stat(path),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    lock: (directory, holder) => disk.lock(directory, holder),
  };
}

function countedFile(file: DiskFile, counts: Counts): DiskFile {
  const written = (bytes: Uint8Array): void => {
    counts.diskWrites++;
    counts.diskBytes += bytes.length;
  };
  return {
    path: file.path,
    write(bytes, position) {
      written(bytes);
      return file.write(bytes, position);
    },
    writeDurably(bytes, position) {
      written(bytes);
      counts.diskSyncs++;
      return file.writeDurably(bytes, position);
    },
    datasync() {
      counts.diskSyncs++;
      return file.datasync();
    },
    truncate(size) {
      counts.diskWrites++;
      return file.truncate(size);
    },
    read: (target, position) => file.read(target, position),
    size: () => file.size(),
    close: () => file.close(),
  };
}

/** Takes everything, keeps nothing, and says so one turn later. */
class ForgetfulFile implements DiskFile {
  readonly path: string;
  readonly #clock: Clock;
  #size = 0;

  constructor(path: string, clock: Clock) {
    this.path = path;
    this.#clock = clock;
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    this.#size = Math.max(this.#size, position + bytes.length);
    return this.datasync();
  }

  writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    return this.write(bytes, position);
  }

  datasync(): Promise<void> {
    return new Promise((resolve) => this.#clock.defer(resolve));
  }

  async read(): Promise<number> {
    throw new Error(`${this.path} was not kept`);
  }

  async truncate(size: number): Promise<void> {
    this.#size = size;
  }

  async size(): Promise<number> {
    return this.#size;
  }

  async close(): Promise<void> {}
}
