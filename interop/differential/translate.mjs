// What two right servers may answer differently is translated here into what must be equal:
//  - session ids become their distance from the server's first one, passwords whether they belong to their session;
//  - clock times become whether a time is there, after checking that one zxid always comes with one time;
//  - children, ephemerals and the identities of whoAmI are sorted, because their order has no meaning;
// All the rest stays as it came, down to bytes that nobody asked for.

import { In } from "../lib/jute.mjs";
import { readWatcherEvent, responses } from "../lib/records.mjs";
import { passwordOf } from "./password.mjs";

/** Keeps a string that is not UTF-8 apart from the one that would replace it. */
class ExactIn extends In {
  string() {
    const bytes = this.buffer();
    if (bytes === null) return null;
    const text = bytes.toString("utf8");
    return Buffer.from(text, "utf8").equals(bytes) ? text : `bytes ${bytes.toString("hex")}`;
  }
}

/** Lists in which order has no meaning. */
const unordered = new Set(["children", "ephemerals", "clientInfo"]);
const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const byText = (a, b) => (asText(a) < asText(b) ? -1 : 1);

export class Translator {
  #firstSession;
  #timeOfZxid = new Map([["0", "0"]]);

  /** The name of a session that is the same on both servers. */
  session(id) {
    const value = BigInt.asIntN(64, BigInt(id));
    if (value === 0n) return "none";
    const distance = value - (this.#firstSession ?? value);
    if (value > 0n && distance >= -1000n && distance < 1_000_000n) return `session ${distance}`;
    return `0x${BigInt.asUintN(64, value).toString(16)}`;
  }

  /** The id of a session that was never given out. */
  unknownSession() {
    return (this.#firstSession ?? 1n) + 500_000n;
  }

  stat(stat) {
    const { czxid, mzxid, ctime, mtime, ephemeralOwner, ...rest } = stat;
    return {
      czxid: String(czxid),
      mzxid: String(mzxid),
      ctime: this.#time(czxid, ctime),
      mtime: this.#time(mzxid, mtime),
      ephemeralOwner: this.session(ephemeralOwner),
      ...this.value(rest),
    };
  }

  #time(zxid, time) {
    const [key, value] = [String(zxid), String(time)];
    const known = this.#timeOfZxid.get(key);
    if (known === undefined) this.#timeOfZxid.set(key, value);
    else if (known !== value) return `${value}, but zxid ${key} was at ${known}`;
    return value === "0" ? "never" : "then";
  }

  /** Any decoded value. */
  value(value, key) {
    if (typeof value === "bigint") return String(value);
    if (Buffer.isBuffer(value))
      return /^[ -~\n]*$/.test(value.toString("latin1")) ? value.toString() : `bytes ${value.toString("hex")}`;
    if (Array.isArray(value)) {
      const items = value.map((each) => this.value(each));
      return unordered.has(key) ? items.sort(byText) : items;
    }
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, name === "stat" ? this.stat(each) : this.value(each, name)]),
    );
  }

  /** One arrival of a `Wire`. */
  arrival({ kind, name, payload }) {
    if (kind === "connect") return { kind, ...this.#connectResponse(payload) };
    if (kind === "reply") return { kind, name, ...this.#reply(name, payload) };
    if (kind === "event") return { kind, ...this.#event(payload) };
    if (kind === "stray") return { kind, hex: payload.toString("hex") };
    return { kind };
  }

  #reply(name, payload) {
    const input = new ExactIn(payload);
    const header = { xid: input.int(), zxid: String(input.long()), err: input.int() };
    // A refused multiRead comes with the results that it had until then.
    if (input.left === 0 && header.err !== 0) return header;
    if (responses[name] === undefined) return { ...header, body: input.bytes.toString("hex", 16) };
    try {
      const value = this.value(responses[name](input));
      return { ...header, value, ...(input.left > 0 ? { rest: payload.toString("hex", input.offset) } : {}) };
    } catch (error) {
      return { ...header, undecodable: error.message, body: payload.toString("hex", 16) };
    }
  }

  #event(payload) {
    const input = new ExactIn(payload, 4);
    const zxid = String(input.long());
    const err = input.int();
    return { zxid, err, ...readWatcherEvent(input), rest: input.left };
  }

  #connectResponse(payload) {
    const input = new In(payload);
    const protocolVersion = input.int();
    const timeOut = input.int();
    const sessionId = input.long();
    const passwd = input.buffer();
    if (sessionId !== 0n) this.#firstSession ??= sessionId;
    return {
      protocolVersion,
      timeOut,
      session: this.session(sessionId),
      passwd: passwd?.equals(passwordOf(sessionId)) && sessionId !== 0n ? "of the session" : passwd?.toString("hex"),
      readOnly: input.left > 0 ? input.bool() : "absent",
      rest: input.left,
    };
  }
}
