/**
 * The cables between machines: byte streams in order, as TCP gives them, with latency, stalls, one-way cuts and resets.
 *
 * A cut holds back what travels in its direction, as a router that drops packets does: TCP sends again, and all arrives
 * when the cut has healed, unless somebody lost patience meanwhile. Nobody is told of a cut.
 */
import type { Connection, ConnectOptions, Listener, ListenOptions, Network } from "@vivarium/runtime";
import type { Dice } from "./dice.ts";
import type { EventLoop, Process } from "./event-loop.ts";
import type { Machine } from "./machine.ts";
import { failure, type Link, SimConnection } from "./sim-connection.ts";
import type { Trace } from "./trace.ts";

interface Endpoint {
  readonly process: Process;
  readonly lendsInput: boolean;
  readonly onConnection: (connection: Connection) => void;
}

/** How often a connection that gets no answer is asked for again. */
const CONNECT_AGAIN_MS = 1000;
const FIRST_EPHEMERAL_PORT = 32768;
const LAST_PORT = 65535;

export class SimNetwork implements Link {
  readonly loop: EventLoop;
  readonly trace: Trace;
  readonly dice: Dice;
  readonly #machines = new Map<string, Machine>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #connections = new Set<SimConnection>();
  readonly #cuts = new Set<string>();
  #nextPort = FIRST_EPHEMERAL_PORT;
  /** Shortest and longest time for bytes from one machine to another, in milliseconds. */
  latency = { fromMs: 0.25, toMs: 1 };
  delivered = 0;
  /** How many of the bytes that arrive pass; the rest stays on the cable until it is healed. Null: all, without asking. */
  passes: ((to: SimConnection, bytes: Uint8Array) => number) | null = null;

  constructor(loop: EventLoop, dice: Dice, trace: Trace) {
    this.loop = loop;
    this.dice = dice;
    this.trace = trace;
  }

  /** The network as the programs of a machine see it. */
  attach(machine: Machine): Network {
    this.#machines.set(machine.address, machine);
    return {
      listen: (options, onConnection) => this.#listen(machine, options, onConnection),
      connect: (options) => this.#connect(machine, options),
    };
  }

  latencyMs(): number {
    return this.dice.ms(this.latency.fromMs, this.latency.toMs);
  }

  // --- faults

  /** Nothing from one machine reaches another any more. */
  cut(from: Machine, to: Machine): void {
    this.#cuts.add(`${from.address} ${to.address}`);
  }

  heal(from: Machine, to: Machine): void {
    this.#cuts.delete(`${from.address} ${to.address}`);
    for (const connection of [...this.#connections]) connection.release(from.address, to.address);
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from} ${to}`);
  }

  /** Breaks the connections between two machines; what was on its way is lost. */
  reset(a: Machine, b: Machine): number {
    let count = 0;
    for (const connection of [...this.#connections]) {
      const { localAddress: local, remoteAddress: remote } = connection;
      if (local !== a.address || remote !== b.address) continue;
      connection.break();
      count++;
    }
    return count;
  }

  /** A process has ended: the operating system closes what it had open. */
  closeAll(machine: Machine): void {
    this.#forgetListeners(machine);
    for (const connection of [...this.#connections]) {
      if (connection.localAddress === machine.address) connection.orphan(true);
    }
  }

  /** A machine has lost its power: the other ends are told nothing. */
  silence(machine: Machine): void {
    this.#forgetListeners(machine);
    for (const connection of [...this.#connections]) {
      if (connection.localAddress === machine.address) connection.orphan(false);
    }
  }

  #forgetListeners(machine: Machine): void {
    for (const key of [...this.#endpoints.keys()]) {
      if (key.startsWith(`${machine.address} `)) this.#endpoints.delete(key);
    }
  }

  // --- what connections need

  hasPower(address: string): boolean {
    return this.#machines.get(address)?.hasPower ?? false;
  }

  forget(connection: SimConnection): void {
    this.#connections.delete(connection);
  }

  // --- the programs' side

  async #listen(
    machine: Machine,
    options: ListenOptions,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    const port = options.port === 0 ? this.#port() : options.port;
    const key = `${machine.address} ${port}`;
    if (this.#endpoints.has(key)) throw failure("EADDRINUSE", `${machine.address}:${port} is in use`);
    const endpoint = { process: machine.process, lendsInput: options.lendsInput ?? false, onConnection };
    this.#endpoints.set(key, endpoint);
    const close = async (): Promise<void> => {
      if (this.#endpoints.get(key) === endpoint) this.#endpoints.delete(key);
    };
    return { host: machine.address, port, close };
  }

  #port(): number {
    const port = this.#nextPort++;
    if (this.#nextPort > LAST_PORT) this.#nextPort = FIRST_EPHEMERAL_PORT;
    return port;
  }

  #connect(machine: Machine, options: ConnectOptions): Connection {
    const { host, port, timeoutMs } = options;
    const local = { address: machine.address, port: this.#port() };
    const near = new SimConnection(this, machine.process, local, options.lendsInput);
    this.#connections.add(near);
    this.loop.after(this.latencyMs(), null, () => this.#knock(near, host, port));
    if (timeoutMs !== undefined) {
      machine.clock.setTimer(timeoutMs, () => {
        if (!near.isConnected) near.fail("ETIMEDOUT", `not connected after ${timeoutMs} ms`);
      });
    }
    return near;
  }

  /** A request for a connection arrives, or does not. */
  #knock(near: SimConnection, host: string, port: number): void {
    if (near.isClosed) return;
    if (this.isCut(near.localAddress, host) || this.isCut(host, near.localAddress) || !this.hasPower(host)) {
      this.loop.after(CONNECT_AGAIN_MS, null, () => this.#knock(near, host, port));
      return;
    }
    const endpoint = this.#endpoints.get(`${host} ${port}`);
    if (endpoint === undefined) {
      this.loop.after(this.latencyMs(), null, () => near.fail("ECONNREFUSED", `connect ECONNREFUSED ${host}:${port}`));
      return;
    }
    const far = new SimConnection(this, endpoint.process, { address: host, port }, endpoint.lendsInput);
    this.#connections.add(far);
    far.join(near);
    near.join(far);
    // The operating system accepts; a frozen program finds out later.
    this.loop.after(0, endpoint.process, () => {
      endpoint.onConnection(far);
      far.accepted();
    });
    near.establish();
  }
}
