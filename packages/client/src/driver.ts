/**
 * Performs what the session machine asks for: one network connection, one timer, one write per turn of the event loop.
 *
 * Everything that a turn produces lies in the machine's output and leaves when the turn's promise continuations have
 * run, so that a thousand calls, or the thousand continuations of a thousand answers, become one write.
 */
import type { Clock, Connection, Network, Timer } from "@vivarium/runtime";
import type { Host } from "./connect-string.ts";
import type { Credential } from "./credentials.ts";
import type { Settings } from "./options.ts";
import type { Request } from "./request.ts";
import type { SessionEvent } from "./session-event.ts";
import { type MachineOptions, type MachinePort, SessionMachine } from "./session-machine.ts";
import { type Guarded, guard, unguard } from "./stall-guard.ts";

const OUTPUT_BYTES = 64 * 1024;
/** After a burst the output's memory is given back. */
const OUTPUT_KEPT_BYTES = 1024 * 1024;

export class Driver implements MachinePort, Guarded {
  readonly machine: SessionMachine;
  readonly #clock: Clock;
  readonly #network: Pick<Network, "connect">;
  readonly #onEvent: (event: SessionEvent) => void;
  readonly #guards: boolean;
  #connection: Connection | undefined;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  /** True from the first request of a turn until its output leaves. */
  #flushing = false;
  /** The time of this turn, read once for all its requests. */
  #turnMs = 0;

  constructor(settings: Settings, onEvent: (event: SessionEvent) => void) {
    this.#clock = settings.clock;
    this.#network = settings.network;
    this.#onEvent = onEvent;
    this.#guards = settings.stallGuard;
    const { maxQueuedRequests: maxQueued, ...others } = settings;
    this.machine = new SessionMachine({ ...others, maxQueued } satisfies MachineOptions, this, settings.random);
    this.#useOutput();
  }

  get nowMs(): number {
    return this.#clock.monotonicMs();
  }

  // --- what the client asks for

  submit(request: Request, timeoutMs: number): void {
    if (!this.#flushing) this.#turnMs = this.nowMs;
    request.deadlineMs = this.#turnMs + timeoutMs;
    this.machine.submit(request, this.#turnMs);
    this.#flushSoon();
    if (request.deadlineMs < this.#timerAtMs) this.#arm();
  }

  cancel(request: Request, error: () => Error): void {
    this.machine.cancel(request, error);
  }

  addAuth(credential: Credential): void {
    this.machine.addAuth(credential);
    this.#flushSoon();
  }

  useHosts(hosts: readonly Host[]): void {
    this.machine.useHosts(hosts, this.nowMs);
    this.#arm();
  }

  close(): void {
    this.machine.close(this.nowMs);
    this.#flushSoon();
    this.#arm();
  }

  // --- what the machine asks for

  connect(host: Host): void {
    const connection = this.#network.connect({ host: host.host, port: host.port });
    this.#connection = connection;
    connection.onConnect = () => {
      if (this.#connection !== connection) return;
      this.machine.opened(this.nowMs);
      this.#flush();
      this.#arm();
    };
    connection.onData = (chunk) => {
      if (this.#connection !== connection) return;
      this.machine.received(chunk, this.nowMs);
      this.#flushSoon();
      this.#arm();
    };
    connection.onDrain = () => {
      if (this.#connection !== connection) return;
      this.machine.drained(this.nowMs);
      this.#flushSoon();
    };
    connection.onEnd = () => connection.destroy();
    connection.onClose = (error) => {
      if (this.#connection !== connection) return;
      this.machine.dropped(error, this.nowMs);
      this.#flushSoon();
      this.#arm();
    };
  }

  disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.destroy();
  }

  /** `isro` is one of the four-letter words: a connection for itself, answered with "rw" or "ro". */
  probe(host: Host, timeoutMs: number): void {
    const connection = this.#network.connect({ host: host.host, port: host.port });
    const timer = this.#clock.setTimer(timeoutMs, () => connection.destroy(), { background: true });
    let answer = "";
    connection.onConnect = () => connection.write(Buffer.from("isro"));
    connection.onData = (chunk) => {
      answer += Buffer.from(chunk).toString("latin1");
    };
    connection.onEnd = () => connection.destroy();
    connection.onClose = () => {
      timer.cancel();
      if (answer !== "rw") return;
      this.machine.foundReadWrite(host, this.nowMs);
      this.#arm();
    };
  }

  event(event: SessionEvent): void {
    if (this.machine.over) unguard(this);
    else if (this.#guards) guard(this);
    this.#onEvent(event);
  }

  // --- a process that was stopped

  guardAtMs(): number {
    return this.machine.lossAtMs;
  }

  /** Before anybody reads the state, or goes on after a stop: it may have changed by time alone. */
  look(): void {
    const { nowMs } = this;
    if (nowMs < this.machine.lossAtMs) return;
    this.machine.look(nowMs);
    this.#arm();
  }

  // --- time

  /** The timer may fire too early, and is then set anew; it must never be late. */
  #arm(): void {
    if (this.machine.over) {
      this.#stopTimer();
      return;
    }
    const atMs = this.machine.wakeAtMs();
    if (this.#timer !== undefined && this.#timerAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(Math.max(0, atMs - this.nowMs), this.#tick);
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.machine.tick(this.nowMs);
    this.#flush();
    this.#arm();
  };

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  // --- output

  #flushSoon(): void {
    if (this.#flushing || this.machine.output.length === 0) return;
    this.#flushing = true;
    this.#turnMs = this.nowMs;
    // Not within this turn: all its continuations come first.
    this.#clock.defer(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    const { output } = this.machine;
    if (output.length === 0 || this.#connection === undefined) return;
    const nowMs = this.nowMs;
    this.machine.sending(nowMs);
    const connection = this.#connection;
    if (connection === undefined) return;
    const { counters } = this.machine.exchange;
    counters.flushes++;
    counters.sentBytes += output.length;
    const full = !connection.write(output.written());
    if (connection.bufferedBytes > 0 || output.bytes.length > OUTPUT_KEPT_BYTES) this.#useOutput();
    else output.reset();
    this.machine.sent(full && connection.bufferedBytes > 0, nowMs);
    this.#flushSoon();
  };

  /** Gives the output fresh memory: the old still belongs to the network. */
  #useOutput(): void {
    const { output } = this.machine;
    output.bytes = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
    output.view = new DataView(output.bytes.buffer);
    output.reset();
  }
}
