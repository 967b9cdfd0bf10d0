/**
 * One end of a connection between two machines. What is written travels as parcels, each in its time but never before
 * the one in front of it; the far end's operating system keeps what its program does not take yet.
 */
import { type Connection, takeBack } from "@vivarium/runtime";
import type { EventLoop, Process } from "./event-loop.ts";
import type { Trace } from "./trace.ts";

/** What a connection needs of its network. */
export interface Link {
  readonly loop: EventLoop;
  readonly trace: Trace;
  readonly dice: { int(below: number): number };
  delivered: number;
  readonly passes: ((to: SimConnection, bytes: Uint8Array) => number) | null;
  latencyMs(): number;
  isCut(from: string, to: string): boolean;
  hasPower(address: string): boolean;
  forget(connection: SimConnection): void;
}

type Parcel =
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  /** No more follows. */
  | { readonly kind: "end" }
  /** The connection is established: the first parcel to the end that asked for it. */
  | { readonly kind: "established" }
  /** The connection does not exist any more. */
  | { readonly kind: "reset"; readonly error: Error };

/** What the operating systems of both ends take before `write` returns false. */
const KERNEL_BYTES = 256 * 1024;
const nothing = (): void => {};

export class SimConnection implements Connection {
  remoteAddress = "";
  remotePort = 0;
  readonly localAddress: string;
  readonly localPort: number;
  onConnect: () => void = nothing;
  onData: (chunk: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onEnd: () => void = () => this.end();
  onClose: (error: Error | null) => void = nothing;
  isClosed = false;
  isConnected = false;
  readonly #link: Link;
  readonly #process: Process;
  readonly #lendsInput: boolean;
  #peer: SimConnection | null = null;
  /** Its program is gone; what arrives is answered with a reset, if anything answers. */
  #orphaned = false;
  #lastArrivalMs = 0;
  /** Written before the connection was established. */
  readonly #early: Parcel[] = [];
  /** What has arrived and was not handed over. */
  readonly #inbox: Parcel[] = [];
  /** What would have arrived but for a cut. */
  readonly #cutOff: Parcel[] = [];
  /** Bytes written here that the far program has not been handed. */
  #unread = 0;
  #wantsDrain = false;
  #paused = false;
  #isAccepted = true;
  #takes = false;
  #ended = false;
  #peerEnded = false;

  constructor(link: Link, process: Process, local: { address: string; port: number }, lendsInput = false) {
    this.#link = link;
    this.#lendsInput = lendsInput;
    this.#process = process;
    this.localAddress = local.address;
    this.localPort = local.port;
  }

  /** Before anything is sent. The end that was asked for waits until its program has `accepted`. */
  join(peer: SimConnection): void {
    this.#peer = peer;
    this.remoteAddress = peer.localAddress;
    this.remotePort = peer.localPort;
    if (peer.#peer === null) {
      this.isConnected = true;
      this.#isAccepted = false;
    }
  }

  accepted(): void {
    this.#isAccepted = true;
    this.#takeSoon();
  }

  /** Tells the end that asked that it is connected. */
  establish(): void {
    const peer = this.#peer;
    if (peer !== null) peer.#transmit({ kind: "established" });
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#unread - KERNEL_BYTES);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.isClosed) return false;
    this.#unread += bytes.length;
    // A Buffer's own slice would be a view of memory that the program writes on.
    this.#send({ kind: "data", bytes: Uint8Array.prototype.slice.call(bytes) });
    if (this.#unread <= KERNEL_BYTES) return true;
    this.#wantsDrain = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#takeSoon();
  }

  end(): void {
    if (this.#ended || this.isClosed) return;
    this.#ended = true;
    this.#send({ kind: "end" });
  }

  destroy(): void {
    if (this.isClosed) return;
    this.#sendReset("the other end closed the connection");
    this.#close(null);
  }

  // --- the way there

  #send(parcel: Parcel): void {
    if (this.isConnected) this.#transmit(parcel);
    else this.#early.push(parcel);
  }

  #transmit(parcel: Parcel): void {
    const peer = this.#peer;
    if (peer === null) return;
    const { loop } = this.#link;
    const arrivesMs = Math.max(loop.nowMs + this.#link.latencyMs(), this.#lastArrivalMs);
    this.#lastArrivalMs = arrivesMs;
    loop.schedule(arrivesMs, null, () => peer.#arrive(parcel));
  }

  /** A reset may overtake what was sent before it. */
  #sendReset(message: string): void {
    if (this.#link.dice.int(2) === 0) this.#lastArrivalMs = 0;
    this.#transmit({ kind: "reset", error: failure("ECONNRESET", message) });
  }

  #arrive(parcel: Parcel): void {
    if (this.isClosed && !this.#orphaned) return;
    if (this.#cutOff.length > 0 || this.#link.isCut(this.remoteAddress, this.localAddress)) {
      this.#cutOff.push(parcel);
      return;
    }
    if (this.#link.passes !== null && parcel.kind === "data")
      return this.#arriveInPart(parcel.bytes, this.#link.passes);
    this.#deliver(parcel);
  }

  #arriveInPart(bytes: Uint8Array, passes: NonNullable<Link["passes"]>): void {
    const count = passes(this, bytes);
    if (count < bytes.length) this.#cutOff.push({ kind: "data", bytes: bytes.subarray(count) });
    if (count > 0) this.#deliver({ kind: "data", bytes: bytes.subarray(0, count) });
  }

  #deliver(parcel: Parcel): void {
    if (this.#orphaned) return this.#answerForTheDead(parcel);
    // What the program has not read by then is lost to it.
    if (parcel.kind === "reset") this.#inbox.length = 0;
    this.#inbox.push(parcel);
    this.#takeSoon();
  }

  /** The cable works again: what it held back arrives. */
  release(from: string, to: string): void {
    if (this.remoteAddress !== from || this.localAddress !== to) return;
    for (const parcel of this.#cutOff.splice(0)) this.#arrive(parcel);
  }

  #answerForTheDead(parcel: Parcel): void {
    const peer = this.#peer;
    if (peer === null || parcel.kind === "reset" || !this.#link.hasPower(this.localAddress)) return;
    this.#link.forget(this);
    const { loop } = this.#link;
    const error = failure("ECONNRESET", "the other end does not know this connection");
    loop.after(this.#link.latencyMs(), null, () => peer.#arrive({ kind: "reset", error }));
  }

  /** Hands over what has arrived, each parcel as an event of its own. */
  #takeSoon(): void {
    if (this.#takes || this.#inbox.length === 0 || this.#paused || !this.#isAccepted) return;
    this.#takes = true;
    this.#link.loop.after(0, this.#process, this.#take);
  }

  readonly #take = (): void => {
    this.#takes = false;
    if (this.isClosed || this.#paused || !this.#isAccepted) return;
    const parcel = this.#inbox.shift();
    if (parcel === undefined) return;
    this.#link.delivered++;
    this.#receive(parcel);
    this.#takeSoon();
  };

  #receive(parcel: Parcel): void {
    switch (parcel.kind) {
      case "data":
        this.#link.trace.mix(parcel.bytes.length);
        if (this.#peer !== null) this.#peer.#read(parcel.bytes.length);
        this.onData(parcel.bytes);
        if (this.#lendsInput) takeBack(parcel.bytes);
        break;
      case "established":
        this.isConnected = true;
        for (const early of this.#early.splice(0)) this.#transmit(early);
        this.onConnect();
        break;
      case "end":
        this.#peerEnded = true;
        this.onEnd();
        this.#closeIfBothEnded();
        break;
      case "reset":
        this.#close(parcel.error);
    }
  }

  /** The far program has taken bytes. */
  #read(count: number): void {
    this.#unread -= count;
    if (!this.#wantsDrain || this.bufferedBytes > 0) return;
    this.#wantsDrain = false;
    this.#link.loop.after(this.#link.latencyMs(), this.#process, () => {
      if (!this.isClosed) this.onDrain();
    });
  }

  #closeIfBothEnded(): void {
    if (this.#ended && this.#peerEnded) this.#close(null);
  }

  // --- the end

  /** The connection could not be made. */
  fail(code: string, message: string): void {
    this.#close(failure(code, message));
  }

  /** It breaks on the way: each end hears of it in its time, and what was under way is lost. */
  break(): void {
    const peer = this.#peer;
    const { loop } = this.#link;
    for (const end of [this, peer]) {
      if (end === null || end.isClosed || end.#orphaned) continue;
      end.#dropUnderway();
      loop.after(this.#link.latencyMs(), null, () => end.#close(failure("ECONNRESET", "the connection was reset")));
    }
  }

  #dropUnderway(): void {
    this.#isAccepted = false;
    this.#inbox.length = 0;
    this.#cutOff.length = 0;
  }

  /** Its process is gone. `told`: its machine still runs and tells the other end. */
  orphan(told: boolean): void {
    if (this.isClosed) return;
    if (told) {
      this.#sendReset("the other end's program ended");
      this.#link.forget(this);
    }
    this.#orphaned = true;
    this.isClosed = true;
    this.#inbox.length = 0;
  }

  #close(error: Error | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#inbox.length = 0;
    this.#cutOff.length = 0;
    this.#link.forget(this);
    this.#link.loop.after(0, this.#process, () => this.onClose(error));
  }
}

export function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
