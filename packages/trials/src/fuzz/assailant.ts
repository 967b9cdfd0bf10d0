/**
 * One connection after another, each with a few malformed frames: some before any ConnectRequest, most in a session of
 * the assailant's own. Sessions are taken up again rather than made anew, so that the log is not the bottleneck.
 */
import { FrameBuffer, Reader } from "@vivarium/jute";
import { ConnectResponse } from "@vivarium/protocol";
import { type Connection, NodeNetwork, type SeededRandom } from "@vivarium/runtime";
import { framed, type Session } from "../raw-client.ts";
import { type Malformed, malformed } from "./malformed.ts";
import { connectRequest } from "./valid-requests.ts";

const NEW_SESSION: Session = { id: 0n, password: new Uint8Array(16) };
const MAX_FRAMES = 8;
const ANSWER_DEADLINE_MS = 20_000;
const network = new NodeNetwork();

/** Connections that were left in the middle of a frame: the oldest goes when there are too many. */
export class Hanging {
  readonly #limit: number;
  readonly #connections: Connection[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(connection: Connection): void {
    this.#connections.push(connection);
    if (this.#connections.length > this.#limit) this.#connections.shift()?.destroy();
  }

  clear(): void {
    for (const connection of this.#connections.splice(0)) connection.destroy();
  }
}

export class Assailant {
  readonly #port: number;
  readonly #random: SeededRandom;
  readonly #hanging: Hanging;
  #session = NEW_SESSION;

  constructor(port: number, random: SeededRandom, hanging: Hanging) {
    this.#port = port;
    this.#random = random;
    this.#hanging = hanging;
  }

  /**
   * Opens one connection and sends at most `limit` malformed frames; resolves when the server has closed it, or when
   * it hangs.
   * @returns the names of the frames sent
   */
  async assail(limit: number): Promise<string[]> {
    const stage = this.#random.int(5) === 0 ? "new" : "open";
    const count = Math.min(limit, stage === "new" ? 1 : 1 + this.#random.int(MAX_FRAMES));
    const frames: Malformed[] = [];
    while (frames.length < count && !frames.at(-1)?.hangs) frames.push(malformed(this.#random, stage));
    const before = stage === "open" ? [framed(connectRequest(this.#session))] : [];
    const bytes = Buffer.concat([...before, ...frames.map((frame) => frame.bytes)]);
    await this.#send(new Uint8Array(bytes), { hangs: frames.at(-1)?.hangs ?? false, session: stage === "open" });
    return frames.map(({ name }) => name);
  }

  #send(bytes: Uint8Array, { hangs, session }: { hangs: boolean; session: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      const connection = network.connect({ host: "127.0.0.1", port: this.#port });
      const deadline = setTimeout(() => {
        connection.destroy();
        reject(new Error(`a connection was not closed within ${ANSWER_DEADLINE_MS} ms of its end`));
      }, ANSWER_DEADLINE_MS);
      const frames = new FrameBuffer(1 << 24);
      let answered = !session;
      connection.onConnect = () => {
        connection.write(bytes);
        if (!hangs) connection.end();
      };
      connection.onData = (chunk) => {
        if (answered) return;
        frames.append(chunk);
        if (!frames.next()) return;
        answered = true;
        this.#connected(frames.bytes.slice(frames.start, frames.end));
        if (hangs) finish();
      };
      const finish = () => {
        clearTimeout(deadline);
        resolve();
      };
      connection.onClose = finish;
      if (!hangs) return;
      this.#hanging.add(connection);
      if (!session) finish();
    });
  }

  #connected(payload: Uint8Array): void {
    const { timeOut, sessionId, passwd } = ConnectResponse.read(new Reader(payload));
    this.#session = timeOut > 0 && passwd !== null ? { id: sessionId, password: passwd } : NEW_SESSION;
  }
}
