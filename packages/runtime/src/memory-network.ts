/**
 * Networks in memory: hosts with addresses, joined by cables that delay, stall and break on demand. Bytes arrive in
 * order. Everything happens by the clock, so a virtual one makes every run alike.
 */
import type { Clock } from "./clock.ts";
import {
  type Connection,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  takeBack,
} from "./network.ts";

export interface MemoryNetworkOptions {
  clock: Clock;
  /** How long bytes travel from one host to another. Default: no time. */
  latencyMs?: (from: string, to: string) => number;
}

interface Endpoint {
  readonly lendsInput: boolean;
  readonly onConnection: (connection: Connection) => void;
}

/** Where `write` begins to return false. */
const HIGH_WATER_BYTES = 64 * 1024;
const FIRST_EPHEMERAL_PORT = 49152;
const nothing = (): void => {};

export class MemoryNetwork {
  readonly clock: Clock;
  readonly latencyMs: (from: string, to: string) => number;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #connections = new Set<MemoryConnection>();
  readonly #cut = new Set<string>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock;
    this.latencyMs = options.latencyMs ?? (() => 0);
  }

  /** The network as the host with this address sees it. */
  host(address: string): Network {
    return {
      listen: (options, onConnection) => this.#listen(address, options, onConnection),
      connect: (options) => this.#connect(address, options),
    };
  }

  /** Nothing from `from` reaches `to` any more; neither end is told. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from} ${to}`);
  }

  /** What was held back arrives, and all goes on. */
  heal(from: string, to: string): void {
    this.#cut.delete(`${from} ${to}`);
    for (const connection of [...this.#connections]) connection.deliver();
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from} ${to}`);
  }

  /** Breaks all connections of a host, as its death would. */
  reset(address: string): void {
    for (const connection of [...this.#connections]) {
      if (connection.localAddress === address) connection.abort("ECONNRESET");
    }
  }

  /** Without latency, soon: the timers of a real clock take a millisecond at least. */
  after(delayMs: number, action: () => void): void {
    if (delayMs > 0) this.clock.setTimer(delayMs, action);
    else this.clock.defer(action);
  }

  forget(connection: MemoryConnection): void {
    this.#connections.delete(connection);
  }

  async #listen(
    address: string,
    options: ListenOptions,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    const port = options.port === 0 ? this.#nextPort++ : options.port;
    const key = `${address} ${port}`;
    if (this.#endpoints.has(key)) throw failure("EADDRINUSE", `${address}:${port} is in use`);
    this.#endpoints.set(key, { onConnection, lendsInput: options.lendsInput ?? false });
    return { host: address, port, close: async () => void this.#endpoints.delete(key) };
  }

  #connect(from: string, options: ConnectOptions): Connection {
    const { host, port, timeoutMs } = options;
    const near = new MemoryConnection(this, { address: from, port: this.#nextPort++ }, options.lendsInput);
    this.#connections.add(near);
    const timeout =
      timeoutMs === undefined
        ? null
        : this.clock.setTimer(timeoutMs, () => near.abort("ETIMEDOUT", `not connected after ${timeoutMs} ms`));
    const arrive = (): void => {
      if (near.isClosed || this.isCut(from, host) || this.isCut(host, from)) return;
      timeout?.cancel();
      const endpoint = this.#endpoints.get(`${host} ${port}`);
      if (endpoint === undefined) return near.abort("ECONNREFUSED", `connect ECONNREFUSED ${host}:${port}`);
      const far = new MemoryConnection(this, { address: host, port }, endpoint.lendsInput);
      this.#connections.add(far);
      near.join(far);
      far.join(near);
      endpoint.onConnection(far);
      if (!near.isClosed) near.onConnect();
    };
    this.after(this.latencyMs(from, host) + this.latencyMs(host, from), arrive);
    return near;
  }
}

/** A piece on its way; null says that no more follows. */
interface Parcel {
  readonly bytes: Uint8Array | null;
  readonly arrivesMs: number;
}

class MemoryConnection implements Connection {
  remoteAddress = "";
  remotePort = 0;
  readonly localAddress: string;
  readonly localPort: number;
  onConnect: () => void = nothing;
  onData: (chunk: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onEnd: () => void = () => this.end();
  onClose: (error: Error | null) => void = nothing;
  bufferedBytes = 0;
  isClosed = false;
  readonly #network: MemoryNetwork;
  readonly #lendsInput: boolean;
  #peer: MemoryConnection | null = null;
  /** What was sent from here and has not yet arrived there. */
  readonly #outgoing: Parcel[] = [];
  #paused = false;
  #wantsDrain = false;
  #ended = false;
  #peerEnded = false;

  constructor(network: MemoryNetwork, local: { address: string; port: number }, lendsInput = false) {
    this.#network = network;
    this.#lendsInput = lendsInput;
    this.localAddress = local.address;
    this.localPort = local.port;
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer;
    this.remoteAddress = peer.localAddress;
    this.remotePort = peer.localPort;
    // What was written before the connection stood sets out now.
    if (this.#outgoing.length > 0) this.#network.clock.defer(() => this.deliver());
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.isClosed) return false;
    this.#send(bytes.slice());
    this.bufferedBytes += bytes.length;
    if (this.bufferedBytes < HIGH_WATER_BYTES) return true;
    this.#wantsDrain = true;
    return false;
  }

  #send(bytes: Uint8Array | null): void {
    const { clock } = this.#network;
    const latencyMs = this.#peer === null ? 0 : this.#network.latencyMs(this.localAddress, this.remoteAddress);
    const arrivesMs = Math.max(clock.monotonicMs() + latencyMs, this.#outgoing.at(-1)?.arrivesMs ?? 0);
    this.#outgoing.push({ bytes, arrivesMs });
    this.#network.after(arrivesMs - clock.monotonicMs(), () => this.deliver());
  }

  /** Hands over what has arrived, unless the cable is cut or the other end does not want it now. */
  deliver(): void {
    const peer = this.#peer;
    if (peer === null) return;
    for (let parcel = this.#outgoing[0]; parcel !== undefined; parcel = this.#outgoing[0]) {
      if (this.isClosed || peer.isClosed || peer.#paused) return;
      if (parcel.arrivesMs > this.#network.clock.monotonicMs()) return;
      if (this.#network.isCut(this.localAddress, this.remoteAddress)) return;
      this.#outgoing.shift();
      if (parcel.bytes === null) peer.#receiveEnd();
      else this.#handOver(parcel.bytes, peer);
    }
  }

  #handOver(bytes: Uint8Array, peer: MemoryConnection): void {
    this.bufferedBytes -= bytes.length;
    peer.onData(bytes);
    if (peer.#lendsInput) takeBack(bytes);
    if (this.#wantsDrain && this.bufferedBytes === 0 && !this.isClosed) {
      this.#wantsDrain = false;
      this.onDrain();
    }
  }

  #receiveEnd(): void {
    this.#peerEnded = true;
    this.onEnd();
    this.#closeIfBothEnded();
    if (this.#peer !== null) this.#peer.#closeIfBothEnded();
  }

  #closeIfBothEnded(): void {
    if (this.#ended && this.#peerEnded && this.#outgoing.length === 0) this.#close(null);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#network.clock.defer(() => this.#peer?.deliver());
  }

  end(): void {
    if (this.#ended || this.isClosed) return;
    this.#ended = true;
    this.#send(null);
  }

  destroy(): void {
    const peer = this.#peer;
    this.#close(null);
    if (peer !== null) this.#network.clock.defer(() => peer.abort("ECONNRESET"));
  }

  /** The connection breaks: both ends hear of it. */
  abort(code: string, message = `${code}: the connection broke`): void {
    const peer = this.#peer;
    this.#close(failure(code, message));
    if (peer !== null && !peer.isClosed) this.#network.clock.defer(() => peer.abort(code, message));
  }

  #close(error: Error | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#outgoing.length = 0;
    this.bufferedBytes = 0;
    this.#network.forget(this);
    this.#network.clock.defer(() => this.onClose(error));
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
