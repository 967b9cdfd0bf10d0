/**
 * Chooses the moment of each SIGKILL: at any time, just after a new log or snapshot file was begun, or while the server
 * is still recovering from the last one.
 */
import { type FSWatcher, watch } from "node:fs";
import type { SeededRandom } from "@vivarium/runtime";

export type KillMoment = "any time" | "snapshot" | "log roll" | "recovery";

/** Files whose appearance marks a moment. */
const patterns = { snapshot: /^snapshot\./, "log roll": /^log\./ } as const;
/** How long to wait for such a file before killing anyway, in rounds' worth of time. */
const PATIENCE = 4;
/** A snapshot of a small tree takes a few milliseconds: the kill comes within so many of its beginning. */
const SPREAD_MS = 4;

export function chooseMoment(random: SeededRandom): KillMoment {
  const draw = random.int(10);
  if (draw < 4) return "any time";
  if (draw < 7) return "snapshot";
  return draw < 9 ? "log roll" : "recovery";
}

export interface KillOptions {
  readonly moment: KillMoment;
  readonly random: SeededRandom;
  /** The version-2 directory. */
  readonly directory: string;
  /** Longest time to a kill at any time. */
  readonly withinMs: number;
}

/** Resolves when it is time; with false if the file waited for did not come. */
export async function killTime({ moment, random, directory, withinMs }: KillOptions): Promise<boolean> {
  if (moment === "any time" || moment === "recovery") {
    await delay(random.int(withinMs));
    return true;
  }
  let watcher: FSWatcher | undefined;
  const appeared = new Promise<boolean>((resolve) => {
    watcher = watch(directory, (event, name) => {
      if (event === "rename" && name !== null && patterns[moment].test(name)) resolve(true);
    });
  });
  const came = await Promise.race([appeared, delay(withinMs * PATIENCE).then(() => false)]);
  watcher?.close();
  if (came) await delay(random.int(SPREAD_MS + 1));
  return came;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => (ms === 0 ? setImmediate(resolve) : setTimeout(resolve, ms)));
}
