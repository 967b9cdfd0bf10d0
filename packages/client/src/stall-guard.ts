/**
 * Makes a process that was stopped (its event loop blocked, the machine asleep) hear of a session that may be gone before
 * any of its own timers, immediates or promise continuations go on, not only before the client's answers and calls.
 *
 * Node.js runs what fell due in an order that nobody can get in front of with a timer, so this looks at the clock before
 * every callback of the process, by node:async_hooks. That costs each about a tenth of a microsecond; the option
 * `stallGuard: false` saves it.
 */
import { createHook } from "node:async_hooks";

export interface Guarded {
  /** When `look` has something to say, by the monotonic clock; Infinity for never. It only grows while watched. */
  guardAtMs(): number;
  look(): void;
}

const guarded = new Set<Guarded>();
/** No guarded session has anything to say before. */
let earliestMs = Number.POSITIVE_INFINITY;

const hook = createHook({
  before() {
    if (performance.now() >= earliestMs) lookAtAll();
  },
});

function lookAtAll(): void {
  const nowMs = performance.now();
  for (const each of [...guarded]) if (nowMs >= each.guardAtMs()) each.look();
  earliestMs = Number.POSITIVE_INFINITY;
  for (const each of guarded) earliestMs = Math.min(earliestMs, each.guardAtMs());
}

/** Watches from now on; to be called again whenever `guardAtMs` may have become earlier. */
export function guard(each: Guarded): void {
  if (guarded.size === 0) hook.enable();
  guarded.add(each);
  earliestMs = Math.min(earliestMs, each.guardAtMs());
}

export function unguard(each: Guarded): void {
  if (guarded.delete(each) && guarded.size === 0) hook.disable();
}
