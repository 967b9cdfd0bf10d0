/** The server's end of one client connection, with the faults that its network orders. @see FaultNetwork */
import { FrameBuffer } from "@vivarium/jute";
import type { Clock, Connection } from "@vivarium/runtime";
import type { FaultNetwork } from "./fault-network.ts";

const MAX_FRAME_BYTES = 0x7fffffff;

export class FaultyConnection implements Connection {
  readonly #socket: Connection;
  readonly #faults: FaultNetwork;
  readonly #clock: Clock;
  readonly #requests = new FrameBuffer(MAX_FRAME_BYTES);
  readonly #replies = new FrameBuffer(MAX_FRAME_BYTES);
  /** Type by xid of the requests that are not answered yet. */
  readonly #types = new Map<number, number>();
  #sawConnect = false;
  /** A reply was lost and the connection with it: whatever the server still sends goes nowhere. */
  #isCut = false;
  #held: (() => void)[] | null = null;
  #pausedByServer = false;
  onForgotten: () => void = () => {};

  onConnect: () => void = () => {};
  onData: (chunk: Uint8Array) => void = () => {};
  onDrain: () => void = () => {};
  onEnd: () => void = () => this.end();
  onClose: (error: Error | null) => void = () => {};

  constructor(socket: Connection, faults: FaultNetwork, clock: Clock) {
    this.#socket = socket;
    this.#faults = faults;
    this.#clock = clock;
    socket.onData = (chunk) => this.#whenFree(() => this.#received(chunk));
    socket.onDrain = () => this.#whenFree(() => this.onDrain());
    socket.onEnd = () => this.#whenFree(() => this.onEnd());
    socket.onClose = (error) => {
      this.onForgotten();
      this.#held = null;
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
    return this.#socket.bufferedBytes;
  }

  /** While held, both directions wait, in order. */
  hold(held: boolean): void {
    if (held) {
      this.#held ??= [];
      this.#socket.pause();
      return;
    }
    const waiting = this.#held ?? [];
    this.#held = null;
    if (!this.#pausedByServer) this.#socket.resume();
    for (const action of waiting) action();
  }

  #whenFree(action: () => void): void {
    if (this.#held === null) action();
    else this.#held.push(action);
  }

  #received(chunk: Uint8Array): void {
    this.#requests.append(chunk);
    while (this.#requests.next()) this.#noteRequest();
    this.onData(chunk);
  }

  #noteRequest(): void {
    const { bytes, start, end } = this.#requests;
    if (!this.#sawConnect) this.#sawConnect = true;
    else if (end - start >= 8) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + start, 8);
      this.#types.set(view.getInt32(0), view.getInt32(4));
    }
  }

  write(bytes: Uint8Array): boolean {
    // What the server hands over may be overwritten once we return; what waits here needs a copy.
    const { delayMs } = this.#faults;
    if (this.#held !== null || delayMs > 0) {
      const copy = bytes.slice();
      const send = () => this.#whenFree(() => this.#send(copy));
      if (delayMs > 0) this.#clock.setTimer(delayMs, send);
      else send();
      return true;
    }
    return this.#send(bytes);
  }

  #send(bytes: Uint8Array): boolean {
    if (this.#isCut) return true;
    this.#replies.append(bytes.slice());
    let passed = 0;
    while (this.#replies.next()) {
      if (this.#isLost()) {
        this.#socket.write(bytes.slice(0, passed));
        this.#socket.end();
        this.#isCut = true;
        return true;
      }
      passed += this.#replies.end - this.#replies.start + 4;
    }
    return this.#socket.write(bytes);
  }

  #isLost(): boolean {
    const { bytes, start, end } = this.#replies;
    if (end - start < 16) return false;
    const xid = new DataView(bytes.buffer, bytes.byteOffset + start, 4).getInt32(0);
    const type = this.#types.get(xid);
    if (type === undefined) return false;
    this.#types.delete(xid);
    return this.#faults.takesReply(type);
  }

  pause(): void {
    this.#pausedByServer = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#pausedByServer = false;
    if (this.#held === null) this.#socket.resume();
  }

  end(): void {
    this.#whenFree(() => this.#socket.end());
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
