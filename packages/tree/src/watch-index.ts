/**
 * One table of watches: which watchers wait on which path, and how. Both ways round, so that a change finds the
 * watchers of a path and a closing connection finds its paths without a search.
 *
 * Invariants: a watcher is listed under a path exactly when its modes there are not zero; a path without watchers is
 * not listed. A path with one watcher, by far the most common, needs no set of its own: a million watches stay small.
 */

/** Someone who waits for events: the server's end of one connection. */
export interface Watcher {
  readonly id: number;
  process(event: WatchEvent): void;
}

export interface WatchEvent {
  /** One of EventType. */
  readonly type: number;
  readonly path: string;
  /** The transaction that fired it; -1 for events made up when a client re-arms its watches. */
  readonly zxid: number;
  /** The ACL that says who may hear of it; OPEN_ACL_ID when everyone may. */
  readonly aclId: number;
  /** The serialised event, kept here by the first watcher that needs it: the same bytes go to everyone. */
  packet?: Uint8Array;
}

/** How a watcher waits. Modes coexist on one path; an event takes away only STANDARD. */
export const WatchMode = { STANDARD: 1, PERSISTENT: 2, RECURSIVE: 4, ANY: 7 } as const;
export type WatchMode = (typeof WatchMode)[keyof typeof WatchMode];

export class WatchIndex {
  readonly #watchers = new Map<string, Watcher | Set<Watcher>>();
  readonly #modes = new Map<Watcher, Map<string, number>>();
  #watches = 0;
  #recursive = 0;

  /** Number of watches, counting a path and watcher once whatever the modes. */
  get size(): number {
    return this.#watches;
  }

  get pathCount(): number {
    return this.#watchers.size;
  }

  get watcherCount(): number {
    let count = 0;
    for (const paths of this.#modes.values()) if (paths.size > 0) count++;
    return count;
  }

  add(path: string, watcher: Watcher, mode: WatchMode): void {
    const paths = this.#pathsOf(watcher);
    const before = paths.get(path) ?? 0;
    const after = before | mode;
    if (after === before) return;
    paths.set(path, after);
    if (mode & WatchMode.RECURSIVE) this.#recursive++;
    if (before !== 0) return;
    this.#watches++;
    this.#list(path, watcher);
  }

  has(path: string, watcher: Watcher, mode: WatchMode): boolean {
    return ((this.#modes.get(watcher)?.get(path) ?? 0) & mode) !== 0;
  }

  /** Takes the modes away; false when the watcher had none of them. */
  remove(path: string, watcher: Watcher, mode: WatchMode): boolean {
    const paths = this.#modes.get(watcher);
    const before = paths?.get(path) ?? 0;
    if (paths === undefined || (before & mode) === 0) return false;
    if (before & mode & WatchMode.RECURSIVE) this.#recursive--;
    const after = before & ~mode;
    if (after !== 0) {
      paths.set(path, after);
    } else {
      paths.delete(path);
      this.#watches--;
      this.#unlist(path, watcher);
    }
    return true;
  }

  /** Forgets a watcher whose connection has closed. */
  removeWatcher(watcher: Watcher): void {
    const paths = this.#modes.get(watcher);
    if (paths === undefined) return;
    this.#modes.delete(watcher);
    this.#watches -= paths.size;
    for (const [path, modes] of paths) {
      if (modes & WatchMode.RECURSIVE) this.#recursive--;
      this.#unlist(path, watcher);
    }
  }

  /**
   * Takes out, each once, the watchers that an event on `path` concerns: all on the path itself, whose standard
   * watches are thereby used up, and the recursive ones above it.
   */
  take(path: string): Watcher[] {
    const taken: Watcher[] = [];
    this.#takeAt(path, taken);
    if (this.#recursive === 0) return taken;
    const seen = new Set(taken);
    for (let above = parentOf(path); above !== undefined; above = parentOf(above)) {
      for (const watcher of this.watchersOf(above)) {
        if (!seen.has(watcher) && this.has(above, watcher, WatchMode.RECURSIVE)) seen.add(watcher);
      }
    }
    return seen.size === taken.length ? taken : [...seen];
  }

  #takeAt(path: string, taken: Watcher[]): void {
    const watchers = this.#watchers.get(path);
    if (watchers === undefined) return;
    if (!(watchers instanceof Set)) {
      taken.push(watchers);
      this.remove(path, watchers, WatchMode.STANDARD);
      return;
    }
    // Nearly always they all go, so the set goes as a whole and not one by one.
    const staying: Watcher[] = [];
    for (const watcher of watchers) {
      taken.push(watcher);
      if (!this.#useUp(path, watcher)) staying.push(watcher);
    }
    if (staying.length === watchers.size) return;
    this.#watchers.delete(path);
    for (const watcher of staying) this.#list(path, watcher);
  }

  /** Takes the standard watch away, and leaves it to the caller to unlist the watcher: true if it has no other here. */
  #useUp(path: string, watcher: Watcher): boolean {
    const paths = this.#modes.get(watcher);
    const before = paths?.get(path) ?? 0;
    const after = before & ~WatchMode.STANDARD;
    if (after !== 0) {
      if (after !== before) paths?.set(path, after);
      return false;
    }
    paths?.delete(path);
    this.#watches--;
    return true;
  }

  watchersOf(path: string): Iterable<Watcher> {
    const watchers = this.#watchers.get(path);
    if (watchers === undefined) return NOBODY;
    return watchers instanceof Set ? watchers : [watchers];
  }

  /** Every watched path with its watchers. */
  *byPath(): Iterable<[path: string, watchers: Iterable<Watcher>]> {
    for (const path of this.#watchers.keys()) yield [path, this.watchersOf(path)];
  }

  /** Every watcher with its paths. */
  *byWatcher(): Iterable<[watcher: Watcher, paths: Iterable<string>]> {
    for (const [watcher, paths] of this.#modes) if (paths.size > 0) yield [watcher, paths.keys()];
  }

  #pathsOf(watcher: Watcher): Map<string, number> {
    let paths = this.#modes.get(watcher);
    if (paths === undefined) {
      paths = new Map();
      this.#modes.set(watcher, paths);
    }
    return paths;
  }

  #list(path: string, watcher: Watcher): void {
    const others = this.#watchers.get(path);
    if (others === undefined) this.#watchers.set(path, watcher);
    else if (others instanceof Set) others.add(watcher);
    else this.#watchers.set(path, new Set([others, watcher]));
  }

  #unlist(path: string, watcher: Watcher): void {
    const others = this.#watchers.get(path);
    if (others instanceof Set) {
      others.delete(watcher);
      if (others.size > 0) return;
    }
    this.#watchers.delete(path);
  }
}

const NOBODY: readonly Watcher[] = [];

function parentOf(path: string): string | undefined {
  if (path === "/") return undefined;
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}
