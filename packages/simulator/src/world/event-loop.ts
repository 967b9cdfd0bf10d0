/**
 * The one event heap of a simulation. Everything that happens is a task, due at a time of the world's own clock; tasks run
 * in the order of (time due, time of asking), and after each one all promise continuations that it caused run to their end
 * before the next. So one program and one seed have one history.
 *
 * A task may belong to a process: it is how anything from outside (a timer, bytes, the disk's answer) enters a program. The
 * tasks of a dead process vanish; those of a frozen one wait until it thaws. No other place knows of death and freezing.
 */
import process from "node:process";
import type { Timer } from "@vivarium/runtime";

/** A program that runs on a machine, from its start to its death. */
export class Process {
  readonly name: string;
  alive = true;
  frozen = false;
  /** What came while it was frozen, in order. */
  readonly held: Task[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

export class Task implements Timer {
  dueMs: number;
  sequence: number;
  /** Null for the world's own. */
  readonly process: Process | null;
  callback: (() => void) | null;

  constructor(at: { dueMs: number; sequence: number }, owner: Process | null, callback: () => void) {
    this.dueMs = at.dueMs;
    this.sequence = at.sequence;
    this.process = owner;
    this.callback = callback;
  }

  cancel(): void {
    this.callback = null;
  }
}

/** Not 0, so that a time that was never set is not taken for one. */
const START_MS = 1_000_000;

export class EventLoop {
  nowMs = START_MS;
  /** Tasks run so far. */
  count = 0;
  /** A program threw: its bug, or ours. */
  onError: (error: unknown, owner: Process | null) => void = (error) => {
    throw error;
  };
  #sequence = 0;
  /** A binary heap: no parent runs after its children. */
  readonly #heap: Task[] = [];
  /** Tasks that were due at once when asked for: in order already, so they need no heap. */
  #soon: Task[] = [];
  #soonAt = 0;

  get elapsedMs(): number {
    return this.nowMs - START_MS;
  }

  schedule(dueMs: number, owner: Process | null, callback: () => void): Task {
    const task = new Task({ dueMs: Math.max(dueMs, this.nowMs), sequence: this.#sequence++ }, owner, callback);
    this.#insert(task);
    return task;
  }

  after(delayMs: number, owner: Process | null, callback: () => void): Task {
    return this.schedule(this.nowMs + delayMs, owner, callback);
  }

  #insert(task: Task): void {
    if (task.dueMs === this.nowMs) this.#soon.push(task);
    else push(this.#heap, task);
  }

  thaw(frozen: Process): void {
    frozen.frozen = false;
    for (const task of frozen.held.splice(0)) {
      task.dueMs = this.nowMs;
      task.sequence = this.#sequence++;
      this.#insert(task);
    }
  }

  /**
   * Runs until `done`, asked before every task.
   * @returns false if nothing is left to do before that.
   */
  run(done: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (done()) resolve(true);
          else if (!this.#runNext()) resolve(false);
          else void settled.then(later);
        } catch (error) {
          reject(error);
        }
      };
      // What a microtask asks of nextTick comes after all microtasks, and costs no turn of the real event loop.
      const later = (): void => process.nextTick(step);
      void settled.then(later);
    });
  }

  #runNext(): boolean {
    for (;;) {
      const task = this.#next();
      if (task === undefined) return false;
      const { callback, process: owner } = task;
      if (callback === null || owner?.alive === false) continue;
      if (owner?.frozen === true) {
        owner.held.push(task);
        continue;
      }
      this.nowMs = task.dueMs;
      this.count++;
      task.callback = null;
      try {
        callback();
      } catch (error) {
        this.onError(error, owner);
      }
      return true;
    }
  }

  #next(): Task | undefined {
    const soon = this.#soon[this.#soonAt];
    const timed = this.#heap[0];
    if (soon === undefined) return timed === undefined ? undefined : pop(this.#heap);
    if (timed !== undefined && isBefore(timed, soon)) return pop(this.#heap);
    this.#soonAt++;
    if (this.#soonAt === this.#soon.length) {
      this.#soon = [];
      this.#soonAt = 0;
    }
    return soon;
  }
}

/** A cheaper way to a microtask than queueMicrotask, which keeps account of who asked. */
const settled = Promise.resolve();

function isBefore(a: Task, b: Task): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}

function push(heap: Task[], task: Task): void {
  let at = heap.length;
  heap.push(task);
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt] as Task;
    if (!isBefore(task, parent)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = task;
}

/** Takes the first one out. */
function pop(heap: Task[]): Task | undefined {
  const first = heap[0];
  const last = heap.pop() as Task;
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let childAt = 2 * at + 1;
    if (childAt >= heap.length) break;
    const right = heap[childAt + 1];
    if (right !== undefined && isBefore(right, heap[childAt] as Task)) childAt++;
    const child = heap[childAt] as Task;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
  return first;
}
