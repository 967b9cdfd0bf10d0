/**
 * The life of a session: which server to try and when, when to ping, when silence means that the server is gone, and
 * when the session itself may be. A synchronous machine: time and what the network did come in, what the driver has to
 * do goes out through the port, bytes to send lie in `output`.
 *
 *            ┌───────── dropped: next server, after each round of all a back-off ─────────┐
 *            ▼                                                                            │
 *   idle ─► waiting ─► connecting ─► handshake ─► open ───────────────────────────────────┤
 *                                        └─ expired ─► over, or a new session             └─► over
 *
 * Invariants: at most one connection; after `over` no output; `maybeExpired` is told before any answer that came later
 * and before any request is taken that was made later, also when this process was stopped meanwhile.
 */
import type { Writer } from "@vivarium/jute";
import { ErrorCode, zxidHex } from "@vivarium/protocol";
import type { Random } from "@vivarium/runtime";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import { type Host, hostText } from "./connect-string.ts";
import type { Credential } from "./credentials.ts";
import { AuthFailedError, ClosedError, type ErrorContext, SessionExpiredError } from "./errors.ts";
import { Exchange, type ExchangeOptions, type ExchangeOwner, type Handshake } from "./exchange.ts";
import { HostList } from "./host-list.ts";
import { operations } from "./operations.ts";
import { Request } from "./request.ts";
import { mayHaveHappened } from "./request-queue.ts";
import { SessionClock } from "./session-clock.ts";
import type { SessionEvent, SessionInfo, SessionState } from "./session-event.ts";

export interface MachineOptions extends ExchangeOptions {
  /** Asked for; the server may grant another. */
  sessionTimeoutMs: number;
  /** For reaching one server and hearing its first answer. */
  hostTimeoutMs: number;
  /** Whether a server without quorum will do. */
  readOnly: boolean;
  /** Whether an expired session is followed by a new one. */
  renewSession: boolean;
  backoff?: BackoffOptions | undefined;
  session?: SessionInfo | undefined;
}

/** What the machine asks of its driver. */
export interface MachinePort {
  /** Opens a connection; answered by `opened` or `dropped`. */
  connect(host: Host, timeoutMs: number): void;
  /** Closes the connection; nothing more of it must come in. What is in `output` may be sent first. */
  disconnect(): void;
  /** Asks a server, beside the connection, whether it has a quorum; only "yes" is answered, by `foundReadWrite`. */
  probe(host: Host, timeoutMs: number): void;
  event(event: SessionEvent): void;
}

type Phase = "idle" | "waiting" | "connecting" | "handshake" | "open" | "over";

const NO_PASSWORD = new Uint8Array(16);
/** A connection that lived this long was a good one: the next back-off starts anew. */
const GOOD_CONNECTION_MS = 1000;
/** Waits between probes for a read-write server: doubling, from the first to the second. */
const PROBE_MS = { first: 100, longest: 60_000 } as const;
const NEVER = Number.POSITIVE_INFINITY;

export class SessionMachine implements ExchangeOwner {
  readonly hosts: HostList;
  readonly #exchange: Exchange;
  readonly #options: MachineOptions;
  readonly #port: MachinePort;
  readonly #backoff: Backoff;
  readonly #clock = new SessionClock();
  #phase: Phase = "idle";
  #state: SessionState = "connecting";
  #sessionId = 0n;
  #password: Uint8Array = NO_PASSWORD;
  /** A session of a read-only server means nothing to the others, so it is not asked for again. */
  #known = false;
  #readOnly = false;
  #closing = false;
  /** When the current phase has to be over: the end of the wait, or the patience with a server. */
  #phaseEndsMs = NEVER;
  #connectSentMs = 0;
  #probeAtMs = NEVER;
  #probeDelayMs = 0;
  #openedMs = 0;
  /** When the driver should have called `tick` at the latest. */
  #wakeAtMs = NEVER;

  constructor(options: MachineOptions, port: MachinePort, random: Random) {
    this.#options = options;
    this.#port = port;
    this.hosts = new HostList(random);
    this.#backoff = new Backoff(random, options.backoff);
    this.#exchange = new Exchange(options, this);
    if (options.session !== undefined) {
      this.#sessionId = options.session.id;
      this.#password = options.session.password;
      this.#known = true;
      this.#exchange.lastZxid = options.session.lastZxid ?? 0;
    }
  }

  // --- what the driver and the client look at

  get state(): SessionState {
    return this.#state;
  }

  get over(): boolean {
    return this.#phase === "over";
  }

  get exchange(): Exchange {
    return this.#exchange;
  }

  get output(): Writer {
    return this.#exchange.output;
  }

  /** Host and port of the server in use, or tried last. */
  get server(): string {
    return this.hosts.current === undefined ? "no server" : hostText(this.hosts.current);
  }

  get session(): SessionInfo {
    return { id: this.#sessionId, password: this.#password, lastZxid: this.#exchange.lastZxid };
  }

  get timeoutMs(): number {
    return this.#clock.timeoutMs;
  }

  /** Until then no server can have expired the session; -Infinity without a session. */
  get safeUntilMs(): number {
    return this.#hasSession ? this.#clock.safeUntilMs : Number.NEGATIVE_INFINITY;
  }

  get #hasSession(): boolean {
    return this.#clock.timeoutMs > 0 && this.#phase !== "over" && this.#state !== "connecting";
  }

  /** When to call `tick` at the latest. Reading it is the promise to do so. */
  wakeAtMs(): number {
    let at = Math.min(this.#phaseEndsMs, this.#exchange.queue.earliestDeadlineMs);
    if (this.#phase === "open") at = Math.min(at, this.#clock.pingAtMs, this.#clock.silentAtMs, this.#probeAtMs);
    if (this.#hasSession) {
      if (this.#state !== "maybeExpired") at = Math.min(at, this.#clock.safeUntilMs);
      else if (this.#phase !== "open" && this.#phase !== "handshake") at = Math.min(at, this.#clock.givenUpAtMs);
    }
    this.#wakeAtMs = at;
    return at;
  }

  // --- inputs: the driver's

  /** Sets or replaces the servers; the first call starts the machine. */
  useHosts(hosts: readonly Host[], nowMs: number): void {
    if (this.#phase === "over") return;
    const moves = this.hosts.update(hosts);
    if (this.#phase === "idle") this.#connectNext(nowMs);
    else this.#port.event({ type: "serversChanged", servers: hosts.map(hostText) });
    if (moves && this.#phase === "open") this.#drop(new Error("the list of servers changed"), nowMs);
  }

  /** The connection is there. */
  opened(nowMs: number): void {
    if (this.#phase !== "connecting") return;
    this.#phase = "handshake";
    this.#connectSentMs = nowMs;
    this.#exchange.writeConnect({
      timeoutMs: this.#options.sessionTimeoutMs,
      sessionId: this.#known ? this.#sessionId : 0n,
      password: this.#known ? this.#password : NO_PASSWORD,
      readOnly: this.#options.readOnly,
    });
  }

  received(chunk: Uint8Array, nowMs: number): void {
    this.#checkClock(nowMs);
    this.#clock.heard(nowMs);
    this.#exchange.append(chunk);
    try {
      if (this.#phase === "handshake") {
        const answer = this.#exchange.readConnect();
        if (answer !== undefined) this.#granted(answer, nowMs);
      }
      while (this.#phase === "open" && this.#exchange.receive(nowMs));
    } catch (error) {
      this.#drop(error instanceof Error ? error : new Error(String(error)), nowMs);
      return;
    }
    if (this.#phase !== "open") return;
    this.#confirm(nowMs);
    if (this.#exchange.queue.waiting > 0) this.#exchange.pump(nowMs);
  }

  /** What lies in `output` is about to leave: after a long stop of this process the owner hears of it first. */
  sending(nowMs: number): void {
    this.#checkClock(nowMs);
    this.#clock.sent(nowMs);
  }

  /** `output` has left; with `full`, the network wants to be left alone until `drained`. */
  sent(full: boolean, nowMs: number): void {
    this.#exchange.blocked = full;
    if (!full && this.#phase === "open" && this.#exchange.queue.waiting > 0) this.#exchange.pump(nowMs);
  }

  drained(nowMs: number): void {
    this.sent(false, nowMs);
  }

  /** The connection is gone, or was never there. */
  dropped(error: Error | null, nowMs: number): void {
    this.#checkClock(nowMs);
    if (this.#phase === "handshake") this.#drop(new Error(this.#noSession(), { cause: error }), nowMs);
    else this.#drop(error ?? new Error("the server closed the connection"), nowMs);
  }

  /** A probe met a server with a quorum: a session that can only read moves there. */
  foundReadWrite(host: Host, nowMs: number): void {
    if (this.#phase !== "open" || !this.#readOnly) return;
    this.hosts.prefer(host);
    this.#drop(new Error(`${hostText(host)} has a quorum, and this server has none`), nowMs);
  }

  tick(nowMs: number): void {
    const late = nowMs - this.#wakeAtMs;
    if (this.#phase === "open" && late > this.#clock.stallMs) this.#stalled(late, nowMs);
    this.#checkClock(nowMs);
    if (this.#phase === "open") this.#tickOpen(nowMs);
    else if (nowMs >= this.#phaseEndsMs) this.#phaseEnded(nowMs);
    this.#exchange.queue.sweep(nowMs);
  }

  // --- inputs: the caller's

  submit(request: Request, nowMs: number): void {
    this.#checkClock(nowMs);
    request.submittedAtMs = nowMs;
    if (this.#phase === "over" || this.#closing) request.fail(() => overError(contextOf(request), this.#state));
    else this.#exchange.submit(request, this.#phase === "open", nowMs);
  }

  addAuth(credential: Credential): void {
    if (this.#phase === "over" || this.#closing) {
      credential.refused(() => overError({ op: "addAuth" }, this.#state));
      return;
    }
    this.#exchange.credentials.add(credential);
    if (this.#phase === "open") this.#exchange.credentials.write(this.output, credential);
  }

  /** The caller waits no longer; this connection may have proven it all the same. */
  withdrawAuth(credential: Credential, error: () => Error): void {
    this.#exchange.credentials.withdraw(credential);
    credential.refused(error);
  }

  /** Settles a request before its answer; in flight the answer is still waited for, and thrown away. */
  cancel(request: Request, error: () => Error): void {
    request.fail(error);
    this.#exchange.queue.dropSettled(request);
  }

  /** Ends the session once everything asked before is answered; at once when there is no connection. */
  close(nowMs: number): void {
    if (this.#closing || this.#phase === "over") return;
    if (this.#phase !== "open") {
      this.#finish("closed");
      return;
    }
    const request = new Request(operations.closeSession, "", 0);
    request.promise.catch(() => undefined);
    request.onSettled = () => this.#finish("closed");
    request.deadlineMs = nowMs + this.#options.hostTimeoutMs;
    this.submit(request, nowMs);
    this.#closing = true;
  }

  // --- connecting

  #connectNext(nowMs: number): void {
    const host = this.hosts.next();
    if (host === undefined) {
      this.#phase = "idle";
      this.#phaseEndsMs = NEVER;
      return;
    }
    this.#phase = "connecting";
    this.#phaseEndsMs = nowMs + this.#options.hostTimeoutMs;
    this.#exchange.counters.connectAttempts++;
    this.#port.connect(host, this.#options.hostTimeoutMs);
  }

  #granted(answer: Handshake, nowMs: number): void {
    if (answer.timeoutMs <= 0) {
      this.#expired("server", nowMs);
      return;
    }
    const resumed = this.#known && this.#sessionId === answer.sessionId;
    this.#sessionId = answer.sessionId;
    this.#password = answer.password;
    this.#readOnly = answer.readOnly;
    if (!answer.readOnly) this.#known = true;
    this.#clock.granted(answer.timeoutMs, this.#connectSentMs, nowMs);
    this.#phase = "open";
    this.#phaseEndsMs = NEVER;
    this.#openedMs = nowMs;
    this.hosts.connected();
    this.#exchange.counters.connects++;
    this.#exchange.open(nowMs, resumed);
    this.#probeDelayMs = PROBE_MS.first;
    this.#probeAtMs = answer.readOnly ? nowMs + this.#probeDelayMs : NEVER;
    this.#tellConnected(resumed);
  }

  #probe(nowMs: number): void {
    this.#probeDelayMs = Math.min(this.#probeDelayMs * 2, PROBE_MS.longest);
    this.#probeAtMs = nowMs + this.#probeDelayMs;
    const host = this.hosts.candidate();
    if (host !== undefined) this.#port.probe(host, this.#options.hostTimeoutMs);
  }

  #tellConnected(resumed: boolean): void {
    this.#state = this.#readOnly ? "readOnly" : "connected";
    const { timeoutMs } = this.#clock;
    this.#port.event({ type: this.#state, sessionId: this.#sessionId, timeoutMs, server: this.server, resumed });
  }

  /** Leaves this server for the next; whatever was in flight is settled or will be asked again. */
  #drop(error: Error, nowMs: number): void {
    const phase = this.#phase;
    if (phase === "over" || phase === "idle" || phase === "waiting") return;
    this.#phase = "waiting";
    this.#port.disconnect();
    this.#exchange.lost(this.server, error);
    if (this.#closing) {
      this.#finish("closed");
      return;
    }
    if (phase === "open" && nowMs - this.#openedMs >= GOOD_CONNECTION_MS) this.#backoff.reset();
    const unstable = phase === "open" && nowMs - this.#openedMs < GOOD_CONNECTION_MS;
    const retryInMs = this.hosts.roundIsOver || unstable ? this.#backoff.nextMs() : 0;
    this.#phaseEndsMs = nowMs + retryInMs;
    this.#tellDropped(phase === "open", error, nowMs, retryInMs);
    if (retryInMs === 0 && this.#phase === "waiting") this.#connectNext(nowMs);
  }

  #tellDropped(wasOpen: boolean, error: Error, nowMs: number, retryInMs: number): void {
    const { server } = this;
    if (!wasOpen) {
      this.#port.event({ type: "connectFailed", server, error, retryInMs });
      return;
    }
    if (this.#state === "maybeExpired") return;
    this.#state = "suspended";
    const remainingMs = Math.max(0, this.#clock.safeUntilMs - nowMs);
    this.#port.event({ type: "suspended", sessionId: this.#sessionId, server, error, remainingMs });
  }

  #noSession(): string {
    const zxid = zxidHex(this.#exchange.lastZxid);
    return `the server closed the connection before granting a session: it may have no quorum, too many connections (maxClientCnxns), no trust in our certificate, or be behind zxid 0x${zxid}, which this session has seen`;
  }

  // --- time

  #tickOpen(nowMs: number): void {
    if (nowMs >= this.#clock.silentAtMs) {
      const silence = Math.round((this.#clock.timeoutMs * 2) / 3);
      this.#drop(new Error(`nothing heard from the server for ${silence} ms`), nowMs);
    } else if (nowMs >= this.#clock.pingAtMs) {
      this.#exchange.ping(nowMs);
    }
    if (nowMs >= this.#probeAtMs) this.#probe(nowMs);
  }

  #phaseEnded(nowMs: number): void {
    if (this.#phase === "waiting") {
      this.#connectNext(nowMs);
    } else {
      const what = this.#phase === "connecting" ? "not reached" : "connected, but no session granted";
      this.#drop(new Error(`${what} within ${this.#options.hostTimeoutMs} ms (hostTimeoutMs)`), nowMs);
    }
  }

  /** Answers may lie unread in the socket, so the silence was ours: the server gets another chance to be heard. */
  #stalled(lateMs: number, nowMs: number): void {
    this.#clock.heard(nowMs);
    this.#exchange.ping(nowMs);
    this.#clock.sent(nowMs);
    this.#port.event({ type: "stalled", lateMs });
  }

  /** Time alone may have ended the session: whoever asks about it, or goes on after a stop, comes here first. */
  look(nowMs: number): void {
    this.#checkClock(nowMs);
  }

  /** When `look` has something to say; Infinity for never. */
  get lossAtMs(): number {
    return this.#hasSession && this.#state !== "maybeExpired" ? this.#clock.safeUntilMs : NEVER;
  }

  /** Looks whether time has passed the session; first thing in every input. */
  #checkClock(nowMs: number): void {
    if (nowMs < this.#clock.safeUntilMs || !this.#hasSession) return;
    if (this.#state !== "maybeExpired") {
      this.#state = "maybeExpired";
      const lateMs = nowMs - this.#clock.safeUntilMs;
      this.#port.event({ type: "maybeExpired", sessionId: this.#sessionId, lateMs });
    }
    const asking = this.#phase === "open" || this.#phase === "handshake";
    if (nowMs >= this.#clock.givenUpAtMs && !asking) this.#expired("client", nowMs);
  }

  acknowledged(sentMs: number): void {
    this.#clock.acknowledged(sentMs);
  }

  /** After a stall the session proved to be alive after all. */
  #confirm(nowMs: number): void {
    if (this.#state === "maybeExpired" && nowMs < this.#clock.safeUntilMs) this.#tellConnected(true);
  }

  // --- endings

  #expired(by: "server" | "client", nowMs: number): void {
    const sessionId = this.#sessionId;
    this.#state = "expired";
    this.#exchange.queue.failAll((request) => overError(contextOf(request), "expired"));
    if (!this.#options.renewSession) {
      this.#finish("expired", { type: "expired", sessionId, by });
      return;
    }
    this.#sessionId = 0n;
    this.#password = NO_PASSWORD;
    this.#known = false;
    this.#exchange.sessionEnded();
    this.#state = "connecting";
    if (this.#phase !== "waiting") this.#port.disconnect();
    this.#exchange.lost(this.server, new Error("the session expired"));
    this.#phase = "waiting";
    this.#port.event({ type: "expired", sessionId, by });
    if (this.#phase === "waiting") this.#connectNext(nowMs);
  }

  authRefused(credential: Credential): void {
    this.#finish("authFailed", { type: "authFailed", scheme: credential.scheme });
  }

  #finish(state: "expired" | "authFailed" | "closed", event: SessionEvent = { type: "closed" }): void {
    if (this.#phase === "over") return;
    if (this.#phase !== "idle" && this.#phase !== "waiting") this.#port.disconnect();
    this.#phase = "over";
    this.#phaseEndsMs = NEVER;
    this.#state = state;
    this.#exchange.queue.failAll((request) => overError(contextOf(request), state));
    this.#exchange.credentials.failAll(() => overError({ op: "addAuth" }, state));
    this.#port.event(event);
    this.#exchange.watches.lose(state);
  }
}

function contextOf(request: Request): ErrorContext {
  return { op: request.operation.name, path: request.callerPath, mayHaveHappened: mayHaveHappened(request) };
}

function overError(context: ErrorContext, state: SessionState): Error {
  if (state === "authFailed") {
    return new AuthFailedError(ErrorCode.AUTHFAILED, { ...context, detail: "the server refused an identity" });
  }
  if (state === "expired") {
    return new SessionExpiredError(ErrorCode.SESSIONEXPIRED, { ...context, detail: "make a new client" });
  }
  return new ClosedError(ErrorCode.SESSIONEXPIRED, { ...context, detail: "the client was closed" });
}
