import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, ProtocolError, Reader, Writer } from "@vivarium/jute";
import {
  CONTAINER_OWNER,
  digestFromBigInt,
  firstSessionId,
  MAX_TTL_MS,
  makeZxid,
  nodeKind,
  OpCode,
  ownerTtlMs,
  pathProblem,
  permsText,
  readTxn,
  sequenceSuffix,
  sessionPassword,
  type Txn,
  TxnHeader,
  ttlOwner,
  writeTxn,
  zxidCounter,
  zxidEpoch,
  zxidHex,
} from "./index.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

for (const [id, password] of [
  [0x1n, "054cc74a37327db215e702e20c73f005"],
  [0x100000000000000n, "f22acd4a97e69d6d20a49bb638eadb38"],
  [0x1000abcdef00001n, "f51765ae67a7260385ecb221bc63056c"],
] as const) {
  test(`the password of session 0x${id.toString(16)} is the one Apache's servers compute`, () => {
    assert.equal(hex(sessionPassword(id)), password);
  });
}

test("session ids carry the server's id in their top byte and time below", () => {
  const id = firstSessionId(3, 1_700_000_000_000);
  assert.equal(BigInt.asUintN(64, id) >> 56n, 3n);
  assert.equal(id & 0xffffn, 0n);
  assert.equal(firstSessionId(3, 1_700_000_000_001) - id, 0x10000n);
  assert.ok(firstSessionId(200, 0) < 0n, "ids of servers above 127 are negative");
  assert.equal(firstSessionId(128, 0), CONTAINER_OWNER + 1n, "no session is named like the mark of containers");
});

for (const [path, isValid] of [
  ["/", true],
  ["/a", true],
  ["/a/b.c/..d", true],
  ["/ä/漢", true],
  ["/\ufff0", false],
  ["/\ud800", false],
  ["/\uf8ff", false],
  ["/\uf900", true],
  ["/a\u0000", false],
  ["/a\u001f", false],
  ["/a\u007f", false],
  ["/a\u009f", false],
  ["/a\u00a0", true],
  ["", false],
  ["a", false],
  ["/a/", false],
  ["//a", false],
  ["/a//b", false],
  ["/.", false],
  ["/a/./b", false],
  ["/a/..", false],
  ["/...", true],
] as const) {
  test(`the path ${JSON.stringify(path)} is ${isValid ? "valid" : "refused"}`, () => {
    assert.equal(pathProblem(path) === undefined, isValid, pathProblem(path));
  });
}

for (const [count, suffix] of [
  [0, "0000000000"],
  [42, "0000000042"],
  [2147483647, "2147483647"],
  [-2147483648, "-2147483648"],
  [-7, "-000000007"],
] as const) {
  test(`the sequence number after ${count} creates is ${suffix}`, () => assert.equal(sequenceSuffix(count), suffix));
}

test("a zxid splits into epoch and counter, and shows unsigned", () => {
  const zxid = makeZxid(5, 0xfffffffe);
  assert.deepEqual([zxidEpoch(zxid), zxidCounter(zxid), zxidHex(zxid)], [5, 0xfffffffe, "5fffffffe"]);
  assert.equal(zxidHex(-1), "ffffffffffffffff");
});

const TTL_OWNER = ttlOwner(60_000);
for (const { owner, extendedTypes, emulate353Ttl, kind } of [
  { owner: 0n, extendedTypes: false, emulate353Ttl: false, kind: "normal" },
  { owner: 0x1000abcn, extendedTypes: true, emulate353Ttl: false, kind: "ephemeral" },
  { owner: CONTAINER_OWNER, extendedTypes: false, emulate353Ttl: false, kind: "container" },
  { owner: TTL_OWNER, extendedTypes: true, emulate353Ttl: false, kind: "ttl" },
  { owner: TTL_OWNER, extendedTypes: false, emulate353Ttl: false, kind: "ephemeral" },
  { owner: CONTAINER_OWNER + 5000n, extendedTypes: true, emulate353Ttl: true, kind: "ttl" },
  { owner: CONTAINER_OWNER + 5000n, extendedTypes: false, emulate353Ttl: true, kind: "ephemeral" },
] as const) {
  const rules = `extended types ${extendedTypes}, 3.5.3 emulation ${emulate353Ttl}`;
  test(`owner 0x${BigInt.asUintN(64, owner).toString(16)} means ${kind} (${rules})`, () => {
    assert.equal(nodeKind(owner, { extendedTypes, emulate353Ttl }), kind);
  });
}

test("a TTL survives its owner", () => {
  assert.equal(TTL_OWNER, BigInt.asIntN(64, 0xff00_0000_0000_ea60n));
  for (const ttl of [1, 60_000, MAX_TTL_MS]) assert.equal(ownerTtlMs(ttlOwner(ttl)), ttl);
});

test("permissions read as cdrwa", () => {
  assert.deepEqual([31, 1, 12, 0].map(permsText), ["cdrwa", "r", "cd", ""]);
});

const header: TxnHeader = { clientId: 7n, cxid: 3, zxid: 9, time: 1000, type: OpCode.closeSession };
const asEntry = (tail: string, type: number = header.type) =>
  new Reader(new Uint8Array(Buffer.from(hex(encode(TxnHeader, { ...header, type })) + tail, "hex")));
const digest = digestFromBigInt(0x1234n);
const DIGEST_HEX = "000000020000000000001234";

for (const { name, tail, expected } of [
  { name: "no body, no digest", tail: "", expected: { paths2Delete: [], digest: null } },
  { name: "a digest only", tail: DIGEST_HEX, expected: { paths2Delete: [], digest } },
  { name: "an empty list", tail: "00000000", expected: { paths2Delete: [], digest: null } },
  {
    name: "a list and a digest",
    tail: `00000001000000022f65${DIGEST_HEX}`,
    expected: { paths2Delete: ["/e"], digest },
  },
]) {
  test(`closeSession is read as every writer has written it: ${name}`, () => {
    const txn = readTxn(asEntry(tail));
    assert.deepEqual(txn.body, { type: OpCode.closeSession, paths2Delete: expected.paths2Delete });
    assert.deepEqual(txn.digest, expected.digest);
  });
}

test("a create of ZooKeeper 3.3 has no parentCVersion", () => {
  const { body } = readTxn(asEntry("000000022f61ffffffff0000000000", OpCode.create));
  assert.deepEqual(body, { type: 1, path: "/a", data: null, acl: [], ephemeral: false, parentCVersion: -1 });
});

test("a multi transaction nests its parts", () => {
  const txn: Txn = {
    header: { ...header, type: OpCode.multi },
    body: {
      type: OpCode.multi,
      txns: [
        { type: OpCode.create, path: "/a", data: null, acl: [], ephemeral: true, parentCVersion: 4 },
        { type: OpCode.delete, path: "/b" },
        { type: OpCode.error, err: -2 },
      ],
    },
    digest,
  };
  const writer = new Writer();
  writeTxn(writer, txn);
  assert.deepEqual(readTxn(new Reader(writer.copy())), txn);
});

test("what no transaction can be is refused", () => {
  assert.throws(() => readTxn(asEntry("", 99)), ProtocolError);
  assert.throws(() => readTxn(asEntry("000000022f6100", OpCode.delete)), ProtocolError, "bytes left over");
  assert.throws(() => decode(TxnHeader, new Uint8Array(31)), ProtocolError);
});
