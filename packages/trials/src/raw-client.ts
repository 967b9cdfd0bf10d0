/**
 * A ZooKeeper client that hides nothing and retries nothing: requests leave in the order of the calls, each gets the
 * reply that carries its xid, and a lost connection rejects all that was in flight. It is what the trials watch the
 * server with, so it checks what it can: replies in the order of their requests, zxids that never go back.
 */
import { type Codec, FrameBuffer, Reader, Writer } from "@vivarium/jute";
import { ConnectRequest, ConnectResponse, OpCode, ReplyHeader, RequestHeader, SpecialXid } from "@vivarium/protocol";
import { type Connection, NodeNetwork } from "@vivarium/runtime";

const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const network = new NodeNetwork();

/** The connection ended before the reply came: nobody knows whether the request was carried out. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** The server no longer knows the session. */
export class SessionExpired extends Error {
  override readonly name = "SessionExpired";
}

export interface Session {
  readonly id: bigint;
  readonly password: Uint8Array;
}

export interface ConnectOptions {
  readonly port: number;
  /** A session to resume; a new one otherwise. */
  readonly session?: Session;
  /** Default 30 s. */
  readonly sessionTimeoutMs?: number;
}

export interface Reply {
  readonly err: number;
  readonly zxid: number;
  /** Decodes the body; bytes left over are an error. */
  read<T>(codec: Codec<T>): T;
}

interface Waiter {
  readonly xid: number;
  readonly type: number;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export class RawClient {
  readonly #connection: Connection;
  readonly #frames = new FrameBuffer(MAX_FRAME_BYTES);
  readonly #writer = new Writer(4096);
  readonly #waiting: Waiter[] = [];
  readonly #established: Promise<void>;
  #settle: { resolve: () => void; reject: (error: Error) => void } | null = null;
  #closed: Error | null = null;
  #flushing = false;
  #xid = 0;
  #session: Session = { id: 0n, password: new Uint8Array(16) };
  /** The largest zxid of any reply. */
  lastZxid = 0;
  /** Watch events received. */
  events = 0;

  private constructor({ port, session, sessionTimeoutMs = 30_000 }: ConnectOptions) {
    this.#connection = network.connect({ host: "127.0.0.1", port });
    this.#established = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#connection.onConnect = () => {
      const { id: sessionId, password: passwd } = session ?? this.#session;
      const writer = new Writer();
      ConnectRequest.write(writer, {
        protocolVersion: 0,
        lastZxidSeen: 0,
        timeOut: sessionTimeoutMs,
        sessionId,
        passwd,
      });
      writer.bool(false);
      this.#connection.write(framed(writer.copy()));
    };
    this.#connection.onData = (chunk) => {
      try {
        this.#receive(chunk);
      } catch (error) {
        this.#end(error as Error);
      }
    };
    this.#connection.onClose = (error) =>
      this.#end(new ConnectionLost(error?.message ?? "the server closed the connection"));
  }

  /** @throws ConnectionLost, or SessionExpired if there is no such session to resume */
  static async connect(options: ConnectOptions): Promise<RawClient> {
    const client = new RawClient(options);
    await client.#established;
    return client;
  }

  get session(): Session {
    return this.#session;
  }

  /** Sends one request. Rejects with ConnectionLost, or with an Error if the server broke a promise. */
  request<T>(type: number, codec: Codec<T>, body: T, xid: number = ++this.#xid): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== null) {
        reject(this.#closed);
        return;
      }
      const writer = this.#writer;
      const start = writer.length;
      writer.int(0);
      RequestHeader.write(writer, { xid, type });
      codec.write(writer, body);
      writer.view.setInt32(start, writer.length - start - 4);
      this.#waiting.push({ xid, type, resolve, reject });
      this.#flushSoon();
    });
  }

  /** Cuts the connection; the session lives on. */
  destroy(): void {
    this.#end(new ConnectionLost("cut by the client"));
  }

  /** Requests of one turn leave together. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      if (this.#closed !== null) return;
      this.#connection.write(this.#writer.copy());
      this.#writer.reset();
    });
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closed !== null) return;
    this.#frames.append(chunk);
    while (this.#frames.next()) {
      const { bytes, start, end } = this.#frames;
      const reader = new Reader(bytes.slice(start, end));
      if (this.#settle === null) this.#reply(reader);
      else this.#connected(reader);
    }
  }

  #connected(reader: Reader): void {
    const { timeOut, sessionId, passwd } = ConnectResponse.read(reader);
    if (timeOut <= 0) throw new SessionExpired("the server says that the session has expired");
    this.#session = { id: sessionId, password: passwd ?? new Uint8Array(16) };
    this.#settle?.resolve();
    this.#settle = null;
  }

  #reply(reader: Reader): void {
    const { xid, zxid, err } = ReplyHeader.read(reader);
    if (xid === SpecialXid.notification) {
      this.events++;
      return;
    }
    const waiter = this.#waiting.shift();
    if (waiter === undefined || waiter.xid !== xid) {
      throw new Error(`a reply with xid ${xid} where ${waiter?.xid ?? "none"} was due`);
    }
    if (waiter.type !== OpCode.ping && zxid < this.lastZxid) {
      throw new Error(`zxid 0x${zxid.toString(16)} after 0x${this.lastZxid.toString(16)}`);
    }
    this.lastZxid = Math.max(this.lastZxid, zxid);
    waiter.resolve({ err, zxid, read: (codec) => readAll(codec, reader) });
  }

  #end(error: Error): void {
    if (this.#closed !== null) return;
    this.#closed = error;
    this.#connection.destroy();
    this.#settle?.reject(error);
    this.#settle = null;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
  }
}

function readAll<T>(codec: Codec<T>, reader: Reader): T {
  const value = codec.read(reader);
  if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes left over after a reply`);
  return value;
}

/** A payload with its length before it. */
export function framed(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + payload.length);
  new DataView(frame.buffer).setInt32(0, payload.length);
  frame.set(payload, 4);
  return frame;
}
