// The client wire in ZooKeeper's words: op codes, request writers and response readers.
// Written from the protocol's description alone and independent of packages/protocol.

import { In, Out } from "./jute.mjs";

export const op = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
};

export const opName = (code) => Object.keys(op).find((name) => op[name] === code) ?? `op ${code}`;

export const openAcl = [{ perms: 31, scheme: "world", id: "anyone" }];

const writeAcl = (out, { perms, scheme, id }) => out.int(perms).string(scheme).string(id);
const writeString = (out, text) => out.string(text);
const readString = (input) => input.string();
const readAcl = (input) => ({ perms: input.int(), scheme: input.string(), id: input.string() });

const bytesOf = (data) => (data === null || Buffer.isBuffer(data) ? data : Buffer.from(data));

const writeCreate = (out, { path, data = "", acl = openAcl, flags = 0 }) =>
  out.string(path).buffer(bytesOf(data)).vector(acl, writeAcl).int(flags);
const writePathWatch = (out, { path, watch = false }) => out.string(path).bool(watch);
const writePathType = (out, { path, type }) => out.string(path).int(type);
const nothing = (out) => out;

/** Body writers by op name; each takes the `Out` and one object with the fields of the record. */
export const requests = {
  create: writeCreate,
  create2: writeCreate,
  createContainer: writeCreate,
  createTTL: (out, fields) => writeCreate(out, fields).long(fields.ttl),
  delete: (out, { path, version = -1 }) => out.string(path).int(version),
  deleteContainer: (out, { path, version = -1 }) => out.string(path).int(version),
  exists: writePathWatch,
  getData: writePathWatch,
  setData: (out, { path, data = "", version = -1 }) => out.string(path).buffer(bytesOf(data)).int(version),
  getACL: (out, { path }) => out.string(path),
  setACL: (out, { path, acl, version = -1 }) => out.string(path).vector(acl, writeAcl).int(version),
  getChildren: writePathWatch,
  getChildren2: writePathWatch,
  sync: (out, { path }) => out.string(path),
  ping: nothing,
  check: (out, { path, version = -1 }) => out.string(path).int(version),
  multi: writeMulti,
  multiRead: writeMulti,
  reconfig: (out, { joining = null, leaving = null, newMembers = null, curConfigId = -1n }) =>
    out.string(joining).string(leaving).string(newMembers).long(curConfigId),
  checkWatches: writePathType,
  removeWatches: writePathType,
  auth: (out, { type = 0, scheme, auth }) => out.int(type).string(scheme).buffer(bytesOf(auth)),
  setWatches: (out, { relativeZxid, data = [], exist = [], child = [] }) =>
    out.long(relativeZxid).vector(data, writeString).vector(exist, writeString).vector(child, writeString),
  setWatches2: (out, fields) =>
    requests
      .setWatches(out, fields)
      .vector(fields.persistent ?? [], writeString)
      .vector(fields.persistentRecursive ?? [], writeString),
  sasl: (out, { token }) => out.buffer(token),
  getEphemerals: (out, { prefixPath }) => out.string(prefixPath),
  getAllChildrenNumber: (out, { path }) => out.string(path),
  addWatch: (out, { path, mode }) => out.string(path).int(mode),
  whoAmI: nothing,
  createSession: (out, { timeOut }) => out.int(timeOut),
  closeSession: nothing,
};

/** `ops` is a list of `{op: "create", ...fields}`. */
function writeMulti(out, { ops }) {
  for (const sub of ops) {
    out
      .int(typeof sub.op === "number" ? sub.op : op[sub.op])
      .bool(false)
      .int(-1);
    requests[sub.op](out, sub);
  }
  return out.int(-1).bool(true).int(-1);
}

export const readStat = (input) => ({
  czxid: input.long(),
  mzxid: input.long(),
  ctime: input.long(),
  mtime: input.long(),
  version: input.int(),
  cversion: input.int(),
  aversion: input.int(),
  ephemeralOwner: input.long(),
  dataLength: input.int(),
  numChildren: input.int(),
  pzxid: input.long(),
});

const readPath = (input) => ({ path: input.string() });
const readPathStat = (input) => ({ path: input.string(), stat: readStat(input) });
const readDataStat = (input) => ({ data: input.buffer(), stat: readStat(input) });
const readStatOnly = (input) => ({ stat: readStat(input) });
const readNothing = () => ({});

/** Body readers by op name, for replies with err 0. */
export const responses = {
  create: readPath,
  create2: readPathStat,
  createContainer: readPathStat,
  createTTL: readPathStat,
  delete: readNothing,
  exists: readStatOnly,
  getData: readDataStat,
  setData: readStatOnly,
  getACL: (input) => ({ acl: input.vector(readAcl), stat: readStat(input) }),
  setACL: readStatOnly,
  getChildren: (input) => ({ children: input.vector(readString) }),
  getChildren2: (input) => ({ children: input.vector(readString), stat: readStat(input) }),
  sync: readPath,
  ping: readNothing,
  check: readNothing,
  multi: readMulti,
  multiRead: readMulti,
  reconfig: readDataStat,
  checkWatches: readNothing,
  removeWatches: readNothing,
  auth: readNothing,
  setWatches: readNothing,
  setWatches2: readNothing,
  sasl: (input) => ({ token: input.buffer() }),
  getEphemerals: (input) => ({ ephemerals: input.vector(readString) }),
  getAllChildrenNumber: (input) => ({ totalNumber: input.int() }),
  addWatch: (input) => ({ err: input.int() }),
  whoAmI: (input) => ({ clientInfo: input.vector((each) => ({ authScheme: each.string(), user: each.string() })) }),
  closeSession: readNothing,
};

function readMulti(input) {
  const results = [];
  for (;;) {
    const header = { type: input.int(), done: input.bool(), err: input.int() };
    if (header.done) return { results };
    if (header.type === -1) results.push({ type: -1, err: header.err, body: input.int() });
    else results.push({ type: header.type, err: header.err, ...responses[opName(header.type)](input) });
  }
}

/** A whole request packet without its length. */
export function encodeRequest(xid, name, fields = {}) {
  const type = typeof name === "number" ? name : op[name];
  const out = new Out().int(xid).int(type);
  return (requests[name]?.(out, fields) ?? out).bytes();
}

/** The body of a reply of op `name` with err 0; `rest` says how many bytes nobody asked for. */
export function decodeResponse(name, body) {
  const input = new In(body);
  const value = responses[name]?.(input) ?? {};
  return { value, rest: input.left };
}

export const readWatcherEvent = (input) => ({ type: input.int(), state: input.int(), path: input.string() });

/** ConnectRequest; `readOnly: undefined` leaves the trailing byte out, as clients before 3.4 do. */
export function encodeConnect({ lastZxidSeen = 0n, timeOut = 10_000, sessionId = 0n, passwd, readOnly = false }) {
  const out = new Out()
    .int(0)
    .long(lastZxidSeen)
    .int(timeOut)
    .long(sessionId)
    .buffer(passwd ?? Buffer.alloc(16));
  if (readOnly !== undefined && readOnly !== "absent") out.bool(readOnly);
  return out.bytes();
}

export function decodeConnectResponse(payload) {
  const input = new In(payload);
  const response = {
    protocolVersion: input.int(),
    timeOut: input.int(),
    sessionId: input.long(),
    passwd: input.buffer(),
  };
  if (input.left > 0) response.readOnly = input.bool();
  return { ...response, rest: input.left };
}
