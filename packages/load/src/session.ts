/**
 * One session on raw frames, for a generator that must never be what limits a server: a request is bytes copied into
 * one output buffer, a reply is looked at where it arrived, and replies come in the order of the requests.
 *
 *   begin(type) … writer … finish()   or   send(type, body)       then flush(), once for as many as there are
 *   onReply(err, reader) for each, onBatch() after all that came together
 *
 * It pings when its timeout asks for it. A connection that is lost stays lost: `onLost` says why.
 */
import { FrameBuffer, Reader, SpareMemory, Writer } from "@vivarium/jute";
import { ConnectRequest, ConnectResponse, errorName, OpCode, SpecialXid } from "@vivarium/protocol";
import type { Connection, Network } from "@vivarium/runtime";

/** Long enough for the names of ten million children. */
const MAX_REPLY_BYTES = 1 << 28;
const PASSWORD_BYTES = 16;
const OPEN_DEADLINE_MS = 30_000;
const FIRST_OUTPUT_BYTES = 1 << 12;
/** An output that has grown beyond this leaves its memory to others once it is sent. */
const KEPT_OUTPUT_BYTES = 64 << 10;
/** For replies that come in pieces and for large requests, of all sessions. */
const spareMemory = new SpareMemory(32 << 20);

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface SessionOptions {
  /** Asked for; the server may grant another. */
  readonly timeoutMs?: number;
  /** Comes back to this session, instead of a new one. */
  readonly resume?: { readonly id: bigint; readonly password: Uint8Array };
  /** Gives up when there is no session after this time. */
  readonly deadlineMs?: number;
}

export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: number;

  constructor(what: string, code: number) {
    super(`${what}: the server answered ${errorName(code)}`);
    this.code = code;
  }
}

type OnReply = (err: number, reader: Reader) => void;

export class LoadSession {
  readonly address: Address;
  id = 0n;
  password: Uint8Array = new Uint8Array(PASSWORD_BYTES);
  timeoutMs = 0;
  /** The time at which the replies at hand arrived, on the clock of `performance.now()`. */
  arrivedMs = 0;
  /** Requests that have no reply yet. */
  inFlight = 0;
  /** Why there is no connection any more. */
  lost: Error | undefined;
  onReply: OnReply;
  onBatch: () => void = () => {};
  /** A watch event; the reader stands at its WatcherEvent. */
  onEvent: (reader: Reader) => void = () => {};
  onPing: () => void = () => {};
  onLost: (error: Error) => void = () => {};
  /** Where the body of a request goes, between `begin` and `finish`. */
  writer = newOutput();

  readonly #connection: Connection;
  readonly #frames = new FrameBuffer(MAX_REPLY_BYTES, undefined, spareMemory);
  readonly #reader = new Reader(new Uint8Array(0));
  readonly #calls: { resolve: (reader: Reader) => void; reject: (error: Error) => void; what: string }[] = [];
  #pings: NodeJS.Timeout | undefined;
  #xid = 0;
  #start = 0;
  #closing: (() => void) | undefined;

  /** @throws Error when there is no server, it refuses, or it does not know the session to resume */
  static open(network: Network, address: Address, options: SessionOptions = {}): Promise<LoadSession> {
    return new Promise((resolve, reject) => {
      const connection = network.connect({ ...address, lendsInput: true });
      new LoadSession(address, connection).#greet(options, resolve, reject);
    });
  }

  private constructor(address: Address, connection: Connection) {
    this.address = address;
    this.#connection = connection;
    this.onReply = this.answerCall;
  }

  #greet(options: SessionOptions, resolve: (session: LoadSession) => void, reject: (error: Error) => void): void {
    const { timeoutMs = 40_000, resume, deadlineMs = OPEN_DEADLINE_MS } = options;
    const where = `${this.address.host}:${this.address.port}`;
    const connection = this.#connection;
    const fail = (error: Error | null) => {
      clearTimeout(timer);
      connection.destroy();
      reject(error ?? new Error(`${where} closed the connection instead of giving a session`));
    };
    const timer = setTimeout(() => fail(new Error(`${where} gave no session in ${deadlineMs} ms`)), deadlineMs);
    connection.onConnect = () => connection.write(connectFrame(timeoutMs, resume));
    connection.onClose = fail;
    connection.onData = (chunk) => {
      this.#frames.append(chunk);
      if (!this.#frames.next()) return this.#frames.keep();
      const response = ConnectResponse.read(new Reader(this.#frames.bytes, this.#frames.start, this.#frames.end));
      if (response.timeOut <= 0) return fail(new Error(`${where} says that the session has expired`));
      clearTimeout(timer);
      this.id = response.sessionId;
      this.password = response.passwd ?? this.password;
      this.timeoutMs = response.timeOut;
      this.#frames.keep();
      this.#serve();
      resolve(this);
    };
  }

  #serve(): void {
    this.#pings = setInterval(() => this.ping(), this.timeoutMs / 3);
    this.#connection.onClose = (error) => this.#lose(error ?? new Error("the server closed the connection"));
    this.#connection.onData = (chunk) => {
      this.arrivedMs = performance.now();
      this.#frames.append(chunk);
      while (this.lost === undefined && this.#frames.next()) this.#receive();
      this.#frames.keep();
      if (this.lost === undefined) this.onBatch();
    };
  }

  #receive(): void {
    const frames = this.#frames;
    const reader = this.#reader;
    reader.reset(frames.bytes, frames.start, frames.end);
    const xid = reader.int();
    reader.skip(8);
    const err = reader.int();
    if (xid === SpecialXid.ping) return this.onPing();
    if (xid === SpecialXid.notification) return this.onEvent(reader);
    const expected = this.#xid - this.inFlight + 1;
    if (xid !== expected) return this.#lose(new Error(`reply ${xid} came where reply ${expected} was due`));
    this.inFlight--;
    this.onReply(err, reader);
  }

  #lose(error: Error): void {
    if (this.lost !== undefined) return;
    this.lost = new Error(`the session of ${this.address.host}:${this.address.port} is lost: ${error.message}`);
    clearInterval(this.#pings);
    this.#connection.destroy();
    if (this.#closing !== undefined) return this.#closing();
    for (const { reject } of this.#calls.splice(0)) reject(this.lost);
    this.onLost(this.lost);
  }

  /** Starts a request; its body goes into `writer`, then comes `finish`. */
  begin(type: number): void {
    const { writer } = this;
    this.#start = writer.length;
    this.inFlight++;
    writer.int(0);
    writer.int(++this.#xid);
    writer.int(type);
  }

  finish(): void {
    const { writer } = this;
    writer.view.setInt32(this.#start, writer.length - this.#start - 4);
  }

  /** A request whose body has been written before. */
  send(type: number, body: Uint8Array): void {
    this.begin(type);
    this.writer.raw(body);
    this.finish();
  }

  ping(): void {
    const { writer } = this;
    writer.int(8);
    writer.int(SpecialXid.ping);
    writer.int(OpCode.ping);
    this.flush();
  }

  /** Sends what has been written since the last time. */
  flush(): void {
    const { writer } = this;
    if (writer.length === 0) return;
    this.#connection.write(writer.written());
    const isTaken = this.#connection.bufferedBytes === 0;
    if (isTaken && writer.bytes.length <= KEPT_OUTPUT_BYTES) return writer.reset();
    // What the connection has not taken it still reads from there.
    if (isTaken) spareMemory.give(writer.bytes);
    this.writer = newOutput();
  }

  /** One request and its reply, whose reader is good until the next turn of the event loop. @throws ServerError */
  call(type: number, write: (writer: Writer) => void = () => {}, what = `op ${type}`): Promise<Reader> {
    const answered = new Promise<Reader>((resolve, reject) => {
      if (this.lost !== undefined) return reject(this.lost);
      this.#calls.push({ resolve, reject, what });
      this.begin(type);
      write(this.writer);
      this.finish();
      this.flush();
    });
    return answered;
  }

  /** What `onReply` is while nobody has set another. */
  readonly answerCall: OnReply = (err, reader) => {
    const call = this.#calls.shift();
    if (call === undefined) return;
    if (err !== 0) return call.reject(new ServerError(call.what, err));
    call.resolve(new Reader(reader.bytes.slice(reader.offset, reader.end)));
  };

  /** Ends the session, and with it its ephemeral nodes. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.lost !== undefined) return resolve();
      this.#closing = resolve;
      this.begin(OpCode.closeSession);
      this.finish();
      this.flush();
    });
  }

  /** Drops the connection and leaves the session to the server, which expires it in time. */
  drop(): void {
    this.lost ??= new Error("the connection was dropped");
    clearInterval(this.#pings);
    this.#connection.onClose = () => {};
    this.#connection.destroy();
    for (const { reject } of this.#calls.splice(0)) reject(this.lost);
  }
}

function newOutput(): Writer {
  return new Writer(FIRST_OUTPUT_BYTES, 0, spareMemory);
}

function connectFrame(timeoutMs: number, resume: SessionOptions["resume"]): Uint8Array {
  const writer = new Writer();
  writer.int(45);
  ConnectRequest.write(writer, {
    protocolVersion: 0,
    lastZxidSeen: 0,
    timeOut: timeoutMs,
    sessionId: resume?.id ?? 0n,
    passwd: resume?.password ?? new Uint8Array(PASSWORD_BYTES),
  });
  writer.bool(false);
  return writer.copy();
}
