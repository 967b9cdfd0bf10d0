/**
 * A server that does what a test tells it: it speaks the client wire on an in-memory network, keeps no tree, records
 * what it is asked and answers by script.
 */
import { FrameBuffer, Reader, Writer } from "@vivarium/jute";
import { ConnectRequest, opName, SpecialXid, type Stat, Stat as StatCodec, sessionPassword } from "@vivarium/protocol";
import type { Connection, Listener, MemoryNetwork } from "@vivarium/runtime";

export interface Received {
  xid: number;
  op: string;
  /** The bytes after the request header. */
  body: Uint8Array;
}

export type Body = (writer: Writer) => void;

export interface ScriptedServerOptions {
  network: MemoryNetwork;
  address?: string;
  port?: number;
  /** Granted whatever was asked. */
  timeoutMs?: number;
}

export const someStat: Stat = {
  czxid: 1,
  mzxid: 1,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 1,
};

export class ScriptedServer {
  /** The newest transaction of the pretended ensemble. */
  zxid = 0;
  /** How a connect request is met. */
  greets: "grants" | "expires" | "hangs" | "closes" | "closesBehind" | "garbage" = "grants";
  readOnly = false;
  /** The answer to the four-letter word `isro`. */
  isro = "rw";
  /** False: requests are recorded and not answered. */
  answers = true;
  answersPings = true;
  readonly connects: ConnectRequest[] = [];
  /** All requests but pings, of all connections. */
  readonly received: Received[] = [];
  pings = 0;
  readonly connections: ServerConnection[] = [];
  readonly #timeoutMs: number;
  readonly #scripts = new Map<string, (request: Received, connection: ServerConnection) => void>();
  #listener: Listener | undefined;
  #nextSession = 0x100000000000001n;

  private constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  static async start(options: ScriptedServerOptions): Promise<ScriptedServer> {
    const { network, address = "10.0.0.1", port = 2181, timeoutMs = 6000 } = options;
    const server = new ScriptedServer(timeoutMs);
    server.#listener = await network.host(address).listen({ port }, (connection) => {
      server.connections.push(new ServerConnection(server, connection));
    });
    return server;
  }

  /** The connection accepted last. */
  get last(): ServerConnection {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error("nobody has connected");
    return last;
  }

  get ops(): string[] {
    return this.received.map((request) => request.op);
  }

  /** Replaces the answer to one operation. */
  on(op: string, script: (request: Received, connection: ServerConnection) => void): void {
    this.#scripts.set(op, script);
  }

  stop(): Promise<void> {
    return this.#listener?.close() ?? Promise.resolve();
  }

  greet(connection: ServerConnection, request: ConnectRequest): void {
    this.connects.push(request);
    switch (this.greets) {
      case "hangs":
        return;
      case "closes":
        connection.close();
        return;
      case "closesBehind":
        // What real servers do with a client that has seen more than they have.
        if (request.lastZxidSeen > this.zxid) connection.close();
        else connection.grant(this.#timeoutMs, this.#nextSession++, this.readOnly);
        return;
      case "garbage":
        connection.raw(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
        return;
      case "expires":
        connection.grant(0, 0n, this.readOnly);
        return;
      case "grants":
        connection.grant(
          this.#timeoutMs,
          request.sessionId === 0n ? this.#nextSession++ : request.sessionId,
          this.readOnly,
        );
    }
  }

  take(connection: ServerConnection, request: Received): void {
    if (request.op === "ping") {
      this.pings++;
      if (this.answersPings) connection.reply(SpecialXid.ping);
      return;
    }
    this.received.push(request);
    const script = this.#scripts.get(request.op);
    if (script !== undefined) script(request, connection);
    else if (this.answers) connection.reply(request.xid, 0, answerTo(request));
  }
}

export class ServerConnection {
  readonly #server: ScriptedServer;
  readonly #connection: Connection;
  readonly #frames = new FrameBuffer(1 << 20);
  #greeted = false;
  #held: Uint8Array[] | undefined;

  constructor(server: ScriptedServer, connection: Connection) {
    this.#server = server;
    this.#connection = connection;
    connection.onData = (chunk) => this.#take(chunk);
  }

  #take(chunk: Uint8Array): void {
    const frames = this.#frames;
    if (!this.#greeted && Buffer.from(chunk).toString("latin1") === "isro") {
      this.#connection.write(Buffer.from(this.#server.isro));
      this.#connection.end();
      return;
    }
    frames.append(chunk);
    while (frames.next()) {
      const reader = new Reader(frames.bytes.slice(frames.start, frames.end));
      if (!this.#greeted) {
        this.#greeted = true;
        this.#server.greet(this, ConnectRequest.read(reader));
        continue;
      }
      const xid = reader.int();
      const op = opName(reader.int());
      this.#server.take(this, { xid, op, body: reader.bytes.subarray(reader.offset) });
    }
  }

  grant(timeoutMs: number, sessionId: bigint, readOnly: boolean): void {
    this.send((writer) => {
      writer.int(0);
      writer.int(timeoutMs);
      writer.long(sessionId);
      writer.buffer(sessionPassword(sessionId));
      writer.bool(readOnly);
    });
  }

  reply(xid: number, err = 0, body: Body = () => undefined, zxid = this.#server.zxid): void {
    this.send((writer) => {
      writer.int(xid);
      writer.number(zxid);
      writer.int(err);
      if (err === 0) body(writer);
    });
  }

  notify(type: number, path: string, zxid = -1): void {
    this.reply(
      SpecialXid.notification,
      0,
      (writer) => {
        writer.int(type);
        writer.int(3);
        writer.ustring(path);
      },
      zxid,
    );
  }

  send(body: Body): void {
    const writer = new Writer();
    writer.int(0);
    body(writer);
    writer.view.setInt32(0, writer.length - 4);
    if (this.#held === undefined) this.#connection.write(writer.copy());
    else this.#held.push(writer.copy());
  }

  /** All that `say` sends arrives as one chunk. */
  inOneChunk(say: () => void): void {
    this.#held = [];
    say();
    const bytes = Buffer.concat(this.#held);
    this.#held = undefined;
    this.#connection.write(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#connection.write(bytes);
  }

  close(): void {
    this.#connection.destroy();
  }
}

/** A plausible good answer to any operation. */
function answerTo({ op, body }: Received): Body {
  const path = (): string => new Reader(body).ustring();
  const stat = (writer: Writer): void => StatCodec.write(writer, someStat);
  switch (op) {
    case "create2":
    case "createContainer":
    case "createTTL":
      return (writer) => {
        writer.ustring(path());
        stat(writer);
      };
    case "getData":
      return (writer) => {
        writer.buffer(new TextEncoder().encode(path()));
        stat(writer);
      };
    case "getChildren2":
      return (writer) => {
        writer.int(0);
        stat(writer);
      };
    case "exists":
    case "setData":
    case "setACL":
      return stat;
    case "addWatch":
      return (writer) => writer.int(0);
    default:
      return () => undefined;
  }
}
