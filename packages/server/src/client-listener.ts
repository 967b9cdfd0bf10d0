/**
 * Accepts clients, within the limits on their number, and turns what their sockets deliver into calls: four-letter
 * words, the ConnectRequest, then requests. Whatever nonsense a client sends closes its own connection and nothing else.
 *
 * What a turn of the event loop has no time for is done in the next ones:
 *
 *   bytes ─► frames ─┬───────────────────► requests ─► output ─► OutputQueue ─► sockets
 *                    └► LateQueue ─► ... ─►┘
 *
 * Source: client protocol facts, sections 1 and 14. @see NIOServerCnxnFactory
 */
import { ProtocolError } from "@vivarium/jute";
import type { Id } from "@vivarium/protocol";
import type { Clock, Connection, Listener, Network, Timer } from "@vivarium/runtime";
import { ClientConnection, type ConnectionHost } from "./client-connection.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { LateQueue } from "./late-queue.ts";
import type { LogThrottle } from "./log/index.ts";
import { OutputQueue } from "./output-queue.ts";
import type { ServerStats } from "./server-stats.ts";
import { TurnBudget } from "./turn-budget.ts";
import { TurnClock } from "./turn-clock.ts";

export interface ListenerLimits {
  /** Connections per client address; 0 or less: no limit. */
  maxClientCnxns: number;
  /** Connections altogether; 0 or less: no limit. */
  maxCnxns: number;
  /** A connection without a session is closed after this time. */
  sessionlessTimeoutMs: number;
  /** Largest frame accepted (`jute.maxbuffer`). */
  maxFrameBytes: number;
}

/** Who serves the clients at present: one term as standalone server, leader, follower or observer. */
export interface ClientService {
  /** Whether these identities may see events of a node with this ACL. */
  mayRead(aclId: number, authInfo: readonly Id[]): boolean;
  /** The current frame is the ConnectRequest. */
  connect(connection: ClientConnection, nowMs: number): void;
  /** More bytes of an open connection have arrived. */
  drain(connection: ClientConnection, nowMs: number): void;
  /** A socket has taken what it was given. */
  drained(nowMs: number): void;
  /** The connection is over: what it has asked for is forgotten. */
  closing(connection: ClientConnection): void;
}

export interface ListenerOptions {
  clock: Clock;
  limits: ListenerLimits;
  stats: ServerStats;
  log: LogThrottle;
  /** The first four bytes as an integer: handles them and returns true if they are a four-letter word. */
  fourLetterWord(connection: ClientConnection, word: number): boolean;
}

/** How often connections are looked through for those that have been silent too long, in milliseconds. */
const SWEEP_MS = 1000;
/** Connections closed for silence between looks at the clock. */
const SWEEP_SLICE = 16;

export class ClientListener implements ConnectionHost {
  /** Null while there is nobody to serve: then only four-letter words are answered. */
  service: ClientService | null = null;
  readonly stats: ServerStats;
  readonly turn: TurnClock;
  readonly budget: TurnBudget;
  readonly #host: ListenerOptions;
  readonly #connections = new Map<number, ClientConnection>();
  readonly #perAddress = new Map<string, number>();
  readonly #expiry: ExpiryQueue<ClientConnection>;
  readonly #output: OutputQueue;
  readonly #late: LateQueue;
  #listener: Listener | null = null;
  #sweep: Timer | null = null;
  #nextId = 1;

  constructor(host: ListenerOptions) {
    this.#host = host;
    this.stats = host.stats;
    const { clock } = host;
    this.turn = new TurnClock(clock);
    this.budget = new TurnBudget(clock);
    this.#output = new OutputQueue({ clock, turn: this.turn, budget: this.budget });
    this.#late = new LateQueue({
      clock,
      budget: this.budget,
      attend: (connection, nowMs) => this.#attendToLate(connection, nowMs),
      attended: () => this.flush(),
    });
    this.#expiry = new ExpiryQueue(host.limits.sessionlessTimeoutMs);
  }

  async listen(
    network: Network,
    at: { host: string | undefined; port: number; backlog: number; keepAlive: boolean; busyPollMs: number },
  ): Promise<{ host: string; port: number }> {
    const { port, keepAlive, busyPollMs } = at;
    const host = at.host === undefined ? {} : { host: at.host };
    const backlog = at.backlog > 0 ? { backlog: at.backlog } : {};
    const options = { port, keepAlive, busyPollMs, lendsInput: true, ...host };
    const onError = (error: Error) => this.#host.log.warn("could not accept a connection", { error });
    this.#listener = await network.listen({ ...options, ...backlog, onError }, (socket) => this.#accept(socket));
    this.#scheduleSweep();
    return { host: this.#listener.host, port: this.#listener.port };
  }

  /** Accepts no more; the connections that exist stay. */
  async close(): Promise<void> {
    this.#sweep?.cancel();
    await this.#listener?.close();
  }

  /** Takes up no more requests; what is under way goes on. */
  stopReading(): void {
    for (const connection of this.#connections.values()) {
      // One that is closed still waits for its client's end.
      if (connection.state === "closed") continue;
      connection.throttled = true;
      connection.socket.pause();
    }
  }

  get size(): number {
    return this.#connections.size;
  }

  connections(): IterableIterator<ClientConnection> {
    return this.#connections.values();
  }

  expirySets(): Generator<readonly [dueMs: number, connections: ReadonlySet<ClientConnection>]> {
    return this.#expiry.sets();
  }

  mayRead(aclId: number, authInfo: readonly Id[]): boolean {
    return this.service?.mayRead(aclId, authInfo) ?? false;
  }

  closing(connection: ClientConnection): void {
    this.service?.closing(connection);
  }

  /** The term of service ends: its clients go, and look for a server that has one. */
  endService(reason: string): void {
    for (const connection of [...this.#connections.values()]) connection.close(reason);
    this.service = null;
  }

  needsFlush(connection: ClientConnection): void {
    this.#output.push(connection);
  }

  /** Everything that was produced leaves, as far as the turn has time for it. */
  flush(): void {
    this.#output.flush();
  }

  /** What the connection has sent is done in a later turn. */
  postpone(connection: ClientConnection): void {
    this.#late.push(connection);
  }

  /** The connection has shown life. */
  touch(connection: ClientConnection, nowMs: number): void {
    const timeoutMs = connection.session?.timeoutMs ?? this.#host.limits.sessionlessTimeoutMs;
    this.#expiry.touch(connection, timeoutMs, nowMs);
  }

  #accept(socket: Connection): void {
    const { limits, clock, log } = this.#host;
    const address = socket.remoteAddress;
    const fromAddress = this.#perAddress.get(address) ?? 0;
    if (limits.maxClientCnxns > 0 && fromAddress >= limits.maxClientCnxns) {
      this.stats.connectionsRejected++;
      log.warn("refused a client: too many connections from its address", {
        address,
        maxClientCnxns: limits.maxClientCnxns,
      });
      return socket.destroy();
    }
    if (limits.maxCnxns > 0 && this.#connections.size >= limits.maxCnxns) {
      this.stats.connectionsRejected++;
      log.warn("refused a client: too many connections", { address, maxCnxns: limits.maxCnxns });
      return socket.destroy();
    }
    const nowMs = clock.monotonicMs();
    const connection = new ClientConnection({
      id: this.#nextId++,
      socket,
      host: this,
      maxFrameBytes: limits.maxFrameBytes,
      nowMs,
      wallMs: clock.wallMs(),
    });
    this.#connections.set(connection.id, connection);
    this.#perAddress.set(address, fromAddress + 1);
    this.touch(connection, nowMs);
    socket.onData = (chunk) => this.#received(connection, chunk);
    socket.onDrain = () => this.#drained(connection);
    socket.onEnd = () => this.#ended(connection);
    socket.onClose = (error) => this.#gone(connection, error);
  }

  #received(connection: ClientConnection, chunk: Uint8Array): void {
    if (connection.state === "closed") return;
    const nowMs = this.#host.clock.monotonicMs();
    connection.arrivedMs = nowMs;
    this.stats.bytesReceived += chunk.length;
    this.touch(connection, nowMs);
    connection.frames.append(chunk);
    if (this.#hasTime(nowMs)) {
      this.#advance(connection, nowMs);
      connection.frames.keep();
      this.#output.gather(connection, nowMs);
    } else {
      connection.frames.keep();
      this.postpone(connection);
    }
    this.budget.end();
  }

  /** Nobody waits from an earlier turn, and this one has time left. */
  #hasTime(nowMs: number): boolean {
    return this.budget.begin(nowMs) && this.#late.isEmpty;
  }

  #attendToLate(connection: ClientConnection, nowMs: number): void {
    this.#advance(connection, nowMs);
    connection.frames.keep();
    if (connection.hasEnded && !connection.isLate) endWith(connection);
  }

  #ended(connection: ClientConnection): void {
    connection.hasEnded = true;
    if (this.#hasTime(this.#host.clock.monotonicMs())) endWith(connection);
    else this.postpone(connection);
    this.budget.end();
  }

  #drained(connection: ClientConnection): void {
    connection.taken();
    const nowMs = this.#host.clock.monotonicMs();
    this.budget.begin(nowMs);
    this.service?.drained(nowMs);
    this.flush();
    this.budget.end();
  }

  /** Closes a connection that has sent what nobody can understand, with one log line. */
  nonsense(connection: ClientConnection, error: ProtocolError): void {
    this.#host.log.warn("closed a connection that sent nonsense", {
      client: connection.describe(),
      problem: error.message,
    });
    connection.close("nonsense");
  }

  #advance(connection: ClientConnection, nowMs: number): void {
    try {
      this.#takeUp(connection, nowMs);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.nonsense(connection, error);
    }
  }

  #takeUp(connection: ClientConnection, nowMs: number): void {
    if (connection.state === "new") {
      const first = connection.frames.peekInt();
      if (first === undefined || this.#host.fourLetterWord(connection, first)) return;
      if (!connection.frames.next()) return;
      connection.countReceived();
      if (this.service === null) return connection.close("this server is not in service");
      this.service.connect(connection, nowMs);
    }
    if (connection.state === "open") this.service?.drain(connection, nowMs);
  }

  #gone(connection: ClientConnection, error: Error | null): void {
    if (!this.#connections.delete(connection.id)) return;
    this.#expiry.remove(connection);
    const address = connection.socket.remoteAddress;
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
    if (connection.state !== "closed") this.stats.connectionsDropped++;
    connection.close(error?.message ?? "closed by its client");
  }

  #scheduleSweep(delayMs = SWEEP_MS): void {
    this.#sweep = this.#host.clock.setTimer(delayMs, () => this.#scheduleSweep(this.#closeSilent() ? 0 : SWEEP_MS));
  }

  /** Closes who has been silent for too long, as far as the turn has time for it; returns whether there are more. */
  #closeSilent(): boolean {
    const nowMs = this.#host.clock.monotonicMs();
    this.budget.beginShare(nowMs);
    for (;;) {
      const silent = this.#expiry.takeDue(nowMs, SWEEP_SLICE);
      for (const connection of silent) {
        if (connection.session === null) this.stats.sessionlessExpired++;
        connection.close("nothing was received for the whole timeout");
        // A peer that does not answer our end of the connection must not hold it open.
        connection.socket.destroy();
      }
      if (silent.length < SWEEP_SLICE) return false;
      if (this.budget.isOver()) return true;
    }
  }
}

/** The client will say no more, but still gets the answer to its four-letter word. */
function endWith(connection: ClientConnection): void {
  if (connection.state === "answering") return;
  connection.flush();
  connection.socket.end();
}
