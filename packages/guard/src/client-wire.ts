/**
 * The server's end of a client's connection, without a client: the guard feeds it bytes and counts the packets that come
 * back, so that all that is measured is the server. Everything is taken at once, as by a socket that is never full.
 */
import type { Clock, Connection } from "@vivarium/runtime";
import type { Counts } from "./counts.ts";

const ERR_OFFSET = 16;
const nothing = (): void => {};

export class ClientWire implements Connection {
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort: number;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 2181;
  readonly bufferedBytes = 0;
  onConnect: () => void = nothing;
  onData: (chunk: Uint8Array) => void = nothing;
  onDrain: () => void = nothing;
  onEnd: () => void = nothing;
  onClose: (error: Error | null) => void = nothing;
  /** Replies and watch events that have come, the answer to the ConnectRequest first. */
  packets = 0;
  /** Why what is measured would mean nothing, if something went wrong. */
  problem: string | null = null;
  readonly #clock: Clock;
  readonly #counts: Counts;
  readonly #waiting: Uint8Array[] = [];
  #paused = false;

  constructor({ port, clock, counts }: { port: number; clock: Clock; counts: Counts }) {
    this.remotePort = port;
    this.#clock = clock;
    this.#counts = counts;
  }

  write(bytes: Uint8Array): boolean {
    this.#counts.socketWrites++;
    this.#counts.socketBytes += bytes.length;
    let at = 0;
    while (at + 4 <= bytes.length) {
      // A reply says how it went; the answer to the ConnectRequest, which comes first, has no such field.
      if (this.packets > 0 && int(bytes, at + ERR_OFFSET) !== 0) this.problem = "the server refused a request";
      at += 4 + int(bytes, at);
      this.packets++;
    }
    if (at !== bytes.length) this.problem = "a packet was sent in more than one write, which the guard cannot follow";
    return true;
  }

  /** What the client has sent, at once or when the server reads again. */
  feed(chunk: Uint8Array): void {
    if (this.#paused) this.#waiting.push(chunk);
    else this.onData(chunk);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#waiting.length > 0) this.#clock.defer(() => this.#deliver());
  }

  #deliver(): void {
    for (const chunk of this.#waiting.splice(0)) this.feed(chunk);
  }

  end(): void {
    this.problem = "the server closed the connection";
  }

  destroy(): void {
    this.end();
  }
}

function int(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
