/**
 * The one connection of a pair of servers that notifications go over, both ways: int length, payload. Of what is to be
 * sent only the latest counts, so it waits with its owner until this channel can take it.
 */
import { FrameBuffer, ProtocolError } from "@vivarium/jute";
import { MAX_NOTIFICATION_BYTES } from "@vivarium/protocol";
import type { Connection } from "@vivarium/runtime";
import { remoteEnd } from "./dial.ts";

export interface ElectionChannelOptions {
  connection: Connection;
  /** The payload is a window on memory that is reused. */
  onMessage: (payload: Uint8Array) => void;
  /** After back-pressure: the next message can be written. */
  onReady: () => void;
  /** It is over, and not by `close`. `isNonsense`: the peer sent what nobody can understand. */
  onClose: (end: { problem: string; isNonsense: boolean }) => void;
}

export class ElectionChannel {
  readonly remoteAddress: string;
  /** The other end in log lines. */
  readonly remoteEnd: string;
  readonly #options: ElectionChannelOptions;
  readonly #connection: Connection;
  readonly #frames = new FrameBuffer(MAX_NOTIFICATION_BYTES);
  #isBlocked = false;
  #isClosed = false;

  constructor(options: ElectionChannelOptions) {
    const { connection } = options;
    this.#options = options;
    this.#connection = connection;
    this.remoteAddress = connection.remoteAddress;
    this.remoteEnd = remoteEnd(connection);
    connection.onData = (chunk) => this.received(chunk);
    connection.onDrain = () => {
      this.#isBlocked = false;
      options.onReady();
    };
    connection.onEnd = () => this.#over("it closed the connection");
    connection.onClose = (error) => this.#over(error?.message ?? "it closed the connection");
  }

  get isReady(): boolean {
    return !this.#isBlocked && !this.#isClosed;
  }

  /** Only when ready. */
  write(payload: Uint8Array): void {
    const frame = new Uint8Array(4 + payload.length);
    new DataView(frame.buffer).setInt32(0, payload.length);
    frame.set(payload, 4);
    this.#isBlocked = !this.#connection.write(frame);
  }

  /** Also for what came along with a greeting. */
  received(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#frames.append(chunk);
    try {
      while (!this.#isClosed && this.#nextFrame()) {
        const { bytes, start, end } = this.#frames;
        this.#options.onMessage(bytes.subarray(start, end));
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#over(error.message, true);
    }
  }

  #nextFrame(): boolean {
    const size = this.#frames.peekInt();
    if (size !== undefined && (size < 1 || size > MAX_NOTIFICATION_BYTES)) {
      throw new ProtocolError(`a message of ${size} bytes; 1 to ${MAX_NOTIFICATION_BYTES} are accepted`);
    }
    return this.#frames.next();
  }

  #over(problem: string, isNonsense = false): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onClose({ problem, isNonsense });
  }

  /** What was written and has not left is lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const connection = this.#connection;
    connection.onData = connection.onDrain = connection.onEnd = connection.onClose = () => {};
    connection.destroy();
  }
}
