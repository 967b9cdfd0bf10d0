/**
 * A clock that moves only when told to. Callbacks run in the order of (time due, time of asking), so one program and
 * one seed always give one history.
 */
import type { Clock, Timer } from "./clock.ts";

/** Some moment in 2024: tests see times that look like times. */
const DEFAULT_START_MS = 1_720_000_000_000;

class VirtualTimer implements Timer {
  readonly dueMs: number;
  readonly sequence: number;
  callback: (() => void) | null;

  constructor(dueMs: number, sequence: number, callback: () => void) {
    this.dueMs = dueMs;
    this.sequence = sequence;
    this.callback = callback;
  }

  cancel(): void {
    this.callback = null;
  }
}

export class VirtualClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs: number;
  #sequence = 0;
  /** A binary heap: no parent is due after its children. */
  readonly #heap: VirtualTimer[] = [];

  constructor(options: { wallMs?: number } = {}) {
    this.#wallOffsetMs = options.wallMs ?? DEFAULT_START_MS;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return Math.floor(this.#wallOffsetMs + this.#nowMs);
  }

  /** Sets the clock on the wall forward or back, as an operator or NTP may. Timers do not notice. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = new VirtualTimer(this.#nowMs + Math.max(0, delayMs), this.#sequence++, callback);
    push(this.#heap, timer);
    return timer;
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Milliseconds until the next callback is due, or null if none is. */
  nextDueMs(): number | null {
    this.#dropCancelled();
    const next = this.#heap[0];
    return next === undefined ? null : next.dueMs - this.#nowMs;
  }

  /** Moves time on by `ms` and runs what becomes due, including what that asks for in turn. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.#runNext(untilMs)) {}
    this.#nowMs = untilMs;
  }

  /** As `advance`, but lets promises settle after every callback: for code that awaits. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    do await settled();
    while (this.#runNext(untilMs));
    this.#nowMs = untilMs;
  }

  /** Runs until `promise` settles. @throws if nothing is left to do and it has not. */
  async runUntil<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const finish = (): void => {
      done = true;
    };
    promise.then(finish, finish);
    for (;;) {
      await settled();
      if (done) return promise;
      if (!this.#runNext(Number.POSITIVE_INFINITY))
        throw new Error("nothing left to do, and the promise is not settled");
    }
  }

  #runNext(untilMs: number): boolean {
    this.#dropCancelled();
    const next = this.#heap[0];
    if (next === undefined || next.dueMs > untilMs) return false;
    pop(this.#heap);
    this.#nowMs = next.dueMs;
    next.callback?.();
    return true;
  }

  #dropCancelled(): void {
    while (this.#heap[0]?.callback === null) pop(this.#heap);
  }
}

/** Once all promises that can settle have. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}

function push(heap: VirtualTimer[], timer: VirtualTimer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt] as VirtualTimer;
    if (!isBefore(timer, parent)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = timer;
}

/** Takes the first one out. */
function pop(heap: VirtualTimer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let childAt = 2 * at + 1;
    if (childAt >= heap.length) break;
    const right = heap[childAt + 1];
    if (right !== undefined && isBefore(right, heap[childAt] as VirtualTimer)) childAt++;
    const child = heap[childAt] as VirtualTimer;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
}
