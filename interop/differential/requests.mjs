// From an operation as plain JSON to the bytes of its frame. What JSON cannot say is written as an object: `{hex: "ff"}`
// is a string or buffer of any bytes, `{repeat: "x", times: 9}` a long one, `{zxidBack: 5}` the last zxid seen minus 5.
// 64-bit numbers beyond 2^53 are decimal strings.

import { Out } from "../lib/jute.mjs";
import { op as opCodes, requests } from "../lib/records.mjs";

/** Strings may be raw bytes here, because a bad string is a thing to test. */
class AnyOut extends Out {
  string(value) {
    return Buffer.isBuffer(value) ? this.buffer(value) : super.string(value);
  }
}

/** Replaces the objects that stand for what JSON cannot hold. */
function revive(value, lastZxid) {
  if (Array.isArray(value)) return value.map((each) => revive(each, lastZxid));
  if (value === null || typeof value !== "object") return value;
  if (typeof value.hex === "string") return Buffer.from(value.hex, "hex");
  if (typeof value.repeat === "string") return Buffer.from(value.repeat.repeat(value.times));
  if (typeof value.zxidBack === "number") return lastZxid - BigInt(value.zxidBack);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, revive(each, lastZxid)]));
}

const codeOf = (name) => (typeof name === "number" ? name : opCodes[name]);

function writeMulti(out, { ops, unfinished = false }) {
  for (const { op, as = op, done = false, ...fields } of ops) {
    out.int(codeOf(op)).bool(done).int(-1);
    writeBody(out, as, fields);
  }
  if (!unfinished) out.int(-1).bool(true).int(-1);
}

function writeBody(out, name, fields) {
  if (name === "multi" || name === "multiRead") writeMulti(out, fields);
  else requests[name]?.(out, fields);
}

/** What xid a call goes out with when the operation does not say. */
const specialXids = { ping: -2, auth: -4, setWatches: -8, setWatches2: -8 };

/**
 * @typedef {object} Call
 * @property {string | number} name an op name, or a bare op code
 * @property {string | number} [as] whose record the body is, when not the op's own
 * @property {object} [fields]
 * @property {number} [xid]
 * @property {number} [cut] this many bytes are missing at the end of the frame
 * @property {string} [extra] hex of bytes behind the record
 * @property {{at: number, hex: string}} [patch] bytes written over the body, `at` counted from behind the header
 */

/**
 * @param {Call} call
 * @param {{xid: number, lastZxid: bigint}} context the next free xid, and what `zxidBack` counts from
 * @returns {{xid: number, payload: Buffer}}
 */
export function encodeCall(call, { xid: nextXid, lastZxid }) {
  const xid = call.xid ?? specialXids[call.name] ?? nextXid;
  const out = new AnyOut().int(xid).int(codeOf(call.name));
  writeBody(out, call.as ?? call.name, revive(call.fields ?? {}, lastZxid));
  let payload = Buffer.concat([out.bytes(), Buffer.from(call.extra ?? "", "hex")]);
  if (call.patch) Buffer.from(call.patch.hex, "hex").copy(payload, Math.min(8 + call.patch.at, payload.length));
  if (call.cut) payload = payload.subarray(0, Math.max(0, payload.length - call.cut));
  return { xid, payload };
}
