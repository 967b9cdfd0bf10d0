/**
 * What clients do, as small programs on one session: registers, counters, transfers, sequence numbers, ephemerals, locks.
 * Each awaits its calls within a bound, and none of them minds a failed call: the checkers judge afterwards.
 */
import { CreateMode } from "@vivarium/client";
import type { Dice } from "../world/dice.ts";
import type { Caller } from "./caller.ts";
import type { Holding, Operation } from "./history.ts";

export interface Actor {
  readonly caller: Caller;
  readonly dice: Dice;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Resolves at the next watch event, or after `ms`. */
  readonly watchOrSleep: (ms: number) => Promise<void>;
  /** The session cannot be gone on with: it is closed, and another one opened. */
  readonly abandonSession: () => Promise<void>;
  readonly held: (holding: Holding) => void;
  /** A follower that has lost its leader answers clients for so long, in milliseconds, while their sessions may expire. */
  readonly leaderLagMs: number;
}

export type Action = (actor: Actor) => Promise<unknown>;

const REGISTERS = "/reg";
export const KEYS = ["/reg/k0", "/reg/k1", "/reg/k2", "/reg/k3"];
export const COUNTERS = ["/ctr/c0", "/ctr/c1"];
export const ACCOUNTS = ["/bank/a0", "/bank/a1", "/bank/a2"];
export const FIRST_BALANCE = 100;
export const DIRECTORIES = ["/reg", "/ctr", "/bank", "/seq", "/eph", "/lock"];
const SEQUENCES = "/seq/n-";
const EPHEMERALS = "/eph";
const LOCKS = "/lock";

/** Makes what the actions work on, so many nodes at once; true once all of it is there. */
export async function prepare({ caller }: Actor, atOnce: number): Promise<boolean> {
  const wanted = [
    ...DIRECTORIES.map((path) => ({ path, value: "" })),
    ...COUNTERS.map((path) => ({ path, value: "0" })),
    ...ACCOUNTS.map((path) => ({ path, value: String(FIRST_BALANCE) })),
  ];
  for (let from = 0; from < wanted.length; from += atOnce) {
    const some = wanted.slice(from, from + atOnce);
    const before = await Promise.all(some.map(({ path }) => caller.exists(path)));
    const missing = some.filter((_, at) => before[at]?.outcome === "ok" && before[at]?.stat === null);
    await Promise.all(missing.map(({ path, value }) => caller.create(path, { value })));
    const after = await Promise.all(some.map(({ path }) => caller.exists(path)));
    if (after.some(({ stat }) => stat === null)) return false;
  }
  return true;
}

const writeKey: Action = async ({ caller, dice }) => {
  const path = dice.pick(KEYS);
  const value = dice.chance(0.1) ? "x".repeat(dice.between(500, 3000)) : "";
  const choice = dice.int(10);
  if (choice < 2) return caller.create(path, { value });
  if (choice < 3) return caller.delete(path);
  if (choice < 4) return caller.delete(path, { version: dice.int(4) });
  return caller.setData(path, { value });
};

const readKey: Action = async ({ caller, dice }) => {
  const path = dice.pick(KEYS);
  const watch = dice.chance(0.3);
  return dice.chance(0.7) ? caller.getData(path, { watch }) : caller.exists(path, { watch });
};

const compareAndSet: Action = async ({ caller, dice }) => {
  const path = dice.pick(KEYS);
  const read = await caller.getData(path);
  if (read.stat !== null) await caller.setData(path, { version: read.stat.version });
};

const readAfterSync: Action = async ({ caller, dice }) => {
  const [, read] = await Promise.all([caller.sync(), caller.getData(dice.pick(KEYS))]);
  return read;
};

/** Many calls at once: they must be done, and answered, in this order. */
const pipeline: Action = async (actor) => {
  const calls: Promise<unknown>[] = [];
  for (let left = actor.dice.between(2, 12); left > 0; left--) {
    calls.push(actor.dice.pick([writeKey, readKey, addToSequence, listSequence])(actor));
  }
  await Promise.all(calls);
};

export function numberIn(data: string): number {
  return Number.parseInt(data, 10);
}

const count: Action = async ({ caller, dice }) => {
  const path = dice.pick(COUNTERS);
  const read = await caller.getData(path);
  if (read.stat === null) return;
  await caller.setData(path, { value: String(numberIn(read.found) + 1), version: read.stat.version });
};

const transfer: Action = async ({ caller, dice }) => {
  const from = dice.pick(ACCOUNTS);
  const to = dice.pick(ACCOUNTS.filter((path) => path !== from));
  const [source, target] = await Promise.all([caller.getData(from), caller.getData(to)]);
  if (source.stat === null || target.stat === null) return;
  const amount = dice.between(1, 10);
  const part = (read: Operation, change: number) => ({
    kind: "setData" as const,
    path: read.path,
    data: String(numberIn(read.found) + change),
    version: read.stat?.version ?? -1,
  });
  const parts = [part(source, -amount), part(target, amount)];
  // Now and then one that must fail as a whole.
  if (dice.chance(0.1)) parts.push({ ...part(source, 0), version: 1_000_000 });
  await caller.multi(parts);
};

const audit: Action = ({ caller }) => caller.multiRead(ACCOUNTS);

const addToSequence: Action = ({ caller }) => caller.create(SEQUENCES, { mode: CreateMode.PERSISTENT_SEQUENTIAL });

const listSequence: Action = ({ caller, dice }) => caller.getChildren("/seq", { watch: dice.chance(0.2) });

const trimSequence: Action = async ({ caller, dice }) => {
  const { children } = await caller.getChildren("/seq");
  const oldest = children.slice(0, 3);
  if (children.length > 10 && oldest.length > 0) await caller.delete(`/seq/${dice.pick(oldest)}`);
};

const ephemeral: Action = async ({ caller, dice }) => {
  const path = `${EPHEMERALS}/e${dice.int(6)}`;
  if (dice.chance(0.6)) return caller.create(path, { mode: CreateMode.EPHEMERAL });
  if (dice.chance(0.5)) return caller.exists(path, { watch: true });
  return caller.delete(path);
};

const listEphemerals: Action = ({ caller, dice }) => caller.getChildren(EPHEMERALS, { watch: dice.chance(0.3) });

const LOCK_ROUNDS = 4;
const LOCK_WAIT_MS = 1500;
/** Clocks of clients and servers may differ by so much of a time. */
const CLOCK_TOLERANCE = 0.01;

/** The lock recipe: the lowest ephemeral sequential node holds it, everybody else watches the one before. */
const lock: Action = async (actor) => {
  const { caller, dice } = actor;
  const made = await caller.create(`${LOCKS}/l-`, { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
  // Perhaps there is a node of ours now that nobody would ever release.
  if (made.outcome === "unknown") return actor.abandonSession();
  if (made.outcome !== "ok") return;
  const own = made.createdPath.slice(LOCKS.length + 1);
  for (let round = 0; round < LOCK_ROUNDS; round++) {
    const remainingMs = caller.session.remainingMs();
    const list = await caller.getChildren(LOCKS);
    if (list.outcome !== "ok" || !list.children.includes(own)) break;
    const before = list.children[list.children.indexOf(own) - 1];
    if (before === undefined) {
      await hold(actor, made.createdPath, remainingMs);
      break;
    }
    const watched = await caller.exists(`${LOCKS}/${before}`, { watch: true });
    if (watched.stat !== null) await actor.watchOrSleep(dice.ms(LOCK_WAIT_MS / 2, LOCK_WAIT_MS));
  }
  const released = await caller.delete(made.createdPath);
  if (released.outcome === "unknown" || released.outcome === "unsent") await actor.abandonSession();
};

/** `remainingMs`: for how long the session was safe when the lock was looked for. */
async function hold(actor: Actor, path: string, remainingMs: number): Promise<void> {
  const { caller, dice, nowMs } = actor;
  const fromMs = nowMs();
  const safeUntilMs =
    fromMs + Math.min(remainingMs, caller.session.remainingMs()) * (1 - CLOCK_TOLERANCE) - actor.leaderLagMs;
  await actor.sleep(dice.ms(0, 30));
  actor.held({ session: caller.session.name, path, fromMs, toMs: Math.min(nowMs(), safeUntilMs) });
}

/** Watches the registers for a while, reading and writing meanwhile. */
const watchSubtree: Action = async (actor) => {
  const watch = await actor.caller.watchSubtree(REGISTERS);
  if (watch === null) return;
  for (let left = actor.dice.between(1, 6); left > 0; left--) await actor.dice.pick([writeKey, readKey])(actor);
  await watch.close();
};

const leave: Action = ({ abandonSession }) => abandonSession();

/** Every action, and how often it is done where all are. */
export const ACTIONS: Readonly<Record<string, { readonly action: Action; readonly weight: number }>> = {
  writeKey: { action: writeKey, weight: 20 },
  readKey: { action: readKey, weight: 20 },
  compareAndSet: { action: compareAndSet, weight: 8 },
  readAfterSync: { action: readAfterSync, weight: 6 },
  pipeline: { action: pipeline, weight: 5 },
  count: { action: count, weight: 8 },
  transfer: { action: transfer, weight: 8 },
  audit: { action: audit, weight: 4 },
  addToSequence: { action: addToSequence, weight: 6 },
  listSequence: { action: listSequence, weight: 3 },
  trimSequence: { action: trimSequence, weight: 4 },
  ephemeral: { action: ephemeral, weight: 8 },
  listEphemerals: { action: listEphemerals, weight: 3 },
  lock: { action: lock, weight: 6 },
  watchSubtree: { action: watchSubtree, weight: 3 },
  leave: { action: leave, weight: 1 },
};

/** Reads everything once more, after a sync: what a client must be able to do when the world is whole again. */
export async function lookAround({ caller }: Actor): Promise<boolean> {
  const calls = [caller.sync()];
  for (const path of [...KEYS, ...COUNTERS, ...ACCOUNTS]) calls.push(caller.getData(path));
  for (const path of DIRECTORIES) calls.push(caller.getChildren(path));
  const results = await Promise.all(calls);
  return results.every(({ outcome }) => outcome === "ok" || outcome === "refused");
}
