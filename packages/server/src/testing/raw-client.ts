/**
 * A client that hides nothing and hurries nothing: it sends exactly the bytes a test gives it and keeps every packet
 * that comes back, in order of arrival. Time is virtual: nothing arrives before the test lets the clock run.
 */
import assert from "node:assert/strict";
import { decode, FrameBuffer, Reader, Writer } from "@vivarium/jute";
import {
  ConnectRequest,
  ConnectResponse,
  CreateResponse,
  errorName,
  GetDataResponse,
  ReplyHeader,
  RequestHeader,
  SpecialXid,
  WatcherEvent,
} from "@vivarium/protocol";
import type { Connection } from "@vivarium/runtime";
import type { Request } from "./requests.ts";

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
  greeting: Greeting | undefined;
  /** The server has ended the connection. */
  isClosed = false;
  readonly #frames = new FrameBuffer(MAX_FRAME_BYTES);
  readonly #settle: () => Promise<void>;
  readonly #chunks: Uint8Array[] = [];
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

  sendBytes(bytes: Uint8Array | string): void {
    this.connection.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
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

  /** Puts a request on its way; returns its xid. */
  send(request: Request, xid = request.xid ?? ++this.#xid): number {
    this.sendBytes(requestFrame(request, xid));
    return xid;
  }

  /** Puts several requests on their way in one piece, as a client does that sends faster than it is read. */
  sendTogether(...requests: readonly Request[]): void {
    this.sendBytes(Buffer.concat(requests.map((request) => requestFrame(request, request.xid ?? ++this.#xid))));
  }

  /** Sends a request, lets the server work, and returns the reply. */
  async call(request: Request): Promise<Reply> {
    const before = this.packets.length;
    const xid = this.send(request);
    await this.#settle();
    const reply = this.packets.slice(before).find((packet) => packet.kind === "reply" && packet.xid === xid);
    assert.ok(
      reply?.kind === "reply",
      `no reply to xid ${xid}; the connection is ${this.isClosed ? "closed" : "open"}`,
    );
    return reply;
  }

  /** As `call`; returns only the name of the reply's error code. */
  async outcome(request: Request): Promise<string> {
    return errorName((await this.call(request)).err);
  }

  /** What arrived since the last look. */
  take(): Packet[] {
    return this.packets.splice(0);
  }

  /** All bytes as they came: the answer to a four-letter word. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  /** The session that was granted, to resume it with. */
  get session(): { sessionId: bigint; passwd: Uint8Array | null } {
    assert.ok(this.greeting, "no session was granted");
    return { sessionId: this.greeting.sessionId, passwd: this.greeting.passwd };
  }

  #receive(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    if (this.#isText) return;
    this.#frames.append(chunk);
    while (this.#frames.next()) this.#packet(this.#frames.bytes.slice(this.#frames.start, this.#frames.end));
  }

  /** Answers to four-letter words are no frames: their first letters would be a length beyond all reason. */
  get #isText(): boolean {
    const [first] = this.#chunks;
    return first !== undefined && first[0] !== 0;
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

/** The bytes of a request on the wire. */
export function requestFrame(request: Request, xid: number): Uint8Array {
  const writer = new Writer();
  RequestHeader.write(writer, { xid, type: request.type });
  writer.raw(request.record);
  return framed(writer.copy());
}

export function framed(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + payload.length);
  new DataView(frame.buffer).setInt32(0, payload.length);
  frame.set(payload, 4);
  return frame;
}

/** Packets in few words: "#3 OK", "#4 NONODE", "event 3 /a". */
export function brief(packets: readonly Packet[]): string[] {
  return packets.map((packet) =>
    packet.kind === "event" ? `event ${packet.type} ${packet.path}` : `#${packet.xid} ${errorName(packet.err)}`,
  );
}

/** The data in the reply to getData, as text. */
export function dataOf(reply: Reply): string {
  return Buffer.from(decode(GetDataResponse, reply.body).data ?? []).toString("utf8");
}

export function createdPath(reply: Reply): string {
  return decode(CreateResponse, reply.body).path;
}
