/** A client that sends what the play says, well formed or not, and keeps what comes back. */
import { FrameBuffer, Reader, Writer } from "@vivarium/jute";
import { ConnectRequest, ConnectResponse, ReplyHeader, RequestHeader } from "@vivarium/protocol";
import type { Connection } from "@vivarium/runtime";
import { Machine } from "../world/machine.ts";
import type { World } from "../world/world.ts";

export interface RawReply {
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
}

const MAX_FRAME_BYTES = 1 << 20;

export class RawClient {
  readonly #connection: Connection;
  readonly #frames = new FrameBuffer(MAX_FRAME_BYTES);
  greeting: ConnectResponse | null = null;
  readonly replies: RawReply[] = [];
  isClosed = false;
  #xid = 0;

  constructor(world: World, where: { name: string; address: string; host: string; port: number }) {
    const machine = new Machine(world, { name: where.name, address: where.address, clockRate: 1 });
    machine.boot();
    this.#connection = machine.network.connect({ host: where.host, port: where.port });
    this.#connection.onData = (chunk) => this.#received(chunk);
    this.#connection.onClose = () => {
      this.isClosed = true;
    };
  }

  sendBytes(bytes: Uint8Array): void {
    this.#connection.write(bytes);
  }

  /** With its length in front. */
  sendFrame(write: (writer: Writer) => void): void {
    const writer = new Writer();
    writer.int(0);
    write(writer);
    writer.view.setInt32(0, writer.length - 4);
    this.sendBytes(writer.copy());
  }

  /** Asks for a session, new or one to be taken over. */
  hello(session: { sessionId: bigint; passwd: Uint8Array | null } | null, timeOut: number): void {
    const { sessionId, passwd } = session ?? { sessionId: 0n, passwd: new Uint8Array(16) };
    const request = { protocolVersion: 0, lastZxidSeen: 0, timeOut, sessionId, passwd };
    this.sendFrame((writer) => {
      ConnectRequest.write(writer, request);
      writer.bool(false);
    });
  }

  /** @returns its xid */
  send(type: number, body: (writer: Writer) => void = () => {}, xid = ++this.#xid): number {
    this.sendFrame((writer) => {
      RequestHeader.write(writer, { xid, type });
      body(writer);
    });
    return xid;
  }

  replyTo(xid: number): RawReply | undefined {
    return this.replies.find((reply) => reply.xid === xid);
  }

  #received(chunk: Uint8Array): void {
    this.#frames.append(chunk);
    while (this.#frames.next()) {
      const { bytes, start, end } = this.#frames;
      const reader = new Reader(bytes, start, end);
      if (this.greeting === null) this.greeting = ConnectResponse.read(reader);
      else this.replies.push(ReplyHeader.read(reader));
    }
  }
}
