/**
 * The server's end of one client connection, with the faults that its network orders. @see FaultNetwork
 *
 * Requests and replies are only looked at, to find the ones that are to be lost; what passes is what came. A connection
 * that speaks no ZooKeeper, such as a four-letter word, passes unseen.
 */
import { FrameBuffer, ProtocolError } from "@vivarium/jute";
import { OpCode } from "@vivarium/protocol";
import type { Connection } from "@vivarium/runtime";
import type { FaultNetwork } from "./fault-network.ts";
import { Gate } from "./gate.ts";

/** Above any length that a request can have, and below every four-letter word read as a number. */
const MAX_FRAME_BYTES = 0x4000_0000;
/** From here on `write` answers false, as a socket does whose peer does not read. */
const HIGH_WATER_BYTES = 64 * 1024;
const nothing = (): void => {};

export class FaultyConnection implements Connection {
  readonly #socket: Connection;
  readonly #faults: FaultNetwork;
  readonly #inbound: Gate;
  readonly #outbound: Gate;
  readonly #requests = new FrameBuffer(MAX_FRAME_BYTES);
  /** By xid, the types of the requests that are not answered yet. */
  readonly #types = new Map<number, number>();
  /** "new" until the ConnectRequest, "establishing" until its answer; what is "foreign" is not ZooKeeper's protocol. */
  #state: "new" | "establishing" | "open" | "foreign" = "new";
  /** A request or reply was lost and the connection with it: whatever else is sent goes nowhere. */
  #isCut = false;
  #pausedByServer = false;
  #held = false;
  /** Bytes that the server has sent and a fault still holds back. */
  #waitingBytes = 0;
  #owesDrain = false;
  onForgotten: () => void = nothing;

  onConnect: () => void = nothing;
  onData: (chunk: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onEnd: () => void = () => this.end();
  onClose: (error: Error | null) => void = nothing;

  constructor(socket: Connection, faults: FaultNetwork) {
    this.#socket = socket;
    this.#faults = faults;
    this.#inbound = new Gate(faults.clock);
    this.#outbound = new Gate(faults.clock);
    socket.onData = (chunk) => this.#inbound.pass(() => this.#received(chunk));
    socket.onDrain = () => this.#inbound.pass(() => this.onDrain());
    socket.onEnd = () => this.#inbound.pass(() => this.onEnd());
    socket.onClose = (error) => {
      this.#forget();
      this.onClose(error);
    };
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress;
  }
  get remotePort(): number {
    return this.#socket.remotePort;
  }
  get localAddress(): string {
    return this.#socket.localAddress;
  }
  get localPort(): number {
    return this.#socket.localPort;
  }
  get bufferedBytes(): number {
    return this.#socket.bufferedBytes + this.#waitingBytes;
  }

  // --- what the network orders

  /** While held, both directions wait, in order. */
  hold(held: boolean): void {
    this.#held = held;
    if (held) {
      this.#socket.pause();
      this.#inbound.shut();
      this.#outbound.shut();
      return;
    }
    if (!this.#pausedByServer) this.#socket.resume();
    this.#outbound.open();
    this.#inbound.open();
  }

  /** What waits goes on its way at once. */
  hurry(): void {
    if (this.#held) this.hold(false);
    this.#outbound.hurry();
    this.#inbound.hurry();
  }

  /** Breaks the connection under a server that is no longer there to hear of it. */
  sever(): void {
    this.onData = nothing;
    this.onDrain = nothing;
    this.onEnd = nothing;
    this.onClose = nothing;
    this.#forget();
    this.#socket.destroy();
  }

  #forget(): void {
    this.#inbound.clear();
    this.#outbound.clear();
    this.onForgotten();
  }

  // --- from the client

  #received(chunk: Uint8Array): void {
    if (this.#isCut) return;
    const passing = this.#state === "foreign" ? chunk.length : this.#lookThrough(chunk);
    if (passing > 0) this.onData(chunk.subarray(0, passing));
    if (this.#isCut) this.#socket.destroy();
  }

  /** How much of the chunk the server may have: all of it, or what comes before a request that is to be lost. */
  #lookThrough(chunk: Uint8Array): number {
    let seen = -this.#requests.pending;
    this.#requests.append(chunk);
    try {
      while (this.#requests.next()) {
        if (this.#faults.losesRequest(this.#noteRequest())) {
          this.#isCut = true;
          return seen;
        }
        seen += this.#requests.end - this.#requests.start + 4;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // The server has its own opinion of such bytes.
      this.#state = "foreign";
    }
    return chunk.length;
  }

  /** The type of the request that has just arrived whole. */
  #noteRequest(): number {
    const { bytes, start, end } = this.#requests;
    if (this.#state === "new") {
      this.#state = "establishing";
      return OpCode.createSession;
    }
    if (end - start < 8) return OpCode.error;
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, 8);
    const type = view.getInt32(4);
    this.#types.set(view.getInt32(0), type);
    return type;
  }

  // --- from the server

  write(bytes: Uint8Array): boolean {
    const { delayMs } = this.#faults;
    if (delayMs <= 0 && !this.#outbound.isBusy) return this.#send(bytes);
    // The server may use its memory again once we return: what waits here needs a copy.
    const copy = bytes.slice();
    this.#waitingBytes += copy.length;
    this.#outbound.pass(() => this.#sendLate(copy), delayMs);
    if (this.bufferedBytes < HIGH_WATER_BYTES) return true;
    this.#owesDrain = true;
    return false;
  }

  #sendLate(bytes: Uint8Array): void {
    this.#waitingBytes -= bytes.length;
    const socketIsFree = this.#send(bytes);
    if (!this.#owesDrain || this.#waitingBytes > 0) return;
    this.#owesDrain = false;
    // Otherwise the socket itself will say when it has room.
    if (socketIsFree) this.onDrain();
  }

  #send(bytes: Uint8Array): boolean {
    if (this.#isCut) return true;
    const passing = this.#beforeLostReply(bytes);
    if (passing === bytes.length) return this.#socket.write(bytes);
    this.#isCut = true;
    if (passing > 0) this.#socket.write(bytes.slice(0, passing));
    this.#socket.end();
    return true;
  }

  /** How many of these bytes come before a reply that is to be lost. The server writes whole packets. */
  #beforeLostReply(bytes: Uint8Array): number {
    if (this.#state === "new" || this.#state === "foreign") return bytes.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 8 <= bytes.length; at += 4 + view.getInt32(at)) {
      const type = this.#typeAnswered(view.getInt32(at + 4));
      if (type !== undefined && this.#faults.losesReply(type)) return at;
    }
    return bytes.length;
  }

  /** The type of the request that the packet with this xid answers; the first packet of all has none. */
  #typeAnswered(xid: number): number | undefined {
    if (this.#state === "establishing") {
      this.#state = "open";
      return OpCode.createSession;
    }
    const type = this.#types.get(xid);
    this.#types.delete(xid);
    return type;
  }

  // --- the rest of a connection

  pause(): void {
    this.#pausedByServer = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#pausedByServer = false;
    if (!this.#held) this.#socket.resume();
  }

  end(): void {
    this.#outbound.pass(() => this.#socket.end(), this.#faults.delayMs);
  }

  destroy(): void {
    // A process that stands still closes nothing.
    if (this.#held) this.#outbound.pass(() => this.#socket.destroy());
    else this.#socket.destroy();
  }
}
