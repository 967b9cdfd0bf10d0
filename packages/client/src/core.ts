/**
 * What all views of one client share: the session, its driver, its listeners. A view adds a chroot to the paths and
 * nothing else.
 */
import { CONFIG_PATH, ErrorCode } from "@vivarium/protocol";
import { limitsProblem, refuse } from "./arguments.ts";
import { type ConnectTarget, type Host, hostText } from "./connect-string.ts";
import { Credential } from "./credentials.ts";
import { traceRequest, tracing } from "./diagnostics.ts";
import { Driver } from "./driver.ts";
import { AbortError, type ErrorContext, RequestTimeoutError, requestError } from "./errors.ts";
import { type GetDataResult, operations } from "./operations.ts";
import type { Settings } from "./options.ts";
import { type ErrorSource, Request, rejectInCallersStack } from "./request.ts";
import { ServerList } from "./server-list.ts";
import type { SessionEvent } from "./session-event.ts";
import type { Watcher } from "./watch-registry.ts";

export interface CallOptions {
  /** Settles the call early; a write that was sent may be made all the same. */
  signal?: AbortSignal;
  /** Deadline from now, in milliseconds; default `requestTimeoutMs`. */
  timeoutMs?: number;
}

export class Core {
  readonly settings: Settings;
  readonly driver: Driver;
  readonly #servers: ServerList;
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  /** The last failure per server, for the error of a `connect` that gives up. */
  readonly failures = new Map<string, Error>();

  constructor(target: ConnectTarget, settings: Settings) {
    this.settings = settings;
    this.driver = new Driver(settings, (event) => this.#onEvent(event));
    if (settings.onSessionEvent !== undefined) this.#listeners.add(settings.onSessionEvent);
    for (const { scheme, auth } of settings.auth) {
      // A refusal shows as the session event authFailed.
      const credential = new Credential(scheme, Buffer.from(auth));
      credential.promise.catch(() => undefined);
      this.driver.addAuth(credential);
    }
    this.#servers = new ServerList({
      target,
      clock: settings.clock,
      resolveSrv: settings.resolveSrv,
      use: (hosts) => this.driver.useHosts(hosts),
      failed: (server, error, retryInMs) => this.#onEvent({ type: "connectFailed", server, error, retryInMs }),
    });
    this.#servers.start();
    if (settings.trackConfig) this.#trackConfig();
  }

  useServers(hosts: Host[]): void {
    this.#servers.replace(hosts);
  }

  /** Reads the configuration and watches it; the watch outlives connections, so one read at a time is enough. */
  #trackConfig(): void {
    const request = new Request(operations.getData, CONFIG_PATH, 0);
    request.watch = true;
    request.watcher = { deliver: () => this.#trackConfig(), lose: () => undefined } satisfies Watcher;
    this.driver.submit(request, Number.POSITIVE_INFINITY);
    request.promise.then(
      (found) => this.#servers.learn((found as GetDataResult).data?.toString("utf8") ?? ""),
      // Servers before 3.5 have none, others may refuse to show it: then the given list is all there is.
      () => undefined,
    );
  }

  get machine() {
    return this.driver.machine;
  }

  // --- requests

  submit(request: Request, options: CallOptions | undefined): Promise<unknown> {
    if (request.settled) return request.promise;
    if (options !== undefined && !this.#obey(options, request)) return request.promise;
    if (tracing()) traceRequest(request, this.machine);
    this.driver.submit(request, options?.timeoutMs ?? this.settings.requestTimeoutMs);
    return request.promise;
  }

  /** False when the options are wrong, or the signal has fired already. */
  #obey(options: CallOptions, request: Request): boolean {
    const problem = limitsProblem(options);
    if (problem !== undefined) {
      refuse(request, problem);
      return false;
    }
    const { signal } = options;
    if (signal === undefined) return true;
    const onAbort = (): void => this.driver.cancel(request, () => aborted(request, signal));
    if (signal.aborted) {
      request.fail(() => aborted(request, signal));
      return false;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    request.onSettled = () => signal.removeEventListener("abort", onAbort);
    return true;
  }

  /** Proves an identity; a call that is given up withdraws it from the connections to come. */
  addAuth(scheme: string, auth: Uint8Array, options: CallOptions): Promise<void> {
    const { signal, timeoutMs = this.settings.requestTimeoutMs } = options;
    const credential = new Credential(scheme, auth);
    const giveUp = (source: ErrorSource): void => this.machine.withdrawAuth(credential, source);
    const context = { op: "addAuth", mayHaveHappened: true };
    const onAbort = (): void => giveUp(() => abortError(context, signal?.reason));
    if (signal?.aborted === true) onAbort();
    else this.driver.addAuth(credential);
    signal?.addEventListener("abort", onAbort, { once: true });
    const detail = `no answer after ${timeoutMs} ms`;
    const timer =
      timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : this.settings.clock.setTimer(
            timeoutMs,
            () => giveUp(() => new RequestTimeoutError(ErrorCode.REQUESTTIMEOUT, { ...context, detail })),
            { background: true },
          );
    return credential.promise.finally(() => {
      timer?.cancel();
      signal?.removeEventListener("abort", onAbort);
    });
  }

  // --- session events

  onSessionEvent(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #onEvent(event: SessionEvent): void {
    if (event.type === "connectFailed") this.failures.set(event.server, event.error);
    else if (event.type === "connected" || event.type === "readOnly") this.failures.clear();
    this.#log(event);
    this.#servers?.onSessionEvent(event);
    if (this.driver?.machine.over) this.#servers.stop();
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #log(event: SessionEvent): void {
    const { logger } = this.settings;
    if (logger === undefined) return;
    const { type, ...fields } = event;
    const calm = type === "connected" || type === "readOnly" || type === "closed" || type === "serversChanged";
    logger[calm ? "info" : "warn"](`session ${type}`, fields);
  }

  // --- beginning and end

  /** Resolves when there is a session; rejects, and closes, when there is none in time. */
  async connected(signal: AbortSignal | undefined): Promise<void> {
    if (this.machine.state === "connected" || this.machine.state === "readOnly") return;
    const { connectTimeoutMs, clock } = this.settings;
    const stops: (() => void)[] = [];
    try {
      await new Promise<unknown>((resolve) => {
        let isSettled = false;
        const reject = (source: ErrorSource): void => {
          if (!isSettled) rejectInCallersStack(resolve, source);
          isSettled = true;
        };
        const accept = (): void => {
          isSettled = true;
          resolve(undefined);
        };
        const refuse = (code: number): void => reject(() => requestError(code, { op: "connect" }));
        const timer = clock.setTimer(connectTimeoutMs, () => reject(() => this.#notConnected(connectTimeoutMs)));
        stops.push(() => timer.cancel());
        stops.push(
          this.onSessionEvent((event) => {
            if (event.type === "connected" || event.type === "readOnly") accept();
            else if (event.type === "authFailed") refuse(ErrorCode.AUTHFAILED);
            else if (event.type === "expired") refuse(ErrorCode.SESSIONEXPIRED);
            else if (event.type === "closed") refuse(ErrorCode.CONNECTIONLOSS);
          }),
        );
        if (signal === undefined) return;
        const onAbort = (): void => reject(() => abortError({ op: "connect" }, signal.reason));
        if (signal.aborted) onAbort();
        signal.addEventListener("abort", onAbort, { once: true });
        stops.push(() => signal.removeEventListener("abort", onAbort));
      });
    } catch (error) {
      this.driver.close();
      throw error;
    } finally {
      for (const stop of stops) stop();
    }
  }

  #notConnected(afterMs: number): Error {
    const reasons = [...this.failures].map(([server, error]) => `${server}: ${error.message}`);
    const trying = this.machine.hosts.hosts.map(hostText).join(", ");
    const why = reasons.length === 0 ? `no answer from ${trying || "any server"}` : reasons.join("; ");
    return requestError(ErrorCode.CONNECTIONLOSS, {
      op: "connect",
      detail: `no session within ${afterMs} ms (connectTimeoutMs): ${why}`,
      cause: new AggregateError(this.failures.values()),
    });
  }

  /** Resolves when the session has ended. */
  close(): Promise<void> {
    if (this.machine.over) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.onSessionEvent(() => {
        if (!this.machine.over) return;
        stop();
        resolve();
      });
      this.driver.close();
    });
  }
}

function aborted(request: Request, signal: AbortSignal): Error {
  const mayHaveHappened = request.xid !== 0 && request.operation.writes;
  return abortError({ op: request.operation.name, path: request.callerPath, mayHaveHappened }, signal.reason);
}

function abortError(context: ErrorContext, cause: unknown): Error {
  return new AbortError(ErrorCode.OPERATIONTIMEOUT, { ...context, detail: "aborted by the caller's signal", cause });
}
