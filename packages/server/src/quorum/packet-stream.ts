/**
 * One connection between a leader and a learner, as packets. The leader's side comes from quorum-listener.ts, the
 * learner's from learner-dialer.ts; what the packets mean is the machines' business.
 *
 *   bytes ─► PacketReader ─► onPacket                    send, sendSnapshot ─► PacketOutput ─► bytes
 *                └─ after SNAP ─► receiveSnapshot(sink)
 *
 * What makes no sense closes the connection with one log line that names the peer. `onClose` comes exactly once, never
 * within a call to this stream, and no packet after it, nor after `close`.
 *
 * @see fact sheet "quorum-protocol", sections 5 and 7
 */
import { ProtocolError } from "@vivarium/jute";
import { type QuorumPacket, QuorumPacketType, type SnapshotSink, type SnapshotSource } from "@vivarium/protocol";
import type { Clock, Connection, Timer } from "@vivarium/runtime";
import type { Logger } from "../log/index.ts";
import { remoteEnd } from "./dial.ts";
import { PacketOutput } from "./packet-output.ts";
import { PacketReader } from "./packet-reader.ts";
import { SnapshotStreamParser } from "./snapshot-stream.ts";

export interface PacketStreamLimits {
  /** The largest packet accepted, in bytes. Default {@link MAX_PACKET_BYTES}. */
  maxPacketBytes?: number;
  /** More unsent bytes than this close the connection. Default {@link MAX_QUEUED_BYTES}. */
  maxQueuedBytes?: number;
}

export interface PacketStreamOptions extends PacketStreamLimits {
  connection: Connection;
  clock: Clock;
  logger: Logger;
  /** Told when the stream is over, before `onClose`: for who counts streams. */
  onOver?: () => void;
}

/** jute.maxbuffer's default twice, as Apache allows between servers, and something for the headers around it. */
export const MAX_PACKET_BYTES = 2 * 0xfffff + 4096;
export const MAX_QUEUED_BYTES = 256 << 20;
/** How long a peer has to take what was sent before `close`, in milliseconds. */
const LINGER_MS = 1000;

interface Receiving {
  readonly parser: SnapshotStreamParser;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class PacketStream {
  /** The peer in log lines: its address, until whoever knows better says so ("server 2 at 10.0.0.2:40112"). */
  name: string;
  /** The packet's data is lent: what is to be kept of it beyond the call has to be copied. */
  onPacket: (packet: QuorumPacket) => void = () => {};
  /** It is over. The reason is a sentence without its full stop. */
  onClose: (reason: string) => void = () => {};
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #maxQueuedBytes: number;
  readonly #onOver: () => void;
  readonly #input: PacketReader;
  readonly #output: PacketOutput;
  #receiving: Receiving | null = null;
  /** "snapshot": what comes next is no packet. */
  #expects: "packet" | "snapshot" = "packet";
  #isReading = false;
  #isPaused = false;
  /** The connection is told to deliver nothing. */
  #isHeld = false;
  #closeReason: string | null = null;
  #readTimeoutMs = 0;
  #lastReadMs: number;
  #readTimer: Timer | null = null;

  /** @param options.connection must have told nothing yet: its callbacks are set here. */
  constructor(options: PacketStreamOptions) {
    const { connection, clock, logger, maxPacketBytes = MAX_PACKET_BYTES, maxQueuedBytes = MAX_QUEUED_BYTES } = options;
    this.name = remoteEnd(connection);
    this.#connection = connection;
    this.#clock = clock;
    this.#logger = logger;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#onOver = options.onOver ?? (() => {});
    this.#input = new PacketReader(maxPacketBytes);
    this.#output = new PacketOutput(connection, clock);
    this.#lastReadMs = clock.monotonicMs();
    connection.onData = (chunk) => this.#received(chunk);
    connection.onEnd = () => this.close("the peer closed the connection");
    connection.onClose = (error) => this.#gone(error);
  }

  /** Why it is closed; null while it is open. */
  get closeReason(): string | null {
    return this.#closeReason;
  }

  /** Bytes sent that have not left. */
  get queuedBytes(): number {
    return this.#output.queuedBytes;
  }

  /** Leaves at the end of this turn, with everything else that is sent in it. */
  send(packet: QuorumPacket): void {
    if (this.#closeReason !== null) return;
    if (this.queuedBytes > this.#maxQueuedBytes) {
      return this.#fail(`the peer does not take what is sent to it: ${this.queuedBytes} bytes wait`);
    }
    this.#output.send(packet);
  }

  /** All that was sent in this turn leaves now. */
  flush(): void {
    this.#output.flush();
  }

  /**
   * Streams a snapshot behind the SNAP that was sent before; packets sent meanwhile follow it. Closes `source` in any
   * case. Rejects when the connection ends first, and ends it when the peer takes nothing of it for `patienceMs`.
   */
  sendSnapshot(source: SnapshotSource, patienceMs: number): Promise<void> {
    const sent = this.#output.sendSnapshot(source);
    const watch = (slices: number): Timer =>
      this.#clock.setTimer(patienceMs, () => {
        if (this.#output.slices === slices) return this.#fail(`it took nothing of a snapshot for ${patienceMs} ms`);
        timer = watch(this.#output.slices);
      });
    let timer = watch(this.#output.slices);
    return sent.finally(() => timer.cancel());
  }

  /**
   * After SNAP, once: what follows goes to `sink`; until this is called nothing is read. Packets behind the snapshot come
   * after those who wait for this promise have run. Rejects when the connection ends first or the snapshot makes no
   * sense; then the sink must be thrown away.
   */
  receiveSnapshot(sink: SnapshotSink): Promise<void> {
    if (this.#closeReason !== null) return Promise.reject(new Error(this.#closeReason));
    if (this.#expects !== "snapshot" || this.#receiving !== null) {
      return Promise.reject(new Error("no snapshot is expected"));
    }
    return new Promise((resolve, reject) => {
      this.#receiving = { parser: new SnapshotStreamParser(sink), resolve, reject };
      this.#readOn();
    });
  }

  /** The longest silence of the peer, while it is read from, in milliseconds from now; 0 for no limit. */
  setReadTimeout(timeoutMs: number): void {
    this.#readTimeoutMs = timeoutMs;
    this.#lastReadMs = this.#clock.monotonicMs();
    this.#readTimer?.cancel();
    this.#readTimer = null;
    this.#watchSilence();
  }

  /** No packets until `resume`; the peer is slowed down in turn. */
  pause(): void {
    this.#isPaused = true;
    if (this.#closeReason === null) this.#hold(true);
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#readOn();
  }

  /** Sends what is ready, then closes. */
  close(reason: string): void {
    if (this.#closeReason !== null) return;
    this.#closeReason = reason;
    this.#readTimer?.cancel();
    this.#output.end(reason);
    this.#receiving?.reject(new Error(reason));
    this.#receiving = null;
    this.#input.clear();
    this.#connection.resume();
    this.#connection.end();
    const linger = this.#clock.setTimer(LINGER_MS, () => this.#connection.destroy());
    this.#connection.onData = () => {};
    this.#connection.onEnd = () => {};
    this.#connection.onClose = () => {
      linger.cancel();
      this.#onOver();
      this.onClose(reason);
    };
  }

  /** As `close`, with a line in the log: the peer has done what it must not. */
  #fail(problem: string): void {
    if (this.#closeReason !== null) return;
    this.#logger.warn("closed the connection of a server", { peer: this.name, problem });
    this.close(problem);
  }

  #received(chunk: Uint8Array): void {
    this.#lastReadMs = this.#clock.monotonicMs();
    this.#input.append(chunk);
    this.#readOn();
    this.#input.keep();
  }

  /** Hands on all that can be understood now. */
  #readOn(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#canRead() && this.#readOne()) {}
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(error.message);
    } finally {
      this.#isReading = false;
    }
    if (this.#closeReason === null) this.#hold(!this.#canRead());
  }

  /** Time in which nothing is read does not count as the peer's silence. */
  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) return this.#connection.pause();
    this.#lastReadMs = this.#clock.monotonicMs();
    this.#watchSilence();
    this.#connection.resume();
  }

  #canRead(): boolean {
    if (this.#closeReason !== null || this.#isPaused) return false;
    return this.#expects === "packet" || this.#receiving !== null;
  }

  /** Reads one packet or what there is of a snapshot; false when more has to arrive first. */
  #readOne(): boolean {
    if (this.#receiving !== null) return this.#readSnapshot(this.#receiving);
    const packet = this.#input.next();
    if (packet === undefined) return false;
    if (packet.type === QuorumPacketType.SNAP) this.#expects = "snapshot";
    this.onPacket(packet);
    return true;
  }

  #readSnapshot({ parser, resolve }: Receiving): boolean {
    if (!parser.read(this.#input.reader)) return false;
    this.#receiving = null;
    resolve();
    this.#clock.defer(() => {
      if (this.#closeReason !== null) return;
      this.#expects = "packet";
      this.#readOn();
    });
    return true;
  }

  #gone(error: Error | null): void {
    const reason = error?.message ?? "the connection was closed";
    this.#closeReason = reason;
    this.#readTimer?.cancel();
    this.#output.end(reason);
    this.#receiving?.reject(new Error(reason));
    this.#receiving = null;
    this.#input.clear();
    this.#onOver();
    this.onClose(reason);
  }

  #watchSilence(): void {
    const timeoutMs = this.#readTimeoutMs;
    if (timeoutMs === 0 || this.#closeReason !== null || this.#readTimer !== null || this.#isHeld) return;
    const leftMs = this.#lastReadMs + timeoutMs - this.#clock.monotonicMs();
    this.#readTimer = this.#clock.setTimer(leftMs, () => {
      this.#readTimer = null;
      if (this.#isHeld) return;
      const silentMs = this.#clock.monotonicMs() - this.#lastReadMs;
      if (silentMs >= this.#readTimeoutMs) return this.#fail(`nothing was received for ${Math.round(silentMs)} ms`);
      this.#watchSilence();
    });
  }
}
