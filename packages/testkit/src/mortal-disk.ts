/**
 * The files of one server's life. When the server is killed, no operation answers any more, files are closed and locks
 * released; what was under way is waited for, so that it cannot disturb the next life.
 */
import type { Disk, DiskFile, DiskLock, FileInfo, OpenMode } from "@vivarium/runtime";

export class MortalDisk implements Disk {
  readonly #disk: Disk;
  readonly #open = new Set<{ close(): Promise<void> }>();
  readonly #underWay = new Set<Promise<unknown>>();
  #isOver = false;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled([...this.#underWay]);
    await Promise.allSettled([...this.#open].map((each) => each.close()));
    this.#open.clear();
  }

  #answer<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isOver) return new Promise(() => {});
    const outcome = work();
    this.#underWay.add(outcome);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#underWay.delete(outcome);
        if (!this.#isOver) act();
      };
      outcome.then(
        (value) => settle(() => resolve(value)),
        (error: Error) => settle(() => reject(error)),
      );
    });
  }

  open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.#answer(async () => {
      const file = await this.#disk.open(path, mode);
      this.#open.add(file);
      return {
        path,
        write: (bytes, position) => this.#answer(() => file.write(bytes, position)),
        writeDurably: (bytes, position) => this.#answer(() => file.writeDurably(bytes, position)),
        read: (target, position) => this.#answer(() => file.read(target, position)),
        datasync: () => this.#answer(() => file.datasync()),
        truncate: (size) => this.#answer(() => file.truncate(size)),
        size: () => this.#answer(() => file.size()),
        close: () => this.#close(file),
      };
    });
  }

  #close(file: DiskFile): Promise<void> {
    this.#open.delete(file);
    return this.#answer(() => file.close());
  }

  lock(directory: string, holder: string): Promise<DiskLock> {
    return this.#answer(async () => {
      const lock = await this.#disk.lock(directory, holder);
      const held = { close: () => lock.release() };
      this.#open.add(held);
      return {
        release: () => {
          this.#open.delete(held);
          return this.#answer(() => lock.release());
        },
      };
    });
  }

  readDirectory(path: string): Promise<string[]> {
    return this.#answer(() => this.#disk.readDirectory(path));
  }

  stat(path: string): Promise<FileInfo | null> {
    return this.#answer(() => this.#disk.stat(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#answer(() => this.#disk.rename(from, to));
  }

  unlink(path: string): Promise<void> {
    return this.#answer(() => this.#disk.unlink(path));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#answer(() => this.#disk.makeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#answer(() => this.#disk.syncDirectory(path));
  }
}
