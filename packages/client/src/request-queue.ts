/**
 * Requests in the order of their calls: waiting, then in flight. Answers come in the order of sending, so the first in
 * flight is always the one that the next answer belongs to.
 *
 * Both queues are bounded: no more than `maxInFlight` are sent without an answer (the server stops reading from a client
 * that passes its globalOutstandingLimit), no more than `maxQueued` wait.
 */
import { ErrorCode } from "@vivarium/protocol";
import { ConnectionLossError, QueueFullError, RequestTimeoutError } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import type { Request } from "./request.ts";

export interface RequestQueueOptions {
  maxInFlight: number;
  maxQueued: number;
  /** How often a read is sent again after its connection broke. */
  readRetries: number;
}

export class RequestQueue {
  readonly #options: RequestQueueOptions;
  readonly #waiting = new Fifo<Request>();
  readonly #inFlight = new Fifo<Request>();
  readonly #drained: (() => void)[] = [];
  /** No deadline of a queued request is earlier, though all may be later. */
  #earliestDeadlineMs = Number.POSITIVE_INFINITY;

  constructor(options: RequestQueueOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get earliestDeadlineMs(): number {
    return this.#earliestDeadlineMs;
  }

  /** True when a new request may be sent at once without overtaking another. */
  get canSendNow(): boolean {
    return this.#waiting.size === 0 && this.#inFlight.size < this.#options.maxInFlight;
  }

  /** Resolves when nothing waits and the window has room. */
  drained(): Promise<void> {
    if (this.canSendNow) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  #tellDrained(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  /** Lets a request wait; refuses it when too many do. */
  wait(request: Request): void {
    if (this.#waiting.size >= this.#options.maxQueued) {
      request.fail(() => queueFull(request, this.#options.maxQueued));
      return;
    }
    // The caller may reuse its memory once the call has returned. (A Buffer's own slice would be a view.)
    if (request.data instanceof Uint8Array) request.data = Uint8Array.prototype.slice.call(request.data);
    this.#waiting.push(request);
    this.#noteDeadline(request);
  }

  /** Lets requests of the client's own go before all that wait. */
  waitFirst(requests: Request[]): void {
    this.#waiting.unshiftAll(requests);
    for (const request of requests) this.#noteDeadline(request);
  }

  /** The next waiting request that the window has room for. */
  nextToSend(): Request | undefined {
    while (this.#inFlight.size < this.#options.maxInFlight) {
      const request = this.#waiting.shift();
      if (request === undefined) return undefined;
      if (!request.settled) return request;
    }
    return undefined;
  }

  sent(request: Request): void {
    this.#inFlight.push(request);
    this.#noteDeadline(request);
  }

  #noteDeadline(request: Request): void {
    if (request.deadlineMs < this.#earliestDeadlineMs) this.#earliestDeadlineMs = request.deadlineMs;
  }

  first(): Request | undefined {
    return this.#inFlight.peek();
  }

  inFlightWith(xid: number): Request | undefined {
    return this.#inFlight.toArray().find((request) => request.xid === xid);
  }

  /** Takes the request that an answer belongs to. */
  answered(): Request | undefined {
    const request = this.#inFlight.shift();
    if (this.#drained.length > 0 && this.canSendNow) this.#tellDrained();
    return request;
  }

  /** A request that was settled early no longer needs to wait. In flight it stays, because its answer will come. */
  dropSettled(request: Request): void {
    if (request.xid === 0) this.#waiting.remove(request);
  }

  /** Fails the requests whose deadline has passed. */
  sweep(nowMs: number): void {
    if (nowMs < this.#earliestDeadlineMs) return;
    this.#earliestDeadlineMs = Number.POSITIVE_INFINITY;
    for (const request of this.#inFlight.toArray()) this.#sweepOne(request, nowMs);
    const waiting = this.#waiting.drain();
    for (const request of waiting) this.#sweepOne(request, nowMs);
    this.#waiting.unshiftAll(waiting.filter((request) => !request.settled));
  }

  #sweepOne(request: Request, nowMs: number): void {
    if (request.settled) return;
    if (nowMs < request.deadlineMs) this.#noteDeadline(request);
    else request.fail(timedOut(request, Math.round(nowMs - request.submittedAtMs)));
  }

  /** The connection broke: reads that are not hopeless wait again, in front; all else in flight fails. */
  connectionLost(server: string, cause: Error): void {
    const again: Request[] = [];
    for (const request of this.#inFlight.drain()) {
      if (request.settled) continue;
      if (!request.operation.writes && request.attempts < this.#options.readRetries) {
        request.attempts++;
        request.xid = 0;
        again.push(request);
      } else {
        request.fail(connectionLost(request, server, cause));
      }
    }
    this.#waiting.unshiftAll(again);
  }

  failAll(error: (request: Request) => Error): void {
    const all = [...this.#inFlight.drain(), ...this.#waiting.drain()];
    this.#earliestDeadlineMs = Number.POSITIVE_INFINITY;
    for (const request of all) {
      if (!request.settled) request.fail(() => error(request));
    }
    this.#tellDrained();
  }
}

/** Whether the change that a request asks for may be made although no answer came. */
export function mayHaveHappened(request: Request): boolean {
  return request.xid !== 0 && request.operation.writes;
}

function queueFull(request: Request, limit: number): Error {
  return new QueueFullError(ErrorCode.THROTTLEDOP, {
    op: request.operation.name,
    path: request.callerPath,
    detail: `${limit} calls are waiting already; await earlier ones, or raise maxQueuedRequests`,
  });
}

function timedOut(request: Request, afterMs: number): () => Error {
  const sent = request.xid !== 0;
  return () =>
    new RequestTimeoutError(ErrorCode.REQUESTTIMEOUT, {
      op: request.operation.name,
      path: request.callerPath,
      mayHaveHappened: sent && request.operation.writes,
      detail: sent ? `no answer after ${afterMs} ms` : `not sent after ${afterMs} ms, because no server was reached`,
    });
}

function connectionLost(request: Request, server: string, cause: Error): () => Error {
  const doubt = request.operation.writes;
  return () =>
    new ConnectionLossError(ErrorCode.CONNECTIONLOSS, {
      op: request.operation.name,
      path: request.callerPath,
      mayHaveHappened: doubt,
      detail: `the connection to ${server} broke before the answer came: ${cause.message}`,
      cause,
    });
}
