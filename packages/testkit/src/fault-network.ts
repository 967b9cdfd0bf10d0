/**
 * The network between a test server and its clients, on which faults can be ordered: bytes held back, late, or cut off
 * before a request or a reply. It wraps the connections that the real listener accepts; without orders it only passes on.
 *
 *   client ⇄ socket ⇄ FaultyConnection ⇄ server
 *   seed() ⇄ memory ─ the back door, past all faults ─ ⇄ server
 *
 * It outlives the servers behind it: a restarted one finds the same faults, except that it is not paused.
 */
import {
  type Clock,
  type Connection,
  type Listener,
  type ListenOptions,
  MemoryNetwork,
  type Network,
} from "@vivarium/runtime";
import { FaultyConnection } from "./faulty-connection.ts";

/** Where clients of the back door come from, so that limits per address do not mix them with the test's own. */
export const BACK_DOOR_ADDRESS = "127.0.0.2";

export class FaultNetwork implements Network {
  readonly clock: Clock;
  readonly #inner: Network;
  readonly #connections = new Set<FaultyConnection>();
  #listener: Listener | null = null;
  #backDoor: MemoryNetwork;
  /** Orders not yet carried out, the oldest first; each is the types of which the next one is lost. */
  readonly #lostReplies: (readonly number[])[] = [];
  readonly #lostRequests: (readonly number[])[] = [];
  #paused = false;
  /** How much later than it is sent everything from the server arrives. */
  delayMs = 0;

  constructor(inner: Network, clock: Clock) {
    this.#inner = inner;
    this.clock = clock;
    this.#backDoor = new MemoryNetwork({ clock });
  }

  /** True: nothing comes in and nothing goes out, as if the server's process stood still. */
  get paused(): boolean {
    return this.#paused;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    for (const connection of [...this.#connections]) connection.hold(paused);
  }

  loseReply(types: readonly number[]): void {
    this.#lostReplies.push(types);
  }

  loseRequest(types: readonly number[]): void {
    this.#lostRequests.push(types);
  }

  /** Whether this request is to be lost; asked once for each. */
  losesRequest(type: number): boolean {
    return takeOrder(this.#lostRequests, type);
  }

  /** Whether the reply to a request of this type is to be lost; asked once for each. */
  losesReply(type: number): boolean {
    return takeOrder(this.#lostReplies, type);
  }

  /** Reaches the server whatever faults are ordered. */
  get backDoor(): Pick<Network, "connect"> {
    return this.#backDoor.host(BACK_DOOR_ADDRESS);
  }

  async listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener> {
    // Requests are held back here, and so have to be ours to keep.
    const listener = await this.#inner.listen({ ...options, lendsInput: false }, (socket) => {
      const connection = new FaultyConnection(socket, this);
      this.#connections.add(connection);
      connection.onForgotten = () => this.#connections.delete(connection);
      if (this.#paused) connection.hold(true);
      onConnection(connection);
    });
    this.#listener = listener;
    this.#backDoor = new MemoryNetwork({ clock: this.clock });
    await this.#backDoor.host(listener.host).listen({ port: listener.port }, onConnection);
    return listener;
  }

  connect(options: Parameters<Network["connect"]>[0]): Connection {
    return this.#inner.connect(options);
  }

  /** Ends all faults: what waits goes on its way at once, and orders are forgotten. */
  calm(): void {
    this.#paused = false;
    this.delayMs = 0;
    this.#lostReplies.length = 0;
    this.#lostRequests.length = 0;
    for (const connection of [...this.#connections]) connection.hurry();
  }

  /** The server's process is gone: its port is closed, its connections break, and it hears of nothing any more. */
  async sever(): Promise<void> {
    for (const connection of [...this.#connections]) connection.sever();
    this.#paused = false;
    this.#backDoor = new MemoryNetwork({ clock: this.clock });
    await this.#listener?.close();
  }
}

function takeOrder(orders: (readonly number[])[], type: number): boolean {
  const at = orders.findIndex((types) => types.includes(type));
  if (at === -1) return false;
  orders.splice(at, 1);
  return true;
}
