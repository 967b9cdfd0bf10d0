/**
 * TCP by node:net. Nagle's algorithm is off: the house writes once per turn of the event loop, so waiting for more only
 * adds delay.
 */
import net from "node:net";
import { availableParallelism } from "node:os";
import { BusyPoll } from "./busy-poll.ts";
import type { Connection, ConnectOptions, Listener, ListenOptions, Network } from "./network.ts";

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const nothing = (): void => {};

export class NodeNetwork implements Network {
  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener> {
    const { host, port, backlog, keepAlive = false, lendsInput = false, busyPollMs = 0, onError = nothing } = options;
    const lends = lendsInput && canLend;
    const poll = newBusyPoll(busyPollMs);
    const server = net.createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive, pauseOnConnect: lends },
      (socket) => onConnection(lends ? lendingConnection(socket, poll) : new NodeConnection(socket)),
    );
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, backlog }, () => {
        server.off("error", reject);
        server.on("error", onError);
        resolve(new NodeListener(server));
      });
    });
  }

  connect(options: ConnectOptions): Connection {
    const { host, port, localAddress, timeoutMs, lendsInput = false } = options;
    const to = { host, port, localAddress, noDelay: true, allowHalfOpen: true };
    if (!lendsInput || !canLend) return new NodeConnection(net.connect(to), timeoutMs);
    const { onread, lendTo } = lentInput(null);
    return lendTo(new NodeConnection(net.connect({ ...to, onread }), timeoutMs));
  }
}

/**
 * Reads of all connections of all listeners that lend their input go here: the operating system fills it, the owner of
 * the connection looks at it, and the next read fills it again. Large, because large values come in fewer pieces then.
 */
const INPUT_BYTES = 256 << 10;
let input: Uint8Array | null = null;

/** On Windows reads of several connections are under way at once, and each needs memory of its own. */
const canLend = process.platform !== "win32";

function newBusyPoll(forMs: number): BusyPoll | null {
  if (forMs === 0 || availableParallelism() === 1) return null;
  return new BusyPoll({ forMs, now: () => performance.now(), defer: setImmediate });
}

/** For a socket that lends its input to the connection that `lendTo` names. */
function lentInput(poll: BusyPoll | null) {
  let connection: NodeConnection | null = null;
  input ??= new Uint8Array(INPUT_BYTES);
  const callback = (size: number, bytes: Uint8Array): boolean => {
    poll?.input();
    connection?.onData(bytes.subarray(0, size));
    return true;
  };
  const lendTo = (owner: NodeConnection): NodeConnection => {
    connection = owner;
    return owner;
  };
  return { onread: { buffer: input, callback }, lendTo };
}

/**
 * Node.js takes `onread` for sockets that connect, not for those that a server accepts. So the accepted socket, of which
 * nothing has been read, gives its handle to one that has it. Without a handle to take, it is read as usual.
 */
function lendingConnection(accepted: net.Socket, poll: BusyPoll | null): NodeConnection {
  const { _handle: handle } = accepted as net.Socket & { _handle?: object | null };
  if (!handle) {
    accepted.resume();
    return new NodeConnection(accepted);
  }
  const { onread, lendTo } = lentInput(poll);
  const options = { handle, allowHalfOpen: true, onread };
  return lendTo(new NodeConnection(new net.Socket(options as net.SocketConstructorOpts)));
}

class NodeListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #server: net.Server;

  constructor(server: net.Server) {
    const address = server.address() as net.AddressInfo;
    this.host = address.address;
    this.port = address.port;
    this.#server = server;
  }

  close(): Promise<void> {
    // Node's callback waits for the last connection as well, but only the port is closed here.
    this.#server.close();
    return Promise.resolve();
  }
}

class NodeConnection implements Connection {
  remoteAddress = "";
  remotePort = 0;
  localAddress = "";
  localPort = 0;
  onConnect: () => void = nothing;
  onData: (chunk: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onEnd: () => void = () => this.end();
  onClose: (error: Error | null) => void = nothing;
  readonly #socket: net.Socket;
  #error: Error | null = null;

  constructor(socket: net.Socket, connectTimeoutMs?: number) {
    this.#socket = socket;
    if (socket.connecting) this.#awaitConnect(connectTimeoutMs);
    else this.#learnAddresses();
    socket.on("data", (chunk: Buffer) => this.onData(chunk));
    socket.on("drain", () => this.onDrain());
    socket.on("end", () => this.onEnd());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => this.onClose(this.#error));
  }

  #awaitConnect(timeoutMs: number | undefined): void {
    const socket = this.#socket;
    const timeout =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            const error = new Error(`not connected after ${timeoutMs} ms`);
            socket.destroy(Object.assign(error, { code: "ETIMEDOUT" }));
          }, timeoutMs);
    socket.once("connect", () => {
      clearTimeout(timeout);
      this.#learnAddresses();
      this.onConnect();
    });
    socket.once("close", () => clearTimeout(timeout));
  }

  /** Kept, because the socket forgets them when it closes. */
  #learnAddresses(): void {
    const socket = this.#socket;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = plainAddress(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.writable && this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    // Of a socket that is gone, Node would make an error that nobody wants, and its stack.
    if (this.#socket.writable) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return IPV4_IN_IPV6.exec(address)?.[1] ?? address;
}
