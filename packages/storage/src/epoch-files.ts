/**
 * The two promises of a member of an ensemble, each a decimal number in a file of the snapshot directory:
 * acceptedEpoch, the highest epoch it agreed to take part in, and currentEpoch, the epoch its history belongs to.
 * On disk first, in memory after.
 *
 * @see fact sheet "disk-format", section 5
 */
import { join } from "node:path";
import { type Zxid, zxidEpoch } from "@vivarium/protocol";
import type { Disk } from "@vivarium/runtime";
import { readSmallFile, writeFileAtomically } from "./atomic-file.ts";
import { StorageError } from "./storage-error.ts";

export class EpochFiles {
  readonly #disk: Disk;
  readonly #directory: string;
  #currentEpoch = 0;
  #acceptedEpoch = 0;
  /** Done when everything asked for so far is written, or has failed: one write at a time, in the order of asking. */
  #written: Promise<unknown> = Promise.resolve();

  /** @param directory the version-2 directory of dataDir */
  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  get currentEpoch(): number {
    return this.#currentEpoch;
  }

  get acceptedEpoch(): number {
    return this.#acceptedEpoch;
  }

  /** Reads both, makes those that are missing from the epoch of `lastZxid`, and checks that they can be true together. */
  async load(lastZxid: Zxid): Promise<void> {
    const lastEpoch = zxidEpoch(Math.max(lastZxid, 0));
    this.#currentEpoch = (await this.#read("currentEpoch")) ?? (await this.#write("currentEpoch", lastEpoch));
    this.#acceptedEpoch = (await this.#read("acceptedEpoch")) ?? (await this.#write("acceptedEpoch", lastEpoch));
    if (lastEpoch > this.#currentEpoch) await this.#catchUp(lastEpoch);
    if (this.#acceptedEpoch < this.#currentEpoch) {
      throw this.#error(
        "acceptedEpoch",
        `it says ${this.#acceptedEpoch}, less than currentEpoch ${this.#currentEpoch}`,
      );
    }
  }

  /**
   * The log is of an epoch that was never said to be current. Apache may have stopped between writing the new epoch and
   * giving the file its name. Or a synchronisation ended after its transactions were on disk and before the epoch was:
   * then the epoch was accepted, and the vote goes on naming the old one, as it must.
   */
  async #catchUp(lastEpoch: number): Promise<void> {
    const unfinished = await readSmallFile(this.#disk, join(this.#directory, "currentEpoch.tmp"));
    if (unfinished?.trimEnd() === String(lastEpoch)) return this.setCurrentEpoch(lastEpoch);
    if (lastEpoch <= this.#acceptedEpoch) return;
    const problem = `it says ${this.#currentEpoch}, but the log is of epoch ${lastEpoch}, and only ${this.#acceptedEpoch} was ever accepted`;
    throw this.#error("currentEpoch", problem);
  }

  /** Resolves once what was asked for is written, or has failed. */
  settled(): Promise<unknown> {
    return this.#written;
  }

  async setCurrentEpoch(epoch: number): Promise<void> {
    this.#currentEpoch = await this.#write("currentEpoch", epoch);
  }

  async setAcceptedEpoch(epoch: number): Promise<void> {
    this.#acceptedEpoch = await this.#write("acceptedEpoch", epoch);
  }

  async #read(name: string): Promise<number | null> {
    const text = await readSmallFile(this.#disk, join(this.#directory, name));
    if (text === null) return null;
    const line = text.split(/\r?\n/, 1)[0] as string;
    const epoch = Number(line);
    if (!/^[+-]?\d+$/.test(line) || !Number.isSafeInteger(epoch)) {
      throw this.#error(name, `a decimal number expected, not ${JSON.stringify(line)}`);
    }
    return epoch;
  }

  async #write(name: string, epoch: number): Promise<number> {
    const writing = this.#written.then(() =>
      writeFileAtomically(this.#disk, join(this.#directory, name), String(epoch)),
    );
    this.#written = writing.catch(() => {});
    await writing;
    return epoch;
  }

  #error(name: string, problem: string): StorageError {
    return new StorageError(
      join(this.#directory, name),
      problem,
      "This server's files do not belong together: empty its data directories and let it copy from the leader.",
    );
  }
}
