/**
 * Everything that Apache 3.9.5 answered in the recorded conversation, answered by this room: requests are prepared,
 * applied and read, and the replies and notifications must be the recorded bytes.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Codec, encode, Reader, Writer } from "@vivarium/jute";
import {
  AuthPacket,
  CreateRequest,
  DeleteRequest,
  ErrorCode,
  GetChildren2Response,
  GetChildrenResponse,
  GetEphemeralsResponse,
  type Id,
  MultiResponse,
  OPEN_ACL_UNSAFE,
  OpCode,
  ReplyHeader,
  RequestHeader,
  SetDataRequest,
  SpecialXid,
  WatcherEvent,
  WhoAmIResponse,
} from "@vivarium/protocol";
import { AuthRegistry, withIds } from "./auth/auth-registry.ts";
import { DigestProvider } from "./auth/digest-provider.ts";
import { IpProvider } from "./auth/ip-provider.ts";
import { DataTree } from "./data-tree.ts";
import { Prepare } from "./prepare.ts";
import { Reads } from "./reads.ts";
import type { WatchEvent } from "./watch-index.ts";
import { writeResult } from "./write-result.ts";

interface Entry {
  name: string;
  direction: "request" | "response" | "event";
  op: string;
  hex: string;
  value: Record<string, unknown>;
}

const file = new URL("../../protocol/src/testdata/wire-3.9.5.json", import.meta.url);
const recorded = JSON.parse(readFileSync(file, "utf8")) as Entry[];
// What follows was recorded from an ensemble, whose configuration is the server's business.
const entries = recorded.slice(
  0,
  recorded.findIndex((entry) => entry.name === "connect to an ensemble"),
);

/** When each transaction happened, as far as any Stat tells; the times of the others show nowhere. */
function recordedTimes(value: unknown, times = new Map<number, number>()): Map<number, number> {
  if (value === null || typeof value !== "object") return times;
  const { czxid, ctime, mzxid, mtime } = value as Record<string, string>;
  if (czxid !== undefined) times.set(Number(czxid), Number(ctime));
  if (mzxid !== undefined) times.set(Number(mzxid), Number(mtime));
  for (const inner of Object.values(value)) recordedTimes(inner, times);
  return times;
}

/** Replies whose lists have no order of their own: Java's is that of its hash tables. */
const unordered: Record<string, Codec<unknown>> = {
  getChildren: GetChildrenResponse as Codec<unknown>,
  getChildren2: GetChildren2Response as Codec<unknown>,
  getEphemerals: GetEphemeralsResponse as Codec<unknown>,
  multiRead: MultiResponse as Codec<unknown>,
  whoAmI: WhoAmIResponse as Codec<unknown>,
};

function comparable(op: string, hex: string): unknown {
  const reader = new Reader(Buffer.from(hex, "hex"));
  const header = ReplyHeader.read(reader);
  const codec = unordered[op];
  return codec === undefined || header.err !== 0 ? hex : { header, body: sorted(codec.read(reader)) };
}

function sorted(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) {
    const items = value.map(sorted);
    const isUnordered = typeof items[0] === "string" || (items[0] as { user?: string } | undefined)?.user !== undefined;
    return isUnordered ? items.sort((a, b) => (String(JSON.stringify(a)) < String(JSON.stringify(b)) ? -1 : 1)) : items;
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]));
}

class MiniServer {
  readonly tree: DataTree;
  readonly reads: Reads;
  readonly prepare: Prepare;
  readonly auth: AuthRegistry;
  readonly times = recordedTimes(entries.map((entry) => entry.value));
  readonly mismatches: number[] = [];
  #zxid = 0;

  constructor() {
    const rules = { extendedTypes: true, emulate353Ttl: false };
    const onDigestMismatch = (zxid: number) => this.mismatches.push(zxid);
    this.tree = new DataTree({ ...rules, digest: true, onDigestMismatch });
    const hash = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();
    this.auth = new AuthRegistry([new DigestProvider({ hash }), new IpProvider()]);
    this.reads = new Reads({ tree: this.tree, auth: this.auth });
    this.prepare = new Prepare({
      tree: this.tree,
      auth: this.auth,
      rules: { ...rules, enforceQuota: false, checkSession: () => ErrorCode.OK },
      nextZxid: () => this.#zxid,
    });
  }

  write(sessionId: bigint, cxid: number, type: number, authInfo: readonly Id[], reader: Reader) {
    this.#zxid++;
    const time = this.times.get(this.#zxid) ?? 0;
    const prepared = this.prepare.prepare({ sessionId, cxid, type, authInfo, reader }, time);
    assert.ok(prepared !== undefined, "cannot be decoded");
    const { txn } = prepared;
    const result = this.tree.apply(txn);
    this.prepare.applied(txn.header.zxid);
    return result;
  }
}

const WRITES: readonly number[] = [1, 2, 5, 7, 14, 15, 16, 19, 21, -10, -11];

class Connection {
  readonly id = 1;
  readonly server: MiniServer;
  readonly sessionId: bigint;
  readonly arrived: string[] = [];
  authInfo: readonly Id[] = [{ scheme: "ip", id: "127.0.0.1" }];

  constructor(server: MiniServer, sessionId: bigint) {
    this.server = server;
    this.sessionId = sessionId;
    server.write(sessionId, 0, OpCode.createSession, [], new Reader(Uint8Array.of(0, 0, 0x27, 0x10)));
  }

  get watcher() {
    return this;
  }

  process(event: WatchEvent): void {
    const writer = new Writer();
    ReplyHeader.write(writer, { xid: SpecialXid.notification, zxid: event.zxid, err: 0 });
    WatcherEvent.write(writer, { type: event.type, state: 3, path: event.path });
    this.arrived.push(Buffer.from(writer.written()).toString("hex"));
  }

  ask(type: number, bytes: Uint8Array): void {
    this.request(encode(RequestHeader, { xid: 1, type }), bytes);
  }

  request(...parts: Uint8Array[]): void {
    const reader = new Reader(Buffer.concat(parts));
    const { xid, type } = RequestHeader.read(reader);
    const body = new Writer();
    const { zxid, err } = this.#answer(xid, type, reader, body);
    const header = encode(ReplyHeader, { xid, zxid, err });
    this.arrived.push(Buffer.concat([header, body.written()]).toString("hex"));
  }

  #answer(xid: number, type: number, reader: Reader, body: Writer): { zxid: number; err: number } {
    const { tree, reads, auth } = this.server;
    if (type === OpCode.auth) {
      const { scheme, auth: proof } = AuthPacket.read(reader);
      const ids = auth.authenticate(scheme, proof ?? new Uint8Array(0), { remoteAddress: "127.0.0.1" });
      this.authInfo = withIds(this.authInfo, ids ?? []);
      return { zxid: 0, err: ids === undefined ? ErrorCode.AUTHFAILED : ErrorCode.OK };
    }
    if (type === OpCode.check) return { zxid: -1, err: ErrorCode.UNIMPLEMENTED };
    let err: number = ErrorCode.OK;
    if (WRITES.includes(type)) {
      const result = this.server.write(this.sessionId, xid, type, this.authInfo, reader);
      err = writeResult(body, tree.nodes, type, result);
    } else if (type !== OpCode.ping) {
      err = reads.answer(type, this, reader, body);
    }
    return { zxid: tree.lastProcessedZxid, err };
  }
}

/** What the second connection of the recording did, whose own frames are not in it. */
const others: Record<string, [number, Uint8Array][]> = {
  "notifications created and children changed": [
    [OpCode.create, encode(CreateRequest, { path: "/w", data: new Uint8Array(0), acl: OPEN_ACL_UNSAFE, flags: 0 })],
  ],
  "notification data changed": [
    [OpCode.setData, encode(SetDataRequest, { path: "/w", data: Uint8Array.of(0x77), version: -1 })],
  ],
  "notification deleted": [
    [
      OpCode.create,
      encode(CreateRequest, { path: "/a/deep", data: new Uint8Array(0), acl: OPEN_ACL_UNSAFE, flags: 0 }),
    ],
    [OpCode.delete, encode(DeleteRequest, { path: "/w", version: -1 })],
  ],
};

test("the recorded conversation, byte for byte", () => {
  const server = new MiniServer();
  const first = BigInt(entries[1]?.value["sessionId"] as string);
  const client = new Connection(server, first);
  const other = new Connection(server, first + 1n);
  let sessions = 2n;
  let current = client;
  let compared = 0;
  const done = new Set<string>();
  for (const entry of entries) {
    if (entry.op === "connect") {
      const isNew = entry.direction === "response" && BigInt(entry.value["sessionId"] as string) === first + sessions;
      if (!isNew) continue;
      current = new Connection(server, first + sessions++);
      continue;
    }
    if (entry.direction === "request") {
      if (entry.op === "closeSession") current = client;
      current.request(Buffer.from(entry.hex, "hex"));
      continue;
    }
    if (entry.direction === "event" && entry.name in others && !done.has(entry.name)) {
      done.add(entry.name);
      for (const [type, bytes] of others[entry.name] ?? []) other.ask(type, bytes);
    }
    assert.deepEqual(comparable(entry.op, current.arrived.shift() ?? ""), comparable(entry.op, entry.hex), entry.name);
    compared++;
  }
  assert.deepEqual(client.arrived, []);
  assert.deepEqual(server.mismatches, [], "every digest came true");
  assert.ok(compared > 90);
});
