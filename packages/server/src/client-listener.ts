/**
 * Accepts clients, within the limits on their number, and turns what their sockets deliver into calls: four-letter
 * words, the ConnectRequest, then requests. Whatever nonsense a client sends closes its own connection and nothing else.
 *
 * At the end of each turn of the event loop, everything that the turn produced leaves in one write per connection: what
 * several sockets delivered is answered together, and with it the writes that became safe meanwhile.
 * Source: client protocol facts, sections 1 and 14. @see NIOServerCnxnFactory
 */
import { ProtocolError } from "@vivarium/jute";
import type { Id } from "@vivarium/protocol";
import type { Clock, Connection, Listener, Network, Timer } from "@vivarium/runtime";
import { ClientConnection, type ConnectionHost } from "./client-connection.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import type { LogThrottle } from "./log/index.ts";
import type { ServerStats } from "./server-stats.ts";
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
/** Connections that get their output between looks at the clock, and for how long in one turn. */
const FLUSH_SLICE = 64;
const FLUSH_BUDGET_MS = 5;
/** How long answers wait for those of other sockets that the same turn still reads. */
const GATHER_MS = 2;
/** Connections closed for silence in one turn. */
const SWEEP_LIMIT = 1000;

export class ClientListener implements ConnectionHost {
  /** Null while there is nobody to serve: then only four-letter words are answered. */
  service: ClientService | null = null;
  readonly stats: ServerStats;
  readonly turn: TurnClock;
  readonly #host: ListenerOptions;
  readonly #connections = new Map<number, ClientConnection>();
  readonly #perAddress = new Map<string, number>();
  readonly #expiry: ExpiryQueue<ClientConnection>;
  readonly #dirty: ClientConnection[] = [];
  #isFlushDue = false;
  /** When the first answer came that has not left. */
  #gatheredMs = 0;
  #listener: Listener | null = null;
  #sweep: Timer | null = null;
  #nextId = 1;

  constructor(host: ListenerOptions) {
    this.#host = host;
    this.stats = host.stats;
    this.turn = new TurnClock(host.clock);
    this.#expiry = new ExpiryQueue(host.limits.sessionlessTimeoutMs);
  }

  async listen(
    network: Network,
    at: { host: string | undefined; port: number; backlog: number; keepAlive: boolean },
  ): Promise<{ host: string; port: number }> {
    const host = at.host === undefined ? {} : { host: at.host };
    const options = { port: at.port, keepAlive: at.keepAlive, lendsInput: true, ...host };
    const backlog = at.backlog > 0 ? { backlog: at.backlog } : {};
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
    this.#dirty.push(connection);
  }

  /** Ends a turn: everything produced in it leaves, or, where that is for thousands, as much as a turn has time for. */
  flush(): void {
    const dirty = this.#dirty;
    const sent = dirty.length > FLUSH_SLICE ? this.#flushSlices() : this.#flushSome(0, dirty.length);
    if (sent === dirty.length) dirty.length = 0;
    else this.#flushLater(sent);
    this.turn.endTurn();
  }

  #flushSome(from: number, to: number): number {
    for (let i = from; i < to; i++) (this.#dirty[i] as ClientConnection).flush();
    return to;
  }

  #flushSlices(): number {
    const { clock } = this.#host;
    const endMs = clock.monotonicMs() + FLUSH_BUDGET_MS;
    let sent = 0;
    do sent = this.#flushSome(sent, Math.min(sent + FLUSH_SLICE, this.#dirty.length));
    while (sent < this.#dirty.length && clock.monotonicMs() < endMs);
    return sent;
  }

  #flushLater(sent: number): void {
    this.#dirty.splice(0, sent);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#host.clock.defer(() => {
      this.#isFlushDue = false;
      this.flush();
    });
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
    socket.onDrain = () => {
      this.service?.drained(clock.monotonicMs());
      this.flush();
    };
    // A client that will say no more still gets the answer to its four-letter word.
    socket.onEnd = () => {
      if (connection.state === "answering") return;
      connection.flush();
      socket.end();
    };
    socket.onClose = (error) => this.#gone(connection, error);
  }

  #received(connection: ClientConnection, chunk: Uint8Array): void {
    if (connection.state === "closed") return;
    const nowMs = this.#host.clock.monotonicMs();
    connection.arrivedMs = nowMs;
    this.stats.bytesReceived += chunk.length;
    this.touch(connection, nowMs);
    connection.frames.append(chunk);
    try {
      this.#advance(connection, nowMs);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.nonsense(connection, error);
    }
    connection.frames.keep();
    this.#gather(nowMs);
  }

  /** Output leaves at the end of the turn, or now if the turn has been long. */
  #gather(nowMs: number): void {
    if (!this.#isFlushDue) this.#gatheredMs = nowMs;
    if (nowMs - this.#gatheredMs > GATHER_MS) this.flush();
    else if (this.#dirty.length > 0) this.#flushSoon();
    else if (!this.#isFlushDue) this.turn.endTurn();
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

  #scheduleSweep(): void {
    this.#sweep = this.#host.clock.setTimer(SWEEP_MS, () => {
      for (const connection of this.#expiry.takeDue(this.#host.clock.monotonicMs(), SWEEP_LIMIT)) {
        if (connection.session === null) this.stats.sessionlessExpired++;
        connection.close("nothing was received for the whole timeout");
        // A peer that does not answer our end of the connection must not hold it open.
        connection.socket.destroy();
      }
      this.#scheduleSweep();
    });
  }
}
