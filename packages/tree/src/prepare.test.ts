import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@vivarium/jute";
import {
  type ACL,
  CONFIG_PATH,
  CreateMode,
  ErrorCode,
  type Id,
  OpCode,
  Perms,
  READ_ACL_UNSAFE,
  readTxn,
  type TxnBody,
  writeTxn,
} from "@vivarium/protocol";
import { digestProvider, encodeRequest, type Fields, here, Workbench } from "./testing/workbench.ts";

const { create, create2, createContainer, createTTL, deleteContainer, setData, setACL, multi, closeSession } = OpCode;
const remove = OpCode.delete;
const E = ErrorCode;
const bob: Id = { scheme: "digest", id: digestProvider.digest("bob:secret") };
const bobOnly: ACL[] = [{ perms: Perms.ALL, id: bob }];
const TTL = CreateMode.PERSISTENT_WITH_TTL;

/** One node of each kind, and some that only bob may touch. */
function bench(options?: ConstructorParameters<typeof Workbench>[0]): Workbench {
  const it = new Workbench(options);
  it.do(create, { path: "/a", data: "a" });
  it.do(create, { path: "/a/b", data: "b" });
  it.do(create, { path: "/e", flags: CreateMode.EPHEMERAL });
  it.do(createContainer, { path: "/c", flags: CreateMode.CONTAINER });
  it.do(createTTL, { path: "/t", flags: TTL, ttl: 1000n });
  it.do(create, { path: "/bob", acl: bobOnly });
  it.do(create, { path: "/bob/x" }, { authInfo: [bob] });
  return it;
}

test("refusals, each for the first reason in Apache's order", () => {
  const cases: [number, Fields, number][] = [
    [create, { path: "/a" }, E.NODEEXISTS],
    [create, { path: "/" }, E.NODEEXISTS],
    [create, { path: "/x", flags: 7 }, E.BADARGUMENTS],
    [create, { path: "/x", flags: -1 }, E.BADARGUMENTS],
    [create, { path: "/x", flags: TTL }, E.BADARGUMENTS],
    [create2, { path: "/x", flags: TTL }, E.BADARGUMENTS],
    [createTTL, { path: "/x", flags: TTL, ttl: 0n }, E.BADARGUMENTS],
    [createTTL, { path: "/x", flags: TTL, ttl: -5n }, E.BADARGUMENTS],
    [createTTL, { path: "/x", flags: TTL, ttl: 0x100_0000_0000n }, E.BADARGUMENTS],
    [createTTL, { path: "/x", flags: 0, ttl: 5n }, E.BADARGUMENTS],
    [createTTL, { path: "/x", flags: 0, ttl: -1n }, E.BADARGUMENTS],
    [createTTL, { path: "/x", flags: TTL, ttl: 0xff_ffff_ffffn }, E.OK],
    [create, { path: "x" }, E.BADARGUMENTS],
    [create, { path: "" }, E.BADARGUMENTS],
    [create, { path: "/x\0", acl: [] }, E.BADARGUMENTS],
    [create, { path: "/no/x", acl: [] }, E.INVALIDACL],
    [create, { path: "/no/x" }, E.NONODE],
    [create, { path: "/a//b" }, E.NONODE],
    [create, { path: "/bob/." }, E.NOAUTH],
    [create, { path: "/a/." }, E.BADARGUMENTS],
    [create, { path: "/a/" }, E.BADARGUMENTS],
    [create, { path: "/a/", flags: CreateMode.PERSISTENT_SEQUENTIAL }, E.OK],
    [create, { path: "/e/x" }, E.NOCHILDRENFOREPHEMERALS],
    [create, { path: "/c/x" }, E.OK],
    [create, { path: "/t/x" }, E.OK],
    [create, { path: "/zookeeper/mine" }, E.OK],
    [remove, { path: "a" }, E.BADARGUMENTS],
    [remove, { path: "/" }, E.BADARGUMENTS],
    [remove, { path: "/zookeeper/config" }, E.BADARGUMENTS],
    [remove, { path: "/no/x" }, E.NONODE],
    [remove, { path: "/bob/none" }, E.NOAUTH],
    [remove, { path: "/none" }, E.NONODE],
    [remove, { path: "/a/" }, E.NONODE],
    [remove, { path: "/a", version: 4 }, E.BADVERSION],
    [remove, { path: "/a", version: 0 }, E.NOTEMPTY],
    [remove, { path: "/a/b", version: 0 }, E.OK],
    [setData, { path: "/a/" }, E.BADARGUMENTS],
    [setData, { path: "/none" }, E.NONODE],
    [setData, { path: "/bob", version: 4 }, E.NOAUTH],
    [setData, { path: "/a", version: 4 }, E.BADVERSION],
    [setData, { path: "/", data: "root" }, E.OK],
    [setACL, { path: "/a/", acl: [] }, E.BADARGUMENTS],
    [setACL, { path: "/none", acl: [] }, E.INVALIDACL],
    [setACL, { path: "/none" }, E.NONODE],
    [setACL, { path: "/bob", version: 3 }, E.NOAUTH],
    [setACL, { path: "/a", version: 3 }, E.BADVERSION],
    [setACL, { path: "/a", acl: bobOnly, version: 0 }, E.OK],
    [deleteContainer, { path: "/" }, E.BADARGUMENTS],
    [deleteContainer, { path: "/none" }, E.NONODE],
    [deleteContainer, { path: "/a" }, E.NOTEMPTY],
    [deleteContainer, { path: "/a/b" }, E.BADVERSION],
    [deleteContainer, { path: "/e" }, E.BADVERSION],
    [deleteContainer, { path: "/t" }, E.BADVERSION],
    [deleteContainer, { path: "/c" }, E.OK],
    [OpCode.reconfig, {}, E.RECONFIGDISABLED],
  ];
  for (const [type, fields, err] of cases) {
    const it = bench();
    assert.equal(it.err(type, fields), err, `${type} ${JSON.stringify(fields, (_, v) => String(v))}`);
    const [result] = it.apply();
    assert.equal(result?.err, err);
    assert.deepEqual(it.digestMismatches, []);
  }
});

test("sessions are asked after the mode and before the path", () => {
  const it = bench();
  const asked: boolean[] = [];
  it.session = (_, ephemeral) => {
    asked.push(ephemeral);
    return ephemeral ? E.EPHEMERALONLOCALSESSION : E.SESSIONMOVED;
  };
  assert.equal(it.err(create, { path: "x", flags: 9 }), E.BADARGUMENTS);
  assert.deepEqual(asked, []);
  assert.equal(it.err(create, { path: "x", flags: CreateMode.EPHEMERAL }), E.EPHEMERALONLOCALSESSION);
  for (const type of [create, remove, setData, setACL]) assert.equal(it.err(type, { path: "x" }), E.SESSIONMOVED);
  assert.deepEqual(asked, [true, false, false, false, false]);
  assert.equal(it.err(multi, { ops: [{ type: OpCode.check, path: "x" }] }), E.SESSIONMOVED);
  assert.equal(it.err(closeSession, {}), E.OK, "a session may always be closed");
  assert.equal(it.err(deleteContainer, { path: "/c" }), E.OK, "the reaper has no session");
});

test("TTL nodes need extended types", () => {
  const rules = { extendedTypes: false };
  const it = new Workbench({ rules });
  assert.equal(it.err(createTTL, { path: "/x", flags: TTL, ttl: -7n }), E.UNIMPLEMENTED);
});

test("the reaper's delete spares what was touched or replaced meanwhile", () => {
  const it = bench();
  it.timeMs += 2000;
  it.err(setData, { path: "/t" });
  assert.equal(it.err(deleteContainer, { path: "/t" }), E.BADVERSION);
  it.timeMs += 1001;
  it.err(create, { path: "/t/x" });
  assert.equal(it.err(deleteContainer, { path: "/t" }), E.NOTEMPTY);
  it.err(remove, { path: "/t/x" });
  assert.equal(it.err(deleteContainer, { path: "/t" }), E.OK);
  assert.equal(it.err(deleteContainer, { path: "/t" }), E.NONODE);
});

test("a record that cannot be decoded leaves nothing behind", () => {
  const it = bench();
  const undecodable: [number, Uint8Array][] = [
    [create, encodeRequest(create, { path: "/x" }).subarray(0, 20)],
    [setData, new Uint8Array(0)],
    [createContainer, Uint8Array.of(255, 255, 255, 255)],
    [OpCode.reconfig, Uint8Array.of(255, 255, 255, 255)],
  ];
  for (const [type, bytes] of undecodable) assert.equal(it.tryToDecide(type, bytes), undefined);
  const { txn } = it.decide(create, encodeRequest(create, { path: "/x" }));
  assert.equal(txn.header.zxid, it.tree.lastProcessedZxid + 1);
});

test("nonsense that can be decoded is a MARSHALLINGERROR with a zxid of its own", () => {
  const nullPath = Uint8Array.of(255, 255, 255, 255);
  const nullId = [{ perms: 31, id: { scheme: "digest", id: null } }];
  const bad: [number, Uint8Array][] = [
    [create, Uint8Array.of(...nullPath, ...encodeRequest(create, { path: "" }).subarray(4))],
    [remove, Uint8Array.of(...nullPath, 0, 0, 0, 0)],
    [create, encodeRequest(create, { path: "/x", acl: nullId })],
    [setACL, encodeRequest(setACL, { path: "/a", acl: nullId })],
    [multi, encodeRequest(multi, { ops: [{ type: create, path: "/x", flags: 9 }] })],
    [multi, encodeRequest(multi, { ops: [{ type: create, path: "/x", flags: TTL }] })],
    [
      multi,
      encodeRequest(multi, {
        ops: [
          { type: create, path: "/x" },
          { type: create, path: "/y", acl: nullId },
        ],
      }),
    ],
    [multi, encodeRequest(multi, { ops: [{ type: OpCode.getData, path: "/a", watch: false }] })],
    [multi, Uint8Array.of(0, 0, 0, 20, 0, 255, 255, 255, 255)],
  ];
  const it = bench();
  let last = it.tree.lastProcessedZxid;
  for (const [type, bytes] of bad) {
    const { txn, entry, err } = it.decide(type, bytes);
    assert.equal(err, E.MARSHALLINGERROR);
    assert.deepEqual(txn.body, { type: OpCode.error, err });
    assert.equal(txn.header.zxid, ++last);
    assert.deepEqual(readTxn(new Reader(entry)), txn);
  }
  it.apply();
  assert.equal(it.err(create, { path: "/x" }), E.OK);
});

test("requests see what is decided but not applied", () => {
  const it = bench();
  assert.equal(it.err(create, { path: "/n", data: "1" }), E.OK);
  assert.equal(it.err(create, { path: "/n" }), E.NODEEXISTS);
  assert.equal(it.err(create, { path: "/n/c" }), E.OK);
  assert.equal(it.err(remove, { path: "/n" }), E.NOTEMPTY);
  assert.equal(it.err(setData, { path: "/n", version: 0 }), E.OK);
  assert.equal(it.err(setData, { path: "/n", version: 0 }), E.BADVERSION);
  assert.equal(it.err(setACL, { path: "/n", acl: bobOnly }), E.OK);
  assert.equal(it.err(setData, { path: "/n" }), E.NOAUTH);
  assert.equal(it.err(remove, { path: "/n/c" }, { authInfo: [bob] }), E.OK);
  assert.equal(it.err(remove, { path: "/n", version: 1 }), E.OK);
  assert.equal(it.err(setData, { path: "/n" }, { authInfo: [bob] }), E.NONODE);
  assert.equal(it.err(create, { path: "/n" }), E.OK);
  assert.equal(it.err(setData, { path: "/n", version: 0 }), E.OK, "a new node starts anew");
  it.apply();
  assert.deepEqual(it.digestMismatches, []);
  assert.equal(it.prepare.outstandingChanges, 0);
});

test("sequence numbers count all creates, also those under way", () => {
  const it = bench();
  const paths = [2, 3, 2].map((flags) => {
    const { body } = it.decide(create, encodeRequest(create, { path: "/a/s", flags })).txn;
    return (body as TxnBody & { path: string }).path;
  });
  it.err(create, { path: "/a/plain" });
  it.apply(2);
  it.err(create2, { path: "/a/", flags: 2 });
  assert.deepEqual(paths, ["/a/s0000000001", "/a/s0000000002", "/a/s0000000003"]);
  assert.equal(it.apply().at(-1)?.path, "/a/0000000005");
  assert.deepEqual(it.digestMismatches, []);
});

test("a multi is all or nothing, and what was outstanding before it stays", () => {
  const it = bench();
  it.err(setData, { path: "/a", data: "outstanding" });
  const ops = [
    { type: create, path: "/m", flags: CreateMode.EPHEMERAL },
    { type: setData, path: "/a", version: 1 },
    { type: create, path: "/a/s", flags: CreateMode.PERSISTENT_SEQUENTIAL },
    { type: remove, path: "/e" },
    { type: OpCode.check, path: "/a", version: 9 },
    { type: remove, path: "/a/b" },
  ];
  const { txn, err, entry } = it.decide(multi, encodeRequest(multi, { ops }));
  assert.equal(err, E.BADVERSION);
  const codes = [E.OK, E.OK, E.OK, E.OK, E.BADVERSION, E.RUNTIMEINCONSISTENCY];
  assert.deepEqual(txn.body, { type: multi, txns: codes.map((code) => ({ type: OpCode.error, err: code })) });
  assert.deepEqual(readTxn(new Reader(entry)), txn);
  assert.equal(it.err(create, { path: "/m" }), E.OK);
  assert.equal(it.err(setData, { path: "/a", version: 1 }), E.OK, "the outstanding change still counts");
  assert.equal(it.err(remove, { path: "/e", version: 0 }), E.OK);
  assert.equal(it.decide(create, encodeRequest(create, { path: "/a/s", flags: 2 })).err, E.OK);
  assert.deepEqual(it.decide(closeSession, new Uint8Array(0)).txn.body, { type: closeSession, paths2Delete: [] });
  assert.equal(it.apply().at(-2)?.path, "/a/s0000000001");
  assert.deepEqual(it.digestMismatches, []);
});

test("in a multi the flags decide the kind of node", () => {
  const cases: [Fields, number, number][] = [
    [{ type: create, flags: CreateMode.CONTAINER }, createContainer, E.OK],
    [{ type: create2, flags: 0 }, create2, E.OK],
    [{ type: createContainer, flags: 0 }, createContainer, E.OK],
    [{ type: createTTL, flags: TTL, ttl: 5n }, createTTL, E.OK],
    [{ type: createTTL, flags: TTL, ttl: -5n }, OpCode.error, E.BADARGUMENTS],
    [{ type: createTTL, flags: 0, ttl: 5n }, create, E.OK],
    [{ type: createTTL, flags: CreateMode.CONTAINER, ttl: 5n }, createContainer, E.OK],
    [{ type: createTTL, flags: 99, ttl: 5n }, OpCode.error, E.BADARGUMENTS],
  ];
  for (const [fields, type, err] of cases) {
    const it = new Workbench();
    const { txn, err: actual } = it.decide(multi, encodeRequest(multi, { ops: [{ path: "/x", ...fields }] }));
    assert.deepEqual([(txn.body as { txns: TxnBody[] }).txns[0]?.type, actual], [type, err]);
    it.apply();
    assert.deepEqual(it.digestMismatches, []);
  }
});

test("what flags and op code make of a node outside a multi, the digest follows", () => {
  for (const type of [create, create2, createContainer]) {
    for (const flags of [0, 1, 2, 3, 4]) {
      const it = new Workbench();
      it.do(type, { path: "/x", flags });
      assert.deepEqual(it.digestMismatches, [], `${type} with ${flags}`);
    }
  }
});

test("closing a session takes its ephemerals, by the state to come", () => {
  const it = bench();
  const other = { sessionId: 2n };
  const ephemeral = CreateMode.EPHEMERAL;
  it.do(create, { path: "/gone", flags: ephemeral });
  it.do(create, { path: "/changed", flags: ephemeral });
  it.do(create, { path: "/taken", flags: ephemeral });
  it.do(create, { path: "/theirs", flags: ephemeral }, other);
  it.err(remove, { path: "/gone" });
  it.err(setData, { path: "/changed" });
  it.err(remove, { path: "/taken" });
  it.err(create, { path: "/taken", flags: ephemeral }, other);
  it.err(create, { path: "/a/new", flags: ephemeral });
  it.err(create, { path: "/a/plain" });
  const { body } = it.decide(closeSession, new Uint8Array(0)).txn;
  const paths = (body as { paths2Delete: string[] }).paths2Delete;
  assert.deepEqual([...paths].sort(), ["/a/new", "/changed", "/e"]);
  assert.equal(it.err(setData, { path: "/e" }), E.NONODE);
  const again = it.decide(closeSession, new Uint8Array(0)).txn.body;
  assert.deepEqual(again, { type: closeSession, paths2Delete: [] });
  it.apply();
  assert.deepEqual(it.tree.ephemerals(1n), []);
  assert.deepEqual(it.tree.ephemerals(2n).sort(), ["/taken", "/theirs"]);
  assert.deepEqual(it.digestMismatches, []);
});

test("a session's transactions", () => {
  const it = new Workbench();
  const { txn } = it.decide(OpCode.createSession, Uint8Array.of(0, 0, 0x27, 0x10), { sessionId: 77n });
  assert.deepEqual(txn.body, { type: OpCode.createSession, timeOut: 10000 });
  it.apply();
  assert.equal(it.tree.sessions.get(77n), 10000);
  it.decide(closeSession, new Uint8Array(0), { sessionId: 77n });
  it.apply();
  assert.equal(it.tree.sessions.size, 0);
});

test("hard quotas refuse when they are enforced", () => {
  for (const enforceQuota of [true, false]) {
    const it = bench({ rules: { enforceQuota } });
    for (const path of ["/zookeeper/quota/a"]) it.do(create, { path });
    const data = "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3";
    it.do(create, { path: "/zookeeper/quota/a/zookeeper_limits", data });
    it.do(create, { path: "/zookeeper/quota/a/zookeeper_stats" });
    const refused = enforceQuota ? E.QUOTAEXCEEDED : E.OK;
    assert.equal(it.err(setData, { path: "/a", data: "123456789" }), E.OK);
    it.apply();
    assert.equal(it.err(setData, { path: "/a/b", data: "12", version: 9 }), enforceQuota ? refused : E.BADVERSION);
    assert.equal(it.err(create, { path: "/a/c", data: "1" }), refused);
    it.do(create, { path: "/a/d" });
    it.apply();
    assert.equal(it.err(create, { path: "/a/e" }), refused);
    assert.equal(it.err(create, { path: "/elsewhere", data: "0123456789abc" }), E.OK);
    assert.deepEqual(it.digestMismatches, []);
  }
});

test("reconfig: disabled, session, the server's own reasons, ACL last", () => {
  const config = new TextEncoder().encode("server.1=...");
  let answer: Uint8Array | number = E.NEWCONFIGNOQUORUM;
  const it = new Workbench({ reconfig: () => answer });
  const superUser = { authInfo: [{ scheme: "super", id: "" }] };
  it.session = () => E.SESSIONEXPIRED;
  assert.equal(it.err(OpCode.reconfig, {}, superUser), E.SESSIONEXPIRED);
  it.session = () => E.OK;
  assert.equal(it.err(OpCode.reconfig, {}, { authInfo: [here] }), E.NEWCONFIGNOQUORUM);
  answer = config;
  assert.equal(it.err(OpCode.reconfig, {}, { authInfo: [here] }), E.NOAUTH);
  assert.equal(it.err(OpCode.reconfig, {}, superUser), E.OK);
  it.apply();
  const node = it.tree.nodes.findPath(CONFIG_PATH);
  assert.deepEqual([it.tree.nodes.version(node), it.tree.nodes.data(node)], [-1, config]);
  assert.deepEqual(it.digestMismatches, []);
  assert.deepEqual(it.tree.acls.get(it.tree.nodes.aclId(node)), READ_ACL_UNSAFE);
});

test("the entry is the transaction, its data a window on it, and the request's memory is free again", () => {
  const it = bench();
  const requests: [number, Fields][] = [
    [create, { path: "/x", data: "some data" }],
    [create2, { path: "/y", data: null, acl: bobOnly }],
    [createTTL, { path: "/z", flags: TTL, ttl: 9n, data: "" }],
    [setData, { path: "/a", data: "x".repeat(200_000) }],
    [setData, { path: "/", data: "x" }],
    [setACL, { path: "/a", acl: [{ perms: 31, id: { scheme: "auth", id: "" } }] }],
    [
      multi,
      {
        ops: [
          { type: create, path: "/q", data: "in a multi" },
          { type: setData, path: "/q", data: "again" },
        ],
      },
    ],
  ];
  for (const [type, fields] of requests) {
    const bytes = encodeRequest(type, fields);
    const { txn, entry, err } = it.decide(type, bytes, { authInfo: [bob] });
    assert.equal(err, E.OK);
    bytes.fill(0xee);
    for (const same of [txn, readTxn(new Reader(entry))]) {
      const again = new Writer();
      writeTxn(again, same);
      assert.deepEqual(again.written(), entry);
    }
  }
  it.apply();
  assert.deepEqual(it.digestMismatches, []);
});

test("without digests none are written", () => {
  const it = bench({ digest: false });
  assert.equal(it.decide(create, encodeRequest(create, { path: "/x", data: "d" })).txn.digest, null);
});
