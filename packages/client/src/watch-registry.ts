/**
 * Which watches this session has set, by the paths the server knows, and whom each event concerns.
 *
 * One-shot watches (data, exist, child) go with the first event; persistent ones stay. The server keeps watches per
 * connection, so after every reconnect `rearm` says all of them again.
 * @see ZKWatchManager, DataTree.setWatches
 */
import { AddWatchMode, type Stat } from "@vivarium/protocol";
import type { NodeEvent } from "./watch-event.ts";

/** One who waits for events; `deliver` must not throw. */
export interface Watcher {
  deliver(event: NodeEvent["type"], path: string, zxid: number | null): void;
  /** The session ended for good. */
  lose(path: string, reason: "expired" | "authFailed" | "closed"): void;
}

/** A watcher that stays. */
export interface PersistentWatcher extends Watcher {
  /** The server's path. */
  readonly fullPath: string;
  readonly recursive: boolean;
  /** Since that zxid events may have passed it by; undefined while it is set on a live connection. */
  missedSince: number | undefined;
  /** Events after `sinceZxid` may be missing, and nobody knows which. */
  missed(sinceZxid: number, reason: "reconnected" | "newSession"): void;
  /** The node as it is after the gap: null when it does not exist. */
  found(stat: Stat | null, sinceZxid: number): void;
}

type Table<W> = Map<string, Set<W>>;

/** The lists of a setWatches request. */
export interface RearmLists {
  data: string[];
  exist: string[];
  child: string[];
  persistent: string[];
  recursive: string[];
}

export class WatchRegistry {
  readonly #data: Table<Watcher> = new Map();
  readonly #exist: Table<Watcher> = new Map();
  readonly #child: Table<Watcher> = new Map();
  readonly #persistent: Table<PersistentWatcher> = new Map();
  readonly #recursive: Table<PersistentWatcher> = new Map();
  /** Persistent watches asked for and not yet answered: their paths must not be taken off the server. */
  readonly #asked = new Set<PersistentWatcher>();

  /** `kind` is what the read that set it was: getData or a successful exists, a failed exists, getChildren. */
  addOneShot(kind: "data" | "exist" | "child", path: string, watcher: Watcher): void {
    const table = kind === "data" ? this.#data : kind === "exist" ? this.#exist : this.#child;
    add(table, path, watcher);
  }

  ask(watcher: PersistentWatcher): void {
    this.#asked.add(watcher);
  }

  /** It was refused, or its call given up. */
  unask(watcher: PersistentWatcher): void {
    this.#asked.delete(watcher);
  }

  addPersistent(watcher: PersistentWatcher): void {
    this.#asked.delete(watcher);
    add(watcher.recursive ? this.#recursive : this.#persistent, watcher.fullPath, watcher);
  }

  /** True when it was the last of its kind on its path, so that the server may forget it too. */
  removePersistent(watcher: PersistentWatcher): boolean {
    const table = watcher.recursive ? this.#recursive : this.#persistent;
    if (!remove(table, watcher.fullPath, watcher) || table.has(watcher.fullPath)) return false;
    for (const { fullPath, recursive } of this.#asked) {
      if (fullPath === watcher.fullPath && recursive === watcher.recursive) return false;
    }
    return true;
  }

  /** Forgets what is set on exactly this path; persistent watches only with "any". */
  removeAll(path: string, kind: "data" | "children" | "any"): void {
    if (kind !== "children") {
      this.#data.delete(path);
      this.#exist.delete(path);
    }
    if (kind !== "data") this.#child.delete(path);
    if (kind !== "any") return;
    const persistent = [...(this.#persistent.get(path) ?? []), ...(this.#recursive.get(path) ?? [])];
    this.#persistent.delete(path);
    this.#recursive.delete(path);
    for (const watcher of persistent) watcher.lose(path, "closed");
  }

  /** True when any watch of any kind is set on exactly this path. */
  watches(path: string): boolean {
    return (
      this.#data.has(path) ||
      this.#exist.has(path) ||
      this.#child.has(path) ||
      this.#persistent.has(path) ||
      this.#recursive.has(path)
    );
  }

  get size(): number {
    return sizeOf(this.#data) + sizeOf(this.#exist) + sizeOf(this.#child) + this.persistentWatchers().length;
  }

  /** Tells everyone whom an event concerns; each at most once. */
  dispatch(type: NodeEvent["type"], path: string, zxid: number | null): void {
    const told = new Set<Watcher>();
    if (type === "childrenChanged") {
      take(this.#child, path, told);
    } else {
      take(this.#data, path, told);
      take(this.#exist, path, told);
      if (type === "deleted") take(this.#child, path, told);
    }
    for (const watcher of this.#persistent.get(path) ?? []) told.add(watcher);
    if (type !== "childrenChanged" && this.#recursive.size > 0) this.#addRecursive(path, told);
    for (const watcher of told) watcher.deliver(type, path, zxid);
  }

  /** A recursive watch concerns its node and everything below. */
  #addRecursive(path: string, told: Set<Watcher>): void {
    for (let ancestor = path; ; ancestor = ancestor.slice(0, ancestor.lastIndexOf("/")) || "/") {
      for (const watcher of this.#recursive.get(ancestor) ?? []) told.add(watcher);
      if (ancestor === "/") return;
    }
  }

  rearm(): RearmLists {
    return {
      data: [...this.#data.keys()],
      exist: [...this.#exist.keys()],
      child: [...this.#child.keys()],
      persistent: [...this.#persistent.keys()],
      recursive: [...this.#recursive.keys()],
    };
  }

  persistentWatchers(): PersistentWatcher[] {
    return [...this.#persistent.values(), ...this.#recursive.values()].flatMap((set) => [...set]);
  }

  /** The session ended for good: everyone is told, and forgotten. */
  lose(reason: "expired" | "authFailed" | "closed"): void {
    const paths = new Map<Watcher, string>();
    for (const table of [this.#data, this.#exist, this.#child, this.#persistent, this.#recursive]) {
      for (const [path, watchers] of table) for (const watcher of watchers) paths.set(watcher, path);
      table.clear();
    }
    for (const [watcher, path] of paths) watcher.lose(path, reason);
  }
}

export function addWatchMode(recursive: boolean): AddWatchMode {
  return recursive ? AddWatchMode.PERSISTENT_RECURSIVE : AddWatchMode.PERSISTENT;
}

function add<W>(table: Table<W>, path: string, watcher: W): void {
  const watchers = table.get(path);
  if (watchers === undefined) table.set(path, new Set([watcher]));
  else watchers.add(watcher);
}

function remove<W>(table: Table<W>, path: string, watcher: W): boolean {
  const watchers = table.get(path);
  if (watchers === undefined || !watchers.delete(watcher)) return false;
  if (watchers.size === 0) table.delete(path);
  return true;
}

function take(table: Table<Watcher>, path: string, into: Set<Watcher>): void {
  const watchers = table.get(path);
  if (watchers === undefined) return;
  for (const watcher of watchers) into.add(watcher);
  table.delete(path);
}

function sizeOf(table: Table<Watcher>): number {
  let size = 0;
  for (const watchers of table.values()) size += watchers.size;
  return size;
}
