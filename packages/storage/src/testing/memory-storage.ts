/** A Storage on a MemoryDisk, with what it reported; the power can be taken away at any moment. */
import { dirname } from "node:path";
import { Reader } from "@vivarium/jute";
import { readTxn, type Zxid } from "@vivarium/protocol";
import { type Clock, MemoryDisk, SeededRandom, type Timer, VirtualClock } from "@vivarium/runtime";
import { type Recovered, Storage, type StorageConfig, type StorageError } from "../index.ts";
import { createEntry, type TestState, testStateBuilder } from "./test-state.ts";

export interface World {
  clock: VirtualClock;
  disk: MemoryDisk;
  random: SeededRandom;
  /** The one whose process runs now. */
  life: Life | null;
  settle<T>(promise: Promise<T>): Promise<T>;
}

export function makeWorld(seed = 1): World {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const disk = new MemoryDisk({ clock, random: random.fork("disk") });
  return { clock, disk, random, life: null, settle: (promise) => clock.runUntil(promise) };
}

/** A dead process does nothing any more that it has put off. */
class LifeClock implements Clock {
  isOver = false;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#clock.setTimer(delayMs, () => {
      if (!this.isOver) callback();
    });
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => {
      if (!this.isOver) callback();
    });
  }
}

export interface Life {
  storage: Storage;
  recovered: Recovered<TestState>;
  state: TestState;
  flushed: Zxid[];
  errors: StorageError[];
  warnings: string[];
  readonly clock: { isOver: boolean };
  /** Appends and applies createEntry(zxid). */
  write(zxid: Zxid, dataBytes?: number): void;
}

export const DATA_DIR = "/data";
export const VERSION_DIR = "/data/version-2";

/** One life of a server, the one before it being over: opens and recovers. Snapshots that are due are taken. */
export async function start(world: World, config: Partial<StorageConfig> = {}): Promise<Life> {
  if (world.life !== null) world.life.clock.isOver = true;
  const clock = new LifeClock(world.clock);
  const flushed: Zxid[] = [];
  const errors: StorageError[] = [];
  const warnings: string[] = [];
  const storage = await world.settle(
    Storage.open({
      disk: world.disk,
      clock,
      random: world.random,
      dataDir: DATA_DIR,
      holder: "the test's server",
      config: { preAllocSizeKb: 4, trustEmptySnapshot: true, ...config },
      onFlushed: (zxid) => flushed.push(zxid),
      onFatal: (error) => errors.push(error),
      onSnapshotDue: () => void storage.takeSnapshot(life.state.source()).catch((error) => errors.push(error)),
      onWarning: (message) => warnings.push(message),
    }),
  );
  const recovered = await world.settle(storage.recover(testStateBuilder));
  const { state } = recovered;
  const life: Life = {
    storage,
    recovered,
    state,
    flushed,
    errors,
    warnings,
    clock,
    write(zxid, dataBytes) {
      const entry = createEntry(zxid, dataBytes);
      storage.append(entry, zxid);
      state.apply(readTxn(new Reader(entry)));
    },
  };
  world.life = life;
  return life;
}

export async function contentOf(disk: MemoryDisk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, "read");
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  return bytes;
}

export async function putContent(disk: MemoryDisk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, "create");
  await file.write(bytes, 0);
  await file.datasync();
  await disk.syncDirectory(dirname(path));
}
