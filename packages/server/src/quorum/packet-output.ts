/**
 * What goes out on a connection between leader and learner, in the order in which it was asked for: packets, gathered and
 * written once per turn, and snapshots, written in slices as the other end takes them. While a snapshot is on its way,
 * packets wait behind it.
 */
import { Writer } from "@vivarium/jute";
import { QuorumPacket, type SnapshotSource } from "@vivarium/protocol";
import type { Clock, Connection } from "@vivarium/runtime";
import { snapshotStream } from "./snapshot-stream.ts";

const FIRST_OUTPUT_BYTES = 4096;
/** A buffer that has grown beyond this is given back once it is sent; a busy turn's proposals fit. */
const KEPT_OUTPUT_BYTES = 1 << 20;

interface RunningSnapshot {
  readonly slices: Generator<Uint8Array, void, void>;
  readonly source: SnapshotSource;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class PacketOutput {
  readonly #connection: Connection;
  readonly #clock: Clock;
  #out = new Writer(FIRST_OUTPUT_BYTES);
  #snapshot: RunningSnapshot | null = null;
  #flushIsDue = false;
  #sliceIsDue = false;
  /** The connection has more than is good and will say when to go on. */
  #isBlocked = false;
  #isOver = false;
  /** Pieces of snapshots given to the connection so far: whether one gets on. */
  slices = 0;

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    connection.onDrain = () => {
      this.#isBlocked = false;
      this.#goOn();
    };
  }

  /** Bytes that have not left. */
  get queuedBytes(): number {
    return this.#out.length + this.#connection.bufferedBytes;
  }

  send(packet: QuorumPacket): void {
    if (this.#isOver) return;
    QuorumPacket.write(this.#out, packet);
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    this.#clock.defer(() => {
      this.#flushIsDue = false;
      this.flush();
    });
  }

  /** Writes what has gathered, instead of at the end of the turn. */
  flush(): void {
    if (this.#snapshot === null && !this.#isBlocked && !this.#isOver) this.#write();
  }

  #write(): void {
    const out = this.#out;
    if (out.length === 0) return;
    this.#isBlocked = !this.#connection.write(out.written());
    // What the operating system has taken can be overwritten; otherwise the connection still reads from this memory.
    if (this.#connection.bufferedBytes === 0 && out.bytes.length <= KEPT_OUTPUT_BYTES) out.reset();
    else this.#out = new Writer(Math.min(Math.max(out.length, FIRST_OUTPUT_BYTES), KEPT_OUTPUT_BYTES));
  }

  /** Streams it behind all packets so far, and closes it. Rejects when the connection ends first. */
  sendSnapshot(source: SnapshotSource): Promise<void> {
    if (this.#isOver || this.#snapshot !== null) {
      source.close();
      return Promise.reject(new Error(this.#isOver ? "the connection is closed" : "a snapshot is being sent already"));
    }
    this.#write();
    return new Promise((resolve, reject) => {
      this.#snapshot = { slices: snapshotStream(source), source, resolve, reject };
      this.#goOn();
    });
  }

  #goOn(): void {
    if (this.#isBlocked || this.#isOver) return;
    if (this.#snapshot === null) return this.#write();
    if (this.#sliceIsDue) return;
    this.#sliceIsDue = true;
    // One slice per turn of the event loop, so that everyone else has theirs.
    this.#clock.defer(() => {
      this.#sliceIsDue = false;
      if (!this.#isBlocked && this.#snapshot !== null) this.#sendSlice(this.#snapshot);
    });
  }

  #sendSlice(snapshot: RunningSnapshot): void {
    try {
      const { done, value } = snapshot.slices.next();
      this.slices++;
      if (done !== true) this.#isBlocked = !this.#connection.write(value);
      else this.#snapshotEnds().resolve();
    } catch (error) {
      this.#snapshotEnds().reject(error as Error);
      return;
    }
    this.#goOn();
  }

  #snapshotEnds(): RunningSnapshot {
    const snapshot = this.#snapshot as RunningSnapshot;
    this.#snapshot = null;
    snapshot.source.close();
    return snapshot;
  }

  /** Nothing is written any more; what has gathered leaves first, unless it stands behind a snapshot. */
  end(reason: string): void {
    if (this.#isOver) return;
    if (this.#snapshot === null) this.#write();
    this.#isOver = true;
    if (this.#snapshot !== null) this.#snapshotEnds().reject(new Error(reason));
    this.#out.reset();
  }
}
