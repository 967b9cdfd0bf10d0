/**
 * Byte streams between two ends, as TCP gives them: in order, without boundaries, and cut off at any moment.
 *
 * A connection tells its owner what happens through four plain properties, set before any of them can be called:
 * directly in `onConnection`, or directly after `connect`. Order: onConnect (only `connect`), then any number of
 * onData and onDrain, onEnd at most once, then, whatever happened, onClose exactly once and nothing after it.
 */
export interface Connection {
  /** The other end as numbers ("127.0.0.1", "::1"); an IPv4 address never appears in its IPv6 form. "" until connected. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes written here that the operating system has not yet taken. */
  readonly bufferedBytes: number;

  onConnect: () => void;
  /** `chunk` is this callback's to keep, unless the connection lends its input. */
  onData: (chunk: Uint8Array) => void;
  /** All of what made `write` return false has left. */
  onDrain: () => void;
  /** The other end will send no more. Does `end()` unless replaced. */
  onEnd: () => void;
  /** It is over; `error` says why unless both ends agreed. Nothing more will be sent or received. */
  onClose: (error: Error | null) => void;

  /**
   * Sends all of `bytes`, which must not change until they have left. False: more is waiting than is good, so stop until
   * onDrain. After `end` or `destroy`, and after the connection broke, it does nothing.
   */
  write(bytes: Uint8Array): boolean;
  /** No onData until `resume`; the other end is slowed down in turn. */
  pause(): void;
  resume(): void;
  /** Sends what is waiting, then says that no more follows. The connection closes when both ends have done so. */
  end(): void;
  /** Closes now; what is waiting is lost. */
  destroy(): void;
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Accepts no more; connections that exist stay. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** Address or name to listen on; without it, every address of this machine. */
  host?: string;
  /** 0: any free port; see `Listener.port`. */
  port: number;
  /** Connections that may wait to be accepted. Default: the operating system's. */
  backlog?: number;
  /** The operating system probes idle connections and breaks those whose other end has vanished. Default false. */
  keepAlive?: boolean;
  /**
   * What `onData` gets is lent: it lies in memory that is used again as soon as the call returns, so what is to be kept
   * has to be copied. It saves an allocation for each read of each connection. Default false.
   */
  lendsInput?: boolean;
  /**
   * After input, the event loop looks for more for this long before it sleeps, as long as input comes that quickly. A
   * request for speed: without `lendsInput`, and where no second processor is free, it is not heeded. Default 0.
   */
  busyPollMs?: number;
  /** Accepting failed, for example because no file descriptors are left; the listener goes on. */
  onError?: (error: Error) => void;
}

export interface ConnectOptions {
  host: string;
  port: number;
  /** Gives up, with an error, when not connected after this time. Default: the operating system's patience. */
  timeoutMs?: number;
  /** The local address to connect from. */
  localAddress?: string;
  /** As for listening. */
  lendsInput?: boolean;
}

export interface Network {
  /** Rejects with a `code`, as Node.js does: EADDRINUSE, EACCES, ENOTFOUND. */
  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener>;
  /** Returns at once; onConnect or onClose tells what came of it, never within this call. */
  connect(options: ConnectOptions): Connection;
}

/** For networks in memory: takes back what was lent, so that whoever goes on reading it notices. */
export function takeBack(lent: Uint8Array): void {
  lent.fill(0xa5);
}
