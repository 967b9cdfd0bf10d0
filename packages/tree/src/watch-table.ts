/**
 * The watches of one server, and who hears of what. Watches belong to a connection and live only here: they are not
 * replicated, not logged, and gone when the connection closes.
 *
 * There are two tables. *Data* watches (getData, exists, and both persistent kinds) hear that a node was created,
 * deleted or changed; *child* watches (getChildren, and persistent) hear that children came or went, or that the node
 * itself was deleted. Recursive watches are data watches only, so they never hear "children changed".
 *
 * Whether a watcher may read the node is for the watcher to decide: the event carries the ACL. A watch that was used
 * up by an event its watcher may not see stays used up.
 *
 * Source: client protocol facts, section 12. @see WatchManager, DataTree
 */
import { AddWatchMode, EventType, WatcherType } from "@vivarium/protocol";
import { type WatchEvent, type Watcher, WatchIndex, WatchMode } from "./watch-index.ts";

export class WatchTable {
  readonly data = new WatchIndex();
  readonly child = new WatchIndex();
  /** Hears how many watchers a change had, in each of the tables where it had any. */
  onWatched: ((type: EventType, watchers: number) => void) | undefined = undefined;

  /** True when nobody watches anything, so that a write need not even name its paths. */
  get isEmpty(): boolean {
    return this.data.size === 0 && this.child.size === 0;
  }

  get size(): number {
    return this.data.size + this.child.size;
  }

  /** The one-time watch of getData and exists. */
  addData(path: string, watcher: Watcher): void {
    this.data.add(path, watcher, WatchMode.STANDARD);
  }

  /** The one-time watch of getChildren. */
  addChild(path: string, watcher: Watcher): void {
    this.child.add(path, watcher, WatchMode.STANDARD);
  }

  /** The lasting watches of addWatch. */
  addPersistent(path: string, watcher: Watcher, mode: AddWatchMode): void {
    if (mode === AddWatchMode.PERSISTENT_RECURSIVE) {
      this.data.add(path, watcher, WatchMode.RECURSIVE);
    } else {
      this.data.add(path, watcher, WatchMode.PERSISTENT);
      this.child.add(path, watcher, WatchMode.PERSISTENT);
    }
  }

  /** Whether this watcher has a watch of that type on the path. */
  has(path: string, watcher: Watcher, type: WatcherType): boolean {
    const [data, child] = modesOf(type);
    return this.data.has(path, watcher, data) || this.child.has(path, watcher, child);
  }

  /** Takes those watches away without an event; false when there was none. */
  remove(path: string, watcher: Watcher, type: WatcherType): boolean {
    const [data, child] = modesOf(type);
    const fromData = this.data.remove(path, watcher, data);
    const fromChild = this.child.remove(path, watcher, child);
    return fromData || fromChild;
  }

  /** Forgets a watcher whose connection has closed. */
  removeWatcher(watcher: Watcher): void {
    this.data.removeWatcher(watcher);
    this.child.removeWatcher(watcher);
  }

  /**
   * Tells of one change: created, deleted, data changed, or children changed of the node at `path`.
   * `aclId` is that node's; of a deleted node, its last one. Returns the number of watchers told.
   */
  trigger(path: string, type: EventType, zxid: number, aclId: number): number {
    if (this.isEmpty) return 0;
    const name = named(path);
    const concerned = type === EventType.NodeChildrenChanged ? this.child.take(name) : this.data.take(name);
    this.#count(type, concerned);
    if (type === EventType.NodeDeleted) {
      const more = this.child.take(name);
      this.#count(type, more);
      addMissing(concerned, more);
    }
    if (concerned.length === 0) return 0;
    const event: WatchEvent = { type, path: name, zxid, aclId };
    for (const watcher of concerned) watcher.process(event);
    return concerned.length;
  }

  #count(type: EventType, { length }: readonly Watcher[]): void {
    if (length > 0) this.onWatched?.(type, length);
  }
}

/** The tree calls the root ""; clients know it as "/". Who watches "" waits for nothing, as in Apache. */
function named(path: string): string {
  return path === "" ? "/" : path;
}

/** A deleted node concerns both tables, but a watcher in both hears of it once. */
function addMissing(watchers: Watcher[], more: readonly Watcher[]): void {
  if (more.length === 0) return;
  const told = new Set(watchers);
  for (const watcher of more) if (!told.has(watcher)) watchers.push(watcher);
}

const NONE = 0 as WatchMode;
const BY_TYPE: Record<WatcherType, readonly [data: WatchMode, child: WatchMode]> = {
  [WatcherType.Children]: [NONE, WatchMode.STANDARD],
  [WatcherType.Data]: [WatchMode.STANDARD, NONE],
  [WatcherType.Any]: [WatchMode.ANY, WatchMode.ANY],
  [WatcherType.Persistent]: [WatchMode.PERSISTENT, WatchMode.PERSISTENT],
  [WatcherType.PersistentRecursive]: [WatchMode.RECURSIVE, NONE],
};

function modesOf(type: WatcherType): readonly [data: WatchMode, child: WatchMode] {
  return BY_TYPE[type];
}
