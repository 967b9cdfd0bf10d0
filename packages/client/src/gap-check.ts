/**
 * Persistent watches are set again after a reconnect, but the server does not say what they missed. For a watch on one
 * node the client finds out by itself: this read goes out right behind the setWatches packet, before any call of the
 * user's, so that the consumer hears of a change before it can read it.
 */
import type { Stat } from "@vivarium/protocol";
import { operations } from "./operations.ts";
import { type ErrorSource, Request } from "./request.ts";
import type { PersistentWatcher } from "./watch-registry.ts";

export class GapCheck extends Request {
  readonly #watcher: PersistentWatcher;

  constructor(watcher: PersistentWatcher) {
    super(operations.exists, watcher.fullPath, 0);
    this.#watcher = watcher;
    // The next connection brings a check of its own.
    this.attempts = Number.POSITIVE_INFINITY;
    this.promise.catch(() => undefined);
  }

  override succeed(value: unknown): void {
    super.succeed(value);
    const watcher = this.#watcher;
    const since = watcher.missedSince;
    if (since === undefined) return;
    watcher.missedSince = undefined;
    watcher.found(value as Stat | null, since);
  }

  override fail(source: ErrorSource): void {
    super.fail(source);
    const watcher = this.#watcher;
    const since = watcher.missedSince;
    // A refusal (no permission to read) leaves nothing to compare; a broken connection brings the next check.
    if (since === undefined || this.replyBytes === 0) return;
    watcher.missedSince = undefined;
    watcher.missed(since, "reconnected");
  }
}
