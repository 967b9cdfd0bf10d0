/**
 * A network between a test server and its clients on which faults can be ordered: bytes held back, late, or cut off
 * just before a reply. It wraps the connections that the real listener accepts; without orders it only passes on.
 *
 *   client ⇄ socket ⇄ FaultyConnection ⇄ server
 */
import type { Clock, Connection, Listener, ListenOptions, Network } from "@vivarium/runtime";
import { FaultyConnection } from "./faulty-connection.ts";

export class FaultNetwork implements Network {
  readonly #inner: Network;
  readonly #clock: Clock;
  readonly #connections = new Set<FaultyConnection>();
  /** Ops whose next reply is to be lost, in the order in which that was asked for. */
  readonly #dropped: number[] = [];
  #paused = false;
  #delayMs = 0;

  constructor(inner: Network, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** True: nothing comes in and nothing goes out, as if the server's process were stopped. */
  set paused(paused: boolean) {
    this.#paused = paused;
    for (const connection of this.#connections) connection.hold(paused);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Everything that the server sends from now on arrives this much later. */
  set delayMs(delayMs: number) {
    this.#delayMs = delayMs;
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  /** The next reply to a request of this type is lost, and its connection with it; the request is carried out. */
  dropNextReply(op: number): void {
    this.#dropped.push(op);
  }

  /** Whether the reply to a request of this type is to be lost; asked once for each reply. */
  takesReply(op: number): boolean {
    const at = this.#dropped.indexOf(op);
    if (at === -1) return false;
    this.#dropped.splice(at, 1);
    return true;
  }

  get watchesReplies(): boolean {
    return this.#dropped.length > 0;
  }

  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener> {
    return this.#inner.listen(options, (socket) => {
      const connection = new FaultyConnection(socket, this, this.#clock);
      this.#connections.add(connection);
      connection.onForgotten = () => this.#connections.delete(connection);
      if (this.#paused) connection.hold(true);
      onConnection(connection);
    });
  }

  connect(options: Parameters<Network["connect"]>[0]): Connection {
    return this.#inner.connect(options);
  }
}
