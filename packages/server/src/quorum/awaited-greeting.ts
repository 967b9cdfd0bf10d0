/** An accepted election connection whose other end has not yet said who it is. */
import { ProtocolError } from "@vivarium/jute";
import { type ElectionGreeting, readElectionGreeting } from "@vivarium/protocol";
import type { Clock, Connection, Timer } from "@vivarium/runtime";
import { ByteQueue } from "./byte-queue.ts";

export interface AwaitedGreetingOptions {
  connection: Connection;
  clock: Clock;
  timeoutMs: number;
  /** `rest`: what came with the greeting. The connection's callbacks are to be set anew. */
  onGreeting: (greeting: ElectionGreeting, rest: Uint8Array) => void;
  /** The connection is closed. `problem` is null when the other end had said nothing at all, as those do that only probe a port. */
  onFail: (problem: string | null) => void;
}

export class AwaitedGreeting {
  readonly #options: AwaitedGreetingOptions;
  readonly #queue = new ByteQueue();
  readonly #timer: Timer;
  #hasHeard = false;

  constructor(options: AwaitedGreetingOptions) {
    const { connection, clock, timeoutMs } = options;
    this.#options = options;
    this.#timer = clock.setTimer(timeoutMs, () => this.#fail(`it did not say who it is within ${timeoutMs} ms`));
    connection.onData = (chunk) => this.#received(chunk);
    connection.onClose = (error) => this.#fail(error?.message ?? "it closed before it had said who it is");
  }

  /** Hangs up; nobody is told. */
  cancel(): void {
    const { connection } = this.#options;
    this.#timer.cancel();
    connection.onData = connection.onClose = () => {};
    connection.destroy();
  }

  #received(chunk: Uint8Array): void {
    this.#hasHeard = true;
    this.#queue.append(chunk);
    const { reader } = this.#queue;
    let greeting: ElectionGreeting | undefined;
    try {
      greeting = readElectionGreeting(reader);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#fail(error.message);
    }
    if (greeting === undefined) return;
    this.#timer.cancel();
    this.#options.onGreeting(greeting, reader.bytes.subarray(reader.offset, reader.end));
  }

  #fail(problem: string): void {
    this.cancel();
    this.#options.onFail(this.#hasHeard ? problem : null);
  }
}
