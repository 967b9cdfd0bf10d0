// Plays operations on one server, one at a time, over a handful of sessions, and tells what came back.
// It decides nothing by itself: the same operations on a server that answers the same give the same observations.

import { decodeConnectResponse, encodeConnect } from "../lib/records.mjs";
import { passwordOf } from "./password.mjs";
import { encodeCall } from "./requests.mjs";
import { Translator } from "./translate.mjs";
import { Wire } from "./wire.mjs";

/** A session that outlives every run; nothing may expire while operations are compared. */
const longTimeOutMs = 60_000;

class Slot {
  wire;
  sessionId = 0n;
  passwd = Buffer.alloc(16);
  lastXid = 0;
}

/**
 * @typedef {object} Operation
 * @property {"call" | "burst" | "bytes" | "connect" | "drop" | "expire" | "deleted"} kind
 * @property {number} slot which of the sessions
 */
export class Player {
  #port;
  #slots = new Map();
  #lastZxid = 0n;
  /** zxids of transactions that delete several nodes in an order of the server's own choice */
  #unorderedZxids = new Set();
  translator = new Translator();

  constructor(port) {
    this.#port = port;
  }

  /**
   * @param {Operation} operation
   * @returns {Promise<object[]>} what arrived, in order, each with the number of its slot
   */
  async play(operation) {
    const slot = this.#slot(operation.slot);
    const seen = [];
    if (operation.kind !== "connect" && operation.kind !== "drop" && (slot.wire === undefined || slot.wire.closed)) {
      seen.push(...(await this.#connect(slot, operation.slot, {})));
    }
    if (operation.kind === "call") await this.#calls(slot, [operation], operation.mayClose);
    else if (operation.kind === "burst") await this.#calls(slot, operation.calls, false);
    else if (operation.kind === "bytes") await this.#bytes(slot, operation);
    else if (operation.kind === "connect") seen.push(...(await this.#connect(slot, operation.slot, operation)));
    else if (operation.kind === "drop") await slot.wire?.drop();
    else if (operation.kind === "expire") await this.#expire(slot, operation);
    else if (operation.kind === "deleted") seen.push(...(await this.#deleted(slot, operation)));
    else throw new Error(`no such kind of operation: ${operation.kind}`);
    seen.push(...this.#take(operation.slot));
    return seen;
  }

  /** Everything still on its way, and the end of all connections; sessions stay. */
  async finish() {
    const seen = [];
    for (const [number, { wire }] of this.#slots) {
      if (wire === undefined || wire.closed) continue;
      const { xid, payload } = encodeCall({ name: "ping" }, { xid: 0, lastZxid: 0n });
      wire.send([payload], [{ xid, name: "ping" }]);
      await wire.answered();
      seen.push(...this.#take(number));
    }
    return seen;
  }

  /** The last zxid that a reply carried. */
  get lastZxid() {
    return this.#lastZxid;
  }

  disconnect() {
    for (const { wire } of this.#slots.values()) wire?.destroy();
  }

  #slot(number) {
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = new Slot();
      this.#slots.set(number, slot);
    }
    return slot;
  }

  #take(number) {
    const arrivals = this.#slots.get(number).wire?.take() ?? [];
    return sortUnordered(this.#translate(number, arrivals), this.#unorderedZxids);
  }

  #translate(number, arrivals) {
    for (const { kind, name, payload } of arrivals) {
      if (kind !== "reply") continue;
      const [zxid, err] = [payload.readBigInt64BE(4), payload.readInt32BE(12)];
      if (zxid > this.#lastZxid) this.#lastZxid = zxid;
      if (name === "closeSession" && err === 0) this.#unorderedZxids.add(String(zxid));
    }
    return arrivals.map((arrival) => ({ slot: number, ...this.translator.arrival(arrival) }));
  }

  async #calls(slot, calls, mayClose) {
    const encoded = calls.map((call) => ({
      name: call.name,
      ...encodeCall(call, { xid: ++slot.lastXid, lastZxid: this.#lastZxid }),
    }));
    slot.wire.send(
      encoded.map(({ payload }) => payload),
      encoded.map(({ xid, name }) => ({ xid: name === "ping" ? -2 : xid, name })),
    );
    await slot.wire.answered();
    if (calls.at(-1).name === "closeSession") await slot.wire.ended();
    else if (mayClose) await this.#probe(slot, calls.at(-1));
  }

  /** Finds out whether the server has closed the connection behind its last answer. */
  async #probe(slot, { closes = false }) {
    if (closes) await slot.wire.closes();
    if (slot.wire.closed) return;
    const { xid, payload } = encodeCall({ name: "ping" }, { xid: 0, lastZxid: 0n });
    slot.wire.send([payload], [{ xid, name: "ping" }]);
    await slot.wire.answered();
  }

  /** Bytes that are no frame with a request in it: the server is expected to close the connection. */
  async #bytes(slot, { hex }) {
    slot.wire.sendBytes(Buffer.from(hex, "hex"));
    await slot.wire.ended();
  }

  /**
   * A connection for a slot. The slot's old connection, and any other of the same session, must go.
   * @param {{session?: "new" | "own" | "unknown" | {of: number}, passwd?: "right" | null | {hex: string}, keep?: boolean,
   *   zxid?: "seen" | "zero" | "ahead", old?: boolean, readOnly?: boolean, timeOut?: number}} how
   */
  async #connect(slot, number, how) {
    const seen = [];
    const previous = slot.wire;
    if (previous !== undefined && !how.keep) {
      await previous.drop();
      seen.push(...this.#take(number));
    }
    const { sessionId, passwd } = this.#credentials(slot, how);
    const rivals = sessionId === 0n ? [] : this.#openWires(sessionId);
    const wire = new Wire(this.#port);
    const request = encodeConnect({
      lastZxidSeen: { seen: this.#lastZxid, ahead: this.#lastZxid + 1000n }[how.zxid] ?? 0n,
      timeOut: how.timeOut ?? longTimeOutMs,
      sessionId,
      passwd,
      readOnly: how.old ? "absent" : (how.readOnly ?? false),
    });
    wire.send([request], [{ name: "connect" }]);
    await wire.answered();
    const arrivals = wire.take();
    const response = arrivals[0]?.kind === "connect" ? decodeConnectResponse(arrivals[0].payload) : undefined;
    if (response?.sessionId === 0n && !wire.closed) await wire.ended();
    seen.push(...this.#translate(number, [...arrivals, ...wire.take()]));
    if (response !== undefined) {
      for (const rival of rivals) {
        if (!rival.wire.closed) await rival.wire.ended(2000);
        seen.push(...this.#take(rival.number));
      }
    }
    if (previous !== undefined && !previous.closed) {
      await previous.drop();
      seen.push(...this.#take(number));
    }
    slot.wire = wire;
    if (response !== undefined && response.sessionId !== 0n) {
      slot.sessionId = response.sessionId;
      slot.passwd = response.passwd;
    }
    return seen;
  }

  #credentials(slot, { session = "new", passwd = "right" }) {
    if (session === "new") return { sessionId: 0n, passwd: Buffer.alloc(16) };
    const unknown = this.translator.unknownSession();
    const of = session === "own" ? slot : session === "unknown" ? undefined : this.#slot(session.of);
    const sessionId = of?.sessionId ?? unknown;
    const right = of?.passwd ?? passwordOf(unknown);
    if (passwd === "right") return { sessionId, passwd: right };
    return { sessionId, passwd: passwd === null ? null : Buffer.from(passwd.hex, "hex") };
  }

  /** Connections of a session, all of which its resumption elsewhere must close. */
  #openWires(sessionId) {
    return [...this.#slots]
      .filter(([, slot]) => slot.sessionId === sessionId && slot.wire !== undefined && !slot.wire.closed)
      .map(([number, { wire }]) => ({ number, wire }));
  }

  /** Watches a node, does what makes the server delete it, and waits until it has. */
  async #deleted(slot, { path, by }) {
    await this.#calls(slot, [{ name: "exists", fields: { path, watch: true } }], false);
    const seen = [];
    for (const step of by) seen.push(...(await this.play(step)));
    await slot.wire.event((payload) => payload.readInt32BE(16) === 2 && payload.includes(path));
    await this.#allEvents(slot);
    return seen;
  }

  /** A transaction may be told in several events: an answer comes behind all of them. */
  #allEvents(slot) {
    return this.#probe(slot, {});
  }

  /** A session with an ephemeral falls silent; another one waits for the node to go. */
  async #expire(slot, { path }) {
    const dying = new Slot();
    const number = "dying";
    this.#slots.set(number, dying);
    const seen = await this.#connect(dying, number, { timeOut: 1 });
    await this.#calls(dying, [{ name: "create", fields: { path, flags: 1 } }], false);
    await this.#calls(slot, [{ name: "exists", fields: { path, watch: true } }], false);
    seen.push(...this.#take(number));
    const [created] = seen.filter(({ kind }) => kind === "reply");
    if (created?.err === 0) {
      const deleted = await slot.wire.event((payload) => payload.readInt32BE(16) === 2 && payload.includes(path));
      if (deleted) this.#unorderedZxids.add(String(deleted.readBigInt64BE(4)));
      await dying.wire.ended();
      await this.#allEvents(slot);
    } else await dying.wire.drop();
    this.#slots.delete(number);
  }
}

/** Puts neighbouring events of one such transaction into an order of ours. */
export function sortUnordered(arrivals, zxids) {
  const result = [];
  for (let at = 0; at < arrivals.length; ) {
    const { kind, zxid } = arrivals[at];
    let end = at + 1;
    if (kind === "event" && zxids.has(zxid)) {
      while (arrivals[end]?.kind === "event" && arrivals[end].zxid === zxid) end++;
    }
    const run = arrivals.slice(at, end).map((arrival) => [JSON.stringify(arrival), arrival]);
    run.sort(([a], [b]) => (a < b ? -1 : 1));
    result.push(...run.map(([, arrival]) => arrival));
    at = end;
  }
  return result;
}
