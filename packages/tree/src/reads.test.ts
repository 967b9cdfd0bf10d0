import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Codec, decode, encode, int, number, Reader, record, Writer } from "@vivarium/jute";
import {
  type ACL,
  AddWatchMode,
  AddWatchRequest,
  ErrorCode,
  EventType,
  GetACLResponse,
  GetAllChildrenNumberResponse,
  GetChildren2Response,
  GetChildrenResponse,
  GetDataResponse,
  GetEphemeralsRequest,
  GetEphemeralsResponse,
  type Id,
  MultiRequest,
  MultiResponse,
  OPEN_ACL_UNSAFE,
  OpCode,
  PathRequest,
  Perms,
  SetWatches,
  SetWatches2,
  StatResponse,
  SyncResponse,
  WatchedPathRequest,
  WatcherRequest,
  WatcherType,
  WhoAmIResponse,
} from "@vivarium/protocol";
import { AclTable } from "./acl-table.ts";
import { AuthRegistry } from "./auth/auth-registry.ts";
import { DigestProvider } from "./auth/digest-provider.ts";
import { IpProvider } from "./auth/ip-provider.ts";
import { NodeStore } from "./node-store.ts";
import { type Caller, type ReadableTree, Reads } from "./reads.ts";
import type { WatchEvent } from "./watch-index.ts";
import { WatchTable } from "./watch-table.ts";

const encoder = new TextEncoder();
const digest = new DigestProvider({ hash: (bytes) => createHash("sha1").update(bytes).digest() });
const bob: Id = { scheme: "digest", id: digest.digest("bob:secret") };
const UNKNOWN = 99;

function setup(authInfo: Id[] = [{ scheme: "ip", id: "127.0.0.1" }]) {
  const acls = new AclTable();
  const anyoneReads: ACL = { perms: Perms.READ, id: { scheme: "world", id: "anyone" } };
  const bobDoesAll: ACL = { perms: Perms.ALL, id: bob };
  const nodes = new NodeStore({ rules: { extendedTypes: true, emulate353Ttl: false }, digest: false });
  const add = (path: string, data: string | null, aclId = -1, zxid = 5) => {
    const bytes = encoder.encode(path);
    const nameStart = bytes.lastIndexOf(0x2f) + 1;
    const content = data === null ? null : encoder.encode(data);
    const id = nodes.insert(nodes.find(bytes, 0, nameStart - 1), bytes, nameStart, bytes.length, content);
    nodes.born(id, { data: content }, aclId, 0n, { zxid, time: 1000 });
    return id;
  };
  add("/a", "hello");
  add("/a/x", "");
  add("/a/y", null, -1, 9);
  add("/a/y/z", "deep");
  add("/masked", "m", acls.acquire([bobDoesAll, anyoneReads]));
  add("/secret", "s", acls.acquire([bobDoesAll]));
  add("/repairing", "r", UNKNOWN);
  const tree: ReadableTree = { nodes, acls, watches: new WatchTable(), ephemerals: () => ["/e/1", "/e/2", "/f"] };
  const events: WatchEvent[] = [];
  const caller: Caller = { sessionId: 1n, authInfo, watcher: { id: 1, process: (event) => events.push(event) } };
  const reads = new Reads({ tree, auth: new AuthRegistry([digest, new IpProvider()]) });
  const raw = (type: number, bytes: Uint8Array) => {
    const writer = new Writer(8);
    writer.byte(7); // What lies before the body must stay.
    const err = reads.answer(type, caller, new Reader(bytes), writer);
    if (err !== ErrorCode.OK) assert.equal(writer.length, 1, "an error has no body");
    assert.equal(writer.bytes[0], 7);
    return { err, body: writer.copy().subarray(1) };
  };
  const ask = <Q, A>(type: number, request: Codec<Q>, value: Q, response: Codec<A>): A | number => {
    const { err, body } = raw(type, encode(request, value));
    return err === ErrorCode.OK ? decode(response, body) : err;
  };
  return { tree, nodes, events, raw, ask, add };
}

const path = (at: string, watch = false) => ({ path: at, watch });
const text = (answer: unknown) => {
  const data = (answer as GetDataResponse).data;
  return data === null ? null : new TextDecoder().decode(data);
};

test("getData: data, null data, Stat, root by both names", () => {
  const { ask, nodes } = setup();
  const answer = ask(OpCode.getData, WatchedPathRequest, path("/a"), GetDataResponse) as GetDataResponse;
  assert.equal(text(answer), "hello");
  assert.deepEqual(answer.stat, nodes.stat(nodes.findPath("/a")));
  assert.equal(text(ask(OpCode.getData, WatchedPathRequest, path("/a/y"), GetDataResponse)), null);
  assert.equal(text(ask(OpCode.getData, WatchedPathRequest, path("/a/x"), GetDataResponse)), "");
  for (const root of ["", "/"]) {
    const { stat } = ask(OpCode.getData, WatchedPathRequest, path(root), GetDataResponse) as GetDataResponse;
    assert.equal(stat.numChildren, 4);
  }
});

test("errors of reads: missing node, no READ, unknown ACL, unreadable request", () => {
  const ops = [OpCode.getData, OpCode.exists, OpCode.getChildren, OpCode.getChildren2];
  for (const op of ops) {
    const { ask, raw, tree } = setup();
    for (const missing of ["/b", "/a/", "a", "/a\0"]) {
      const expected = op === OpCode.exists && missing === "/a\0" ? ErrorCode.BADARGUMENTS : ErrorCode.NONODE;
      assert.equal(ask(op, WatchedPathRequest, path(missing), StatResponse), expected);
    }
    assert.equal(ask(op, WatchedPathRequest, path("/secret", true), StatResponse), ErrorCode.NOAUTH);
    assert.equal(ask(op, WatchedPathRequest, path("/repairing", true), StatResponse), ErrorCode.NOAUTH);
    const whole = encode(WatchedPathRequest, path("/a", true));
    for (let end = 0; end < whole.length; end++) {
      assert.equal(raw(op, whole.subarray(0, end)).err, ErrorCode.MARSHALLINGERROR);
    }
    assert.equal(raw(op, Uint8Array.of(255, 255, 255, 255, 0)).err, ErrorCode.MARSHALLINGERROR);
    assert.ok(tree.watches.isEmpty, "no watch without success");
  }
});

test("who may read: owner of the ACL, super", () => {
  for (const ids of [[bob], [{ scheme: "super", id: "" }]]) {
    const { ask } = setup(ids);
    assert.equal(text(ask(OpCode.getData, WatchedPathRequest, path("/secret"), GetDataResponse)), "s");
  }
});

test("watches: data for getData and exists, child for getChildren, exists also on what is not there", () => {
  const cases: [number, string, WatcherType, string][] = [
    [OpCode.getData, "/a", WatcherType.Data, "/a"],
    [OpCode.exists, "/a", WatcherType.Data, "/a"],
    [OpCode.exists, "/nothing", WatcherType.Data, "/nothing"],
    [OpCode.getChildren, "/a", WatcherType.Children, "/a"],
    [OpCode.getChildren2, "/", WatcherType.Children, "/"],
    [OpCode.getChildren2, "", WatcherType.Children, ""],
  ];
  for (const [op, at, type, watched] of cases) {
    const { raw, ask, tree } = setup();
    raw(op, encode(WatchedPathRequest, path(at, false)));
    assert.ok(tree.watches.isEmpty);
    raw(op, encode(WatchedPathRequest, path(at, true)));
    assert.equal(tree.watches.size, 1);
    const empty: Codec<undefined> = { write: () => undefined, read: () => undefined };
    assert.equal(ask(OpCode.checkWatches, WatcherRequest, { path: watched, type }, empty), undefined);
    assert.equal(ask(OpCode.removeWatches, WatcherRequest, { path: watched, type }, empty), undefined);
    assert.equal(ask(OpCode.removeWatches, WatcherRequest, { path: watched, type }, empty), ErrorCode.NOWATCHER);
    assert.equal(ask(OpCode.checkWatches, WatcherRequest, { path: watched, type }, empty), ErrorCode.NOWATCHER);
    assert.equal(ask(OpCode.checkWatches, WatcherRequest, { path: "/a", type: 6 }, empty), ErrorCode.MARSHALLINGERROR);
    assert.equal(raw(OpCode.removeWatches, Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 1)).err, ErrorCode.NOWATCHER);
  }
});

test("getChildren and getChildren2", () => {
  const { ask } = setup();
  const plain = ask(OpCode.getChildren, WatchedPathRequest, path("/a"), GetChildrenResponse) as GetChildrenResponse;
  assert.deepEqual(plain.children.sort(), ["x", "y"]);
  const two = ask(OpCode.getChildren2, WatchedPathRequest, path("/a/x"), GetChildren2Response) as GetChildren2Response;
  assert.deepEqual([two.children, two.stat.czxid], [[], 5]);
});

test("getACL hides hashes from whoever may not administer", () => {
  const asked = (ids?: Id[]) =>
    setup(ids).ask(OpCode.getACL, PathRequest, { path: "/masked" }, GetACLResponse) as GetACLResponse;
  assert.deepEqual(asked([bob]).acl[0]?.id, bob);
  assert.deepEqual(asked().acl[0]?.id, { scheme: "digest", id: "bob:x" });
  const { ask } = setup();
  const open = ask(OpCode.getACL, PathRequest, { path: "/a" }, GetACLResponse) as GetACLResponse;
  assert.deepEqual(open.acl, OPEN_ACL_UNSAFE);
  assert.equal(ask(OpCode.getACL, PathRequest, { path: "/secret" }, GetACLResponse), ErrorCode.NOAUTH);
  assert.equal(ask(OpCode.getACL, PathRequest, { path: "/no" }, GetACLResponse), ErrorCode.NONODE);
});

test("getAllChildrenNumber counts descendants", () => {
  const { ask } = setup();
  const counts = { "/": 7, "": 8, "/a": 3, "/a/y": 1, "/a/x": 0 };
  for (const [at, totalNumber] of Object.entries(counts)) {
    const answer = ask(OpCode.getAllChildrenNumber, PathRequest, { path: at }, GetAllChildrenNumberResponse);
    assert.deepEqual(answer, { totalNumber }, at);
  }
});

test("getEphemerals filters by prefix", () => {
  const { ask } = setup();
  const cases: [string, string[]][] = [
    ["", ["/e/1", "/e/2", "/f"]],
    [" / ", ["/e/1", "/e/2", "/f"]],
    ["\0\t", ["/e/1", "/e/2", "/f"]],
    ["\u00a0", []],
    ["//", []],
    ["/e", ["/e/1", "/e/2"]],
    ["/nothing", []],
  ];
  for (const [prefixPath, ephemerals] of cases) {
    const answer = ask(OpCode.getEphemerals, GetEphemeralsRequest, { prefixPath }, GetEphemeralsResponse);
    assert.deepEqual(answer, { ephemerals });
  }
});

test("multiRead answers part by part and sets no watch", () => {
  const { ask, tree } = setup();
  const answer = ask(
    OpCode.multiRead,
    MultiRequest,
    [
      { type: OpCode.getData, ...path("/a", true) },
      { type: OpCode.getData, ...path("/no", true) },
      { type: OpCode.getChildren, ...path("/a/y", true) },
      { type: OpCode.getChildren, ...path("/secret", true) },
    ],
    MultiResponse,
  );
  const [data, ...others] = answer as MultiResponseParts;
  assert.equal(text(data), "hello");
  assert.deepEqual(others, [
    { type: OpCode.error, err: ErrorCode.NONODE },
    { type: OpCode.getChildren, children: ["z"] },
    { type: OpCode.error, err: ErrorCode.NOAUTH },
  ]);
  assert.ok(tree.watches.isEmpty);
  assert.deepEqual(ask(OpCode.multiRead, MultiRequest, [], MultiResponse), []);
  const mixed = [
    { type: OpCode.getData, ...path("/a") },
    { type: OpCode.delete, path: "/a", version: -1 },
  ];
  assert.equal(ask(OpCode.multiRead, MultiRequest, mixed, MultiResponse), ErrorCode.MARSHALLINGERROR);
});
type MultiResponseParts = [unknown, ...unknown[]];

test("sync echoes, whoAmI lists", () => {
  const { ask, raw } = setup([{ scheme: "ip", id: "::1" }, bob]);
  assert.deepEqual(ask(OpCode.sync, PathRequest, { path: "/any where" }, SyncResponse), { path: "/any where" });
  const nullPath = Uint8Array.of(255, 255, 255, 255);
  assert.deepEqual(raw(OpCode.sync, nullPath), { err: ErrorCode.OK, body: nullPath });
  const { err, body } = raw(OpCode.whoAmI, new Uint8Array(0));
  assert.equal(err, ErrorCode.OK);
  assert.deepEqual(decode(WhoAmIResponse, body).clientInfo, [
    { authScheme: "ip", user: "::1" },
    { authScheme: "digest", user: "bob" },
  ]);
});

test("setWatches tells what was missed and arms the rest", () => {
  const { raw, tree, events } = setup();
  const request = {
    relativeZxid: 7,
    dataWatches: ["/a", "/a/y", "/gone", "/secret"],
    existWatches: ["/a/x", "/later"],
    childWatches: ["/a", "/a/y", "/gone"],
    persistentWatches: ["/p"],
    persistentRecursiveWatches: ["/r"],
  };
  assert.equal(raw(OpCode.setWatches, encode(SetWatches, request)).err, ErrorCode.OK);
  assert.deepEqual(
    events.map(({ type, path: at }) => [at, type]),
    [
      ["/a/y", EventType.NodeDataChanged],
      ["/gone", EventType.NodeDeleted],
      ["/a/x", EventType.NodeCreated],
      ["/a/y", EventType.NodeChildrenChanged],
      ["/gone", EventType.NodeDeleted],
    ],
  );
  assert.ok(events.every((event) => event.zxid === -1 && event.aclId === -1));
  const armed = () => [...tree.watches.data.byPath()].map(([at]) => at).sort();
  assert.deepEqual(armed(), ["/a", "/later", "/secret"]);
  assert.deepEqual(
    [...tree.watches.child.byPath()].map(([at]) => at),
    ["/a"],
  );
  assert.equal(raw(OpCode.setWatches2, encode(SetWatches2, request)).err, ErrorCode.OK);
  assert.deepEqual(armed(), ["/a", "/later", "/p", "/r", "/secret"]);
});

test("setWatches without one of its lists is refused whole, and one that ends before it begins is empty", () => {
  const { raw, tree } = setup();
  const Lists = record({ relativeZxid: number, data: int, exist: int, child: int });
  const lists = (data: number, exist: number, child: number) => encode(Lists, { relativeZxid: 0, data, exist, child });
  assert.equal(raw(OpCode.setWatches, lists(0, 0, -1)).err, ErrorCode.MARSHALLINGERROR);
  assert.equal(raw(OpCode.setWatches, lists(0, -5, 0)).err, ErrorCode.OK);
  assert.ok(tree.watches.isEmpty);
});

test("addWatch", () => {
  const { raw, tree, events } = setup();
  assert.equal(raw(OpCode.addWatch, encode(AddWatchRequest, { path: "/q", mode: 2 })).err, ErrorCode.MARSHALLINGERROR);
  const { body } = raw(OpCode.addWatch, encode(AddWatchRequest, { path: "/q", mode: AddWatchMode.PERSISTENT }));
  assert.deepEqual([...body], [0, 0, 0, 0]);
  tree.watches.trigger("/q", EventType.NodeChildrenChanged, 3, -1);
  assert.equal(events.length, 1);
});
