/**
 * A client that hides nothing and hurries nothing: it sends exactly the bytes a test gives it and keeps every packet
 * that comes back, in order of arrival. Time is virtual: nothing arrives before the test lets the clock run.
 */
import assert from "node:assert/strict";
import { type Codec, decode, encode, FrameBuffer, Reader, Writer } from "@vivarium/jute";
import {
  ConnectRequest,
  ConnectResponse,
  CreateMode,
  CreateRequest,
  CreateResponse,
  DeleteRequest,
  errorName,
  GetDataResponse,
  Nothing,
  OPEN_ACL_UNSAFE,
  OpCode,
  ReplyHeader,
  RequestHeader,
  SetDataRequest,
  SpecialXid,
  StatResponse,
  WatchedPathRequest,
  WatcherEvent,
} from "@vivarium/protocol";
import type { Connection } from "@vivarium/runtime";

const MAX_FRAME_BYTES = 1 << 27;

export interface Reply {
  readonly kind: "reply";
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
  readonly body: Uint8Array;
}

export interface Event {
  readonly kind: "event";
  readonly zxid: number;
  readonly type: number;
  readonly path: string;
}

export type Packet = Reply | Event;

export interface Greeting extends ConnectResponse {
  /** The byte after the record; undefined where there is none. */
  readonly readOnly: boolean | undefined;
}

export interface HelloOptions extends Partial<ConnectRequest> {
  /** null leaves the byte out, as clients up to 3.3 did. */
  readonly readOnly?: boolean | null;
}

export class RawClient {
  readonly connection: Connection;
  /** What arrived after the answer to the ConnectRequest. */
  readonly packets: Packet[] = [];
  /** All bytes, as they came. */
  received: Uint8Array = new Uint8Array(0);
  greeting: Greeting | undefined;
  /** The server has ended the connection. */
  isClosed = false;
  readonly #frames = new FrameBuffer(MAX_FRAME_BYTES);
  readonly #settle: () => Promise<void>;
  #xid = 0;

  constructor(connection: Connection, settle: () => Promise<void>) {
    this.connection = connection;
    this.#settle = settle;
    connection.onData = (chunk) => this.#receive(chunk);
    connection.onEnd = () => {
      this.isClosed = true;
      connection.end();
    };
    connection.onClose = () => {
      this.isClosed = true;
    };
  }

  /** Lets everything happen that is due now. */
  settle(): Promise<void> {
    return this.#settle();
  }

  sendBytes(bytes: Uint8Array | string): void {
    this.connection.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  }

  sendFrame(payload: Uint8Array): void {
    this.sendBytes(framed(payload));
  }

  /** Asks for a session; the answer is undefined if the server closed the connection instead. */
  async hello(options: HelloOptions = {}): Promise<Greeting | undefined> {
    this.sendHello(options);
    await this.#settle();
    return this.greeting;
  }

  sendHello({ readOnly = false, ...fields }: HelloOptions = {}): void {
    const writer = new Writer();
    ConnectRequest.write(writer, {
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeOut: 10_000,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      ...fields,
    });
    if (readOnly !== null) writer.bool(readOnly);
    this.sendFrame(writer.copy());
  }

  /** Queues a request in the socket; returns its xid. */
  send<T>(type: number, codec: Codec<T>, body: T, xid = ++this.#xid): number {
    this.sendFrame(request(type, codec, body, xid));
    return xid;
  }

  /** Sends a request, lets the server work, and returns the reply. */
  async call<T>(type: number, codec: Codec<T>, body: T, xid = ++this.#xid): Promise<Reply> {
    const before = this.packets.length;
    this.send(type, codec, body, xid);
    await this.#settle();
    const reply = this.packets.slice(before).find((packet) => packet.kind === "reply" && packet.xid === xid);
    assert.ok(
      reply?.kind === "reply",
      `no reply to xid ${xid}; the connection is ${this.isClosed ? "closed" : "open"}`,
    );
    return reply;
  }

  async create(path: string, options: { data?: string; mode?: number; acl?: typeof OPEN_ACL_UNSAFE } = {}) {
    return this.call(OpCode.create, CreateRequest, createRequest(path, options));
  }

  async exists(path: string, watch = false): Promise<Reply> {
    return this.call(OpCode.exists, WatchedPathRequest, { path, watch });
  }

  async getData(path: string, watch = false): Promise<Reply> {
    return this.call(OpCode.getData, WatchedPathRequest, { path, watch });
  }

  async setData(path: string, data: string): Promise<Reply> {
    return this.call(OpCode.setData, SetDataRequest, { path, data: bytes(data), version: -1 });
  }

  async delete(path: string): Promise<Reply> {
    return this.call(OpCode.delete, DeleteRequest, { path, version: -1 });
  }

  async ping(): Promise<Reply> {
    return this.call(OpCode.ping, Nothing, undefined, SpecialXid.ping);
  }

  /** What arrived since the last look. */
  take(): Packet[] {
    return this.packets.splice(0);
  }

  /** Everything received, as text: the answer to a four-letter word. */
  get text(): string {
    return new TextDecoder().decode(this.received);
  }

  /** The session that was granted, to resume it with. */
  get session(): { sessionId: bigint; passwd: Uint8Array | null } {
    assert.ok(this.greeting, "no session was granted");
    return { sessionId: this.greeting.sessionId, passwd: this.greeting.passwd };
  }

  #receive(chunk: Uint8Array): void {
    const all = new Uint8Array(this.received.length + chunk.length);
    all.set(this.received);
    all.set(chunk, this.received.length);
    this.received = all;
    if (this.#isText) return;
    this.#frames.append(chunk);
    while (this.#frames.next()) this.#packet(this.#frames.bytes.slice(this.#frames.start, this.#frames.end));
  }

  /** Answers to four-letter words are no frames: their first bytes would be a length beyond all reason. */
  get #isText(): boolean {
    return this.received.length >= 4 && new DataView(this.received.buffer).getInt32(0) > MAX_FRAME_BYTES;
  }

  #packet(payload: Uint8Array): void {
    const reader = new Reader(payload);
    if (this.greeting === undefined) {
      const answer = ConnectResponse.read(reader);
      this.greeting = { ...answer, readOnly: reader.remaining > 0 ? reader.bool() : undefined };
      return;
    }
    const { xid, zxid, err } = ReplyHeader.read(reader);
    if (xid === SpecialXid.notification) {
      const { type, path } = WatcherEvent.read(reader);
      this.packets.push({ kind: "event", zxid, type, path });
    } else {
      this.packets.push({ kind: "reply", xid, zxid, err, body: payload.subarray(payload.length - reader.remaining) });
    }
  }
}

export function request<T>(type: number, codec: Codec<T>, body: T, xid: number): Uint8Array {
  const writer = new Writer();
  RequestHeader.write(writer, { xid, type });
  codec.write(writer, body);
  return writer.copy();
}

export function framed(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + payload.length);
  new DataView(frame.buffer).setInt32(0, payload.length);
  frame.set(payload, 4);
  return frame;
}

export function createRequest(
  path: string,
  {
    data = "",
    mode = CreateMode.PERSISTENT,
    acl = OPEN_ACL_UNSAFE,
  }: { data?: string; mode?: number; acl?: typeof OPEN_ACL_UNSAFE } = {},
): CreateRequest {
  return { path, data: bytes(data), acl, flags: mode };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Packets in few words: "#3 OK", "#4 NONODE", "event 3 /a". */
export function brief(packets: readonly Packet[]): string[] {
  return packets.map((packet) =>
    packet.kind === "event" ? `event ${packet.type} ${packet.path}` : `#${packet.xid} ${errorName(packet.err)}`,
  );
}

export function dataOf(reply: Reply): string {
  return new TextDecoder().decode(decode(GetDataResponse, reply.body).data ?? new Uint8Array(0));
}

export function statOf(reply: Reply) {
  return decode(StatResponse, reply.body).stat;
}

export function createdPath(reply: Reply): string {
  return decode(CreateResponse, reply.body).path;
}

export { encode };
