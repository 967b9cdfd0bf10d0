// A ZooKeeper client that hides nothing: every frame can be recorded, any byte can be sent, nothing is retried.
// Used to capture fixtures, to dump trees and to compare servers; not a client to build programs on.

import { connect } from "node:net";
import { In } from "./jute.mjs";
import { decodeConnectResponse, decodeResponse, encodeConnect, encodeRequest, readWatcherEvent } from "./records.mjs";

const specialXids = { ping: -2, auth: -4, setWatches: -8, setWatches2: -8 };

/**
 * @typedef {{xid: number, zxid: bigint, err: number, value?: any, rest?: number, payload: Buffer}} Reply
 * @typedef {{zxid: bigint, type: number, state: number, path: string}} WatchEvent
 */
export class RawClient {
  #socket;
  #buffered = Buffer.alloc(0);
  #pending = [];
  #connectWaiter;
  #eventWaiters = [];
  #lastXid = 0;
  #pinger;
  /** @type {WatchEvent[]} every event not yet taken */
  events = [];
  /** Everything that arrived, in order: `{event}` and `{reply, name}`; for checks of ordering. */
  arrivals = [];
  closed = false;
  sessionId = 0n;
  passwd = Buffer.alloc(16);
  timeOut = 0;
  lastZxid = 0n;

  /**
   * @param {{port: number, host?: string, onFrame?: (direction: "request" | "response" | "event", op: string, payload: Buffer,
   *   value: any) => void, keepArrivals?: boolean}} options
   */
  constructor({ port, host = "127.0.0.1", onFrame = () => {}, keepArrivals = false }) {
    this.onFrame = onFrame;
    this.keepArrivals = keepArrivals;
    this.#socket = connect(port, host);
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk) => this.#receive(chunk));
    this.#socket.on("error", () => {});
    this.whenClosed = new Promise((resolve) => {
      this.#socket.on("close", () => {
        this.#closed();
        resolve();
      });
    });
  }

  /** Connects and establishes (or resumes) a session. Resolves with the client once the server has answered. */
  static async connect(options) {
    const client = new RawClient(options);
    await client.establish(options);
    return client;
  }

  /** Sends ConnectRequest; resolves with ConnectResponse, or rejects if the server closes instead. */
  establish(options = {}) {
    return new Promise((resolve, reject) => {
      this.#connectWaiter = { resolve, reject };
      const payload = encodeConnect(options);
      this.onFrame("request", "connect", payload, options);
      this.sendFrame(payload);
    });
  }

  /** Writes one frame: length and payload. */
  sendFrame(payload) {
    const frame = Buffer.allocUnsafe(4 + payload.length);
    frame.writeInt32BE(payload.length);
    payload.copy(frame, 4);
    this.sendBytes(frame);
  }

  sendBytes(bytes) {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /**
   * Sends one request and resolves with its reply, whatever its error code; rejects if the connection ends first.
   * @param {string | number} name an op name of `records.mjs`, or a bare code with `raw` as its body
   * @returns {Promise<Reply>}
   */
  call(name, fields = {}, { xid = specialXids[name] ?? ++this.#lastXid, raw } = {}) {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new Error(`${name}: connection is closed`));
        return;
      }
      const head = encodeRequest(xid, name, fields);
      const payload = raw === undefined ? head : Buffer.concat([head, raw]);
      this.#pending.push({ xid, name, resolve, reject });
      this.onFrame("request", String(name), payload, fields);
      this.sendFrame(payload);
    });
  }

  /** Like `call`, but an error code is an exception and the reply's value is returned. */
  async ask(name, fields, options) {
    const reply = await this.call(name, fields, options);
    if (reply.err !== 0) throw new Error(`${name} ${JSON.stringify(fields?.path ?? "")}: error ${reply.err}`);
    return reply.value;
  }

  /** Pings every `everyMs`, so that a long test does not lose its session. */
  keepAlive(everyMs = 2000) {
    this.#pinger = setInterval(() => this.call("ping").catch(() => {}), everyMs);
    this.#pinger.unref();
  }

  /** The next watch event, in order of arrival. */
  nextEvent(timeoutMs = 5000) {
    const event = this.events.shift();
    if (event) return Promise.resolve(event);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no watch event in ${timeoutMs} ms`)), timeoutMs);
      this.#eventWaiters.push((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }

  /** closeSession, then wait for the server to close the socket. */
  async close() {
    clearInterval(this.#pinger);
    await this.call("closeSession").catch(() => {});
    await Promise.race([this.whenClosed, new Promise((resolve) => setTimeout(resolve, 1000))]);
    this.destroy();
  }

  /** Drops the connection and leaves the session alone. */
  destroy() {
    clearInterval(this.#pinger);
    this.#socket.destroy();
  }

  #closed() {
    this.closed = true;
    clearInterval(this.#pinger);
    const error = new Error("connection closed by the server");
    this.#connectWaiter?.reject(error);
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }

  #receive(chunk) {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    let offset = 0;
    while (this.#buffered.length - offset >= 4) {
      const length = this.#buffered.readInt32BE(offset);
      if (this.#buffered.length - offset - 4 < length) break;
      const payload = this.#buffered.subarray(offset + 4, offset + 4 + length);
      offset += 4 + length;
      this.#packet(payload);
    }
    this.#buffered = this.#buffered.subarray(offset);
  }

  #packet(payload) {
    if (this.#connectWaiter) {
      const response = decodeConnectResponse(payload);
      this.sessionId = response.sessionId;
      this.passwd = Buffer.from(response.passwd);
      this.timeOut = response.timeOut;
      const { resolve } = this.#connectWaiter;
      this.#connectWaiter = undefined;
      this.onFrame("response", "connect", payload, response);
      resolve(response);
      return;
    }
    const header = new In(payload);
    const [xid, zxid, err] = [header.int(), header.long(), header.int()];
    if (zxid > 0n) this.lastZxid = zxid;
    if (xid === -1) {
      this.#event({ zxid, ...readWatcherEvent(header) }, payload);
      return;
    }
    const at = this.#pending.findIndex((each) => each.xid === xid);
    if (at === -1) {
      this.onFrame("response", `unmatched xid ${xid}`, payload, { xid, zxid, err });
      return;
    }
    const [{ name, resolve }] = this.#pending.splice(at, 1);
    const reply = { xid, zxid, err, payload };
    try {
      if (err === 0) Object.assign(reply, decodeResponse(name, payload.subarray(16)));
      else reply.rest = payload.length - 16;
    } catch (error) {
      reply.undecodable = error.message;
    }
    this.onFrame("response", String(name), payload, reply);
    if (this.keepArrivals) this.arrivals.push({ name, reply });
    resolve(reply);
  }

  #event(event, payload) {
    this.onFrame("event", "notification", payload, event);
    if (this.keepArrivals) this.arrivals.push({ event });
    const waiter = this.#eventWaiters.shift();
    if (waiter) waiter(event);
    else this.events.push(event);
  }
}
