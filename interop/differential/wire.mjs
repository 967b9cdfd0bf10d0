// One connection that keeps everything in the order in which it arrived. It understands frames and nothing more.

import { connect } from "node:net";

const silenceMs = 10_000;

/**
 * What arrives: `{kind: "connect", payload}`, `{kind: "event", payload}`, `{kind: "reply", xid, name, payload}`,
 * `{kind: "stray", payload}` (a reply nobody waits for), `{kind: "closed"}` and `{kind: "silence"}`.
 */
export class Wire {
  #socket;
  #buffered = Buffer.alloc(0);
  #arrivals = [];
  #pending = [];
  #wake = () => {};
  closed = false;

  constructor(port) {
    this.#socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk) => this.#receive(chunk));
    this.#socket.on("error", () => this.#close());
    this.#socket.on("end", () => this.#close());
    this.#socket.on("close", () => this.#close());
  }

  /** Writes frames with one write. `expected` has one entry per reply to wait for; name "connect" has no header. */
  send(payloads, expected) {
    this.#pending.push(...expected);
    const frames = payloads.flatMap((payload) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(payload.length);
      return [length, payload];
    });
    this.sendBytes(Buffer.concat(frames));
  }

  sendBytes(bytes) {
    if (!this.closed) this.#socket.write(bytes);
  }

  /** Resolves when every expected reply is there, or the connection has ended, or nothing came for a long time. */
  answered() {
    return this.#wait(() => this.#pending.length === 0);
  }

  /** Gives the server a moment to close a connection, if that is what it is about to do. */
  closes(timeoutMs = 300) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        if (!this.closed) return;
        clearTimeout(timer);
        resolve();
      };
      this.#wake();
    });
  }

  /** Resolves when the server has closed the connection, or nothing came for a long time. */
  ended(timeoutMs = silenceMs) {
    return this.#wait(() => false, timeoutMs);
  }

  /** The first event that matches, which stays among the arrivals; undefined if the connection ends or nothing comes. */
  async event(matches) {
    const find = () => this.#arrivals.find(({ kind, payload }) => kind === "event" && matches(payload))?.payload;
    await this.#wait(() => find() !== undefined);
    return find();
  }

  /** Says goodbye without words, and waits until the server has noticed. */
  async drop() {
    this.#socket.end();
    await this.ended();
  }

  destroy() {
    this.#socket.destroy();
  }

  /** Everything that arrived since the last time. */
  take() {
    return this.#arrivals.splice(0);
  }

  #wait(isDone, timeoutMs = silenceMs) {
    return new Promise((resolve) => {
      let timer;
      const look = () => {
        if (!this.closed && !isDone()) return;
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      timer = setTimeout(() => {
        this.#arrivals.push({ kind: "silence" });
        this.#pending = [];
        this.#wake = () => {};
        resolve();
      }, timeoutMs);
      this.#wake = look;
      look();
    });
  }

  #close() {
    if (this.closed) return;
    this.closed = true;
    this.#arrivals.push({ kind: "closed" });
    this.#socket.destroy();
    this.#wake();
  }

  #receive(chunk) {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    let offset = 0;
    while (this.#buffered.length - offset >= 4) {
      const length = this.#buffered.readInt32BE(offset);
      if (this.#buffered.length - offset - 4 < length) break;
      this.#packet(this.#buffered.subarray(offset + 4, offset + 4 + length));
      offset += 4 + length;
    }
    this.#buffered = this.#buffered.subarray(offset);
    this.#wake();
  }

  #packet(payload) {
    if (this.#pending[0]?.name === "connect") {
      this.#pending.shift();
      this.#arrivals.push({ kind: "connect", payload });
      return;
    }
    const xid = payload.readInt32BE(0);
    if (xid === -1 && payload.length > 16) {
      this.#arrivals.push({ kind: "event", payload });
      return;
    }
    const at = this.#pending.findIndex((each) => each.xid === xid);
    if (at === -1) {
      this.#arrivals.push({ kind: "stray", payload });
      return;
    }
    const [{ name }] = this.#pending.splice(at, 1);
    this.#arrivals.push({ kind: "reply", xid, name, payload });
  }
}
