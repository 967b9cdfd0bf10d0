/**
 * What the consumer of watches holds. A `Watch` is a persistent one: an async iterable (or a listener) that is removed,
 * at the server too, when its consumer leaves. A one-shot watch is only a listener.
 */
import type { Stat } from "@vivarium/protocol";
import { Fifo } from "./fifo.ts";
import { withoutChroot } from "./operations.ts";
import type { GapEvent, LostEvent, NodeEvent, WatchEvent, WatchListener } from "./watch-event.ts";
import type { PersistentWatcher, Watcher } from "./watch-registry.ts";

export class OneShotWatch implements Watcher {
  readonly #listener: WatchListener;
  readonly #chrootLength: number;

  constructor(listener: WatchListener, chrootLength: number) {
    this.#listener = listener;
    this.#chrootLength = chrootLength;
  }

  deliver(type: NodeEvent["type"], path: string, zxid: number | null): void {
    callListener(this.#listener, { type, path: withoutChroot(path, this.#chrootLength), zxid });
  }

  lose(path: string, reason: LostEvent["reason"]): void {
    callListener(this.#listener, { type: "lost", path: withoutChroot(path, this.#chrootLength), zxid: null, reason });
  }
}

/** A listener that throws must not break the session: its error surfaces as an uncaught one. */
function callListener(listener: WatchListener, event: WatchEvent | LostEvent): void {
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export interface WatchSettings {
  /** The server's path. */
  fullPath: string;
  chrootLength: number;
  recursive: boolean;
  /** Events kept for a slow consumer before they are replaced by one `gap`. */
  maxQueuedEvents: number;
  listener: WatchListener | undefined;
  /** Takes the watch off the session. */
  remove: (watch: Watch) => Promise<void>;
  /** The error for a session that ended. */
  lostError: (reason: LostEvent["reason"], path: string) => Error;
}

interface Waiting {
  resolve(result: IteratorResult<WatchEvent, undefined>): void;
  reject(error: Error): void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class Watch implements PersistentWatcher, AsyncIterableIterator<WatchEvent, undefined>, AsyncDisposable {
  missedSince: number | undefined = undefined;
  readonly #settings: WatchSettings;
  readonly #events = new Fifo<WatchEvent>();
  readonly #consumers = new Fifo<Waiting>();
  /** Whether the node exists, as far as this watch knows. */
  #exists: boolean | undefined;
  #lastZxid = 0;
  #closed = false;
  #error: Error | undefined;

  constructor(settings: WatchSettings) {
    this.#settings = settings;
  }

  get fullPath(): string {
    return this.#settings.fullPath;
  }

  get recursive(): boolean {
    return this.#settings.recursive;
  }

  get path(): string {
    return withoutChroot(this.fullPath, this.#settings.chrootLength);
  }

  get closed(): boolean {
    return this.#closed;
  }

  // --- the consumer's side

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event; done after `close`. Rejects when the session expired. */
  next(): Promise<IteratorResult<WatchEvent, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#closed) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#consumers.push({ resolve, reject }));
  }

  /** What `break` in a `for await` does: the watch is removed. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.close();
    return DONE;
  }

  /** Removes the watch. Never rejects: a watch that the server no longer has is removed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#end();
    this.#events.drain();
    await this.#settings.remove(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #end(): void {
    this.#closed = true;
    for (const consumer of this.#consumers.drain()) {
      if (this.#error === undefined) consumer.resolve(DONE);
      else consumer.reject(this.#error);
    }
  }

  // --- the session's side

  deliver(type: NodeEvent["type"], path: string, zxid: number | null): void {
    if (zxid !== null && zxid > this.#lastZxid) this.#lastZxid = zxid;
    if (path === this.fullPath && type !== "childrenChanged") this.#exists = type !== "deleted";
    this.#push({ type, path: withoutChroot(path, this.#settings.chrootLength), zxid });
  }

  missed(sinceZxid: number, reason: GapEvent["reason"]): void {
    this.#exists = undefined;
    this.#push({ type: "gap", path: this.path, zxid: sinceZxid, reason });
  }

  /** What an exists found right after the watch was set. */
  baseline(exists: boolean): void {
    this.#exists ??= exists;
  }

  found(stat: Stat | null, sinceZxid: number): void {
    const since = Math.max(sinceZxid, this.#lastZxid);
    const existed = this.#exists;
    const path = this.fullPath;
    if (existed === undefined && stat === null) {
      this.missed(sinceZxid, "reconnected");
      this.#exists = false;
      return;
    }
    if (stat === null) {
      if (existed === true) this.deliver("deleted", path, null);
      return;
    }
    if (stat.czxid > since) {
      if (existed === true) this.deliver("deleted", path, null);
      this.deliver("created", path, stat.czxid);
    } else if (stat.mzxid > since) {
      this.deliver("dataChanged", path, stat.mzxid);
    }
    if (stat.pzxid > since && stat.pzxid !== stat.czxid) this.deliver("childrenChanged", path, stat.pzxid);
    this.#exists = true;
  }

  lose(_path: string, reason: LostEvent["reason"]): void {
    if (this.#closed) return;
    const { listener } = this.#settings;
    if (listener !== undefined) callListener(listener, { type: "lost", path: this.path, zxid: null, reason });
    else if (reason !== "closed") this.#error = this.#settings.lostError(reason, this.path);
    this.#end();
  }

  #push(event: WatchEvent): void {
    if (this.#closed) return;
    const { listener, maxQueuedEvents } = this.#settings;
    if (listener !== undefined) {
      callListener(listener, event);
      return;
    }
    const consumer = this.#consumers.shift();
    if (consumer !== undefined) consumer.resolve({ done: false, value: event });
    else if (this.#events.size < maxQueuedEvents) this.#events.push(event);
    else this.#overflow();
  }

  /** Too slow: what is queued is worth no more than the news that something was missed. */
  #overflow(): void {
    const first = this.#events.peek();
    const zxid = first === undefined || first.zxid === null ? this.#lastZxid : first.zxid - 1;
    this.#events.drain();
    this.#events.push({ type: "gap", path: this.path, zxid, reason: "overflow" });
  }
}
