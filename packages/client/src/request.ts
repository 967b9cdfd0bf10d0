/**
 * One call on its way: the arguments as the caller gave them, where it is (waiting, sent, settled) and the one promise
 * that the caller holds. Operations read the arguments when the request is encoded; the session machine moves it.
 */
import type { Operation } from "./operations.ts";

/** What a node's data may be given as: bytes, text (sent as UTF-8), or null, which is not the same as empty. */
export type Data = Uint8Array | string | null;

/** Makes the error of a request that failed. It runs where the caller's await can be seen, for the stack. */
export type ErrorSource = () => Error;

let takenResolve: (value: unknown) => void;
const take = (resolve: (value: unknown) => void): void => {
  takenResolve = resolve;
};

export class Request {
  readonly operation: Operation;
  /** The path as the server knows it, chroot included. */
  readonly path: string;
  /** Length of the chroot that paths in the answer are cut by. */
  readonly chrootLength: number;
  data: Data = null;
  /** The number that the operation takes: version, create flags, watch mode, watcher type. */
  number = 0;
  watch = false;
  /** What else the operation takes: ACL, TTL, the operations of a multi. */
  detail: unknown = undefined;
  /** Takes the watch once the server has answered that it is set. */
  watcher: unknown = undefined;

  xid = 0;
  /** When it was put into the output, by the monotonic clock; 0 while waiting. */
  sentAtMs = 0;
  submittedAtMs = 0;
  deadlineMs = Number.POSITIVE_INFINITY;
  /** Times it was sent on a connection that broke. */
  attempts = 0;
  /** Sizes on the wire without the length prefix; 0 until known. */
  requestBytes = 0;
  replyBytes = 0;

  readonly promise: Promise<unknown>;
  #resolve: ((value: unknown) => void) | undefined;
  /** Called when settled, if someone needs to know (an abort signal's listener). */
  onSettled: (() => void) | undefined = undefined;
  /**
   * Told how it ended, if someone listens. A second reaction on the promise would do as well, but the engine finds the
   * caller's frames only where there is one.
   */
  onOutcome: ((error: Error | undefined) => void) | undefined = undefined;

  constructor(operation: Operation, path: string, chrootLength: number) {
    this.operation = operation;
    this.path = path;
    this.chrootLength = chrootLength;
    this.promise = new Promise(take);
    this.#resolve = takenResolve;
  }

  get settled(): boolean {
    return this.#resolve === undefined;
  }

  /** The path as the caller knows it. */
  get callerPath(): string {
    return this.chrootLength === 0 ? this.path : this.path.slice(this.chrootLength) || "/";
  }

  succeed(value: unknown): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    resolve(value);
    if (this.onSettled !== undefined) this.onSettled();
    if (this.onOutcome !== undefined) this.onOutcome(undefined);
  }

  fail(source: ErrorSource): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    const { onOutcome } = this;
    const toldSource = (): Error => {
      const error = source();
      onOutcome?.(error);
      return error;
    };
    rejectInCallersStack(resolve, onOutcome === undefined ? source : toldSource);
    if (this.onSettled !== undefined) this.onSettled();
  }
}

/**
 * Rejects with an error whose stack leads to the caller, without recording a stack for each request: the engine finds
 * the awaiting functions when an error is created inside a promise reaction on which they wait. So the caller's promise
 * is first tied to one that fails a microtask later, and the error is created there.
 */
export function rejectInCallersStack(resolve: (value: unknown) => void, source: ErrorSource): void {
  const start = new Promise(take);
  const go = takenResolve;
  resolve(
    start.then(() => {
      throw source();
    }),
  );
  queueMicrotask(go as () => void);
}
