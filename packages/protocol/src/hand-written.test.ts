import assert from "node:assert/strict";
import { test } from "node:test";
import { type Codec, encode, Reader } from "@vivarium/jute";
import { OpCode } from "./op-code.ts";
import { ForwardedRequestHeader, QuorumPacket } from "./quorum-packet.ts";
import { handWrittenRecords, readTxn, type TxnBody, writeTxn } from "./txn.ts";

const acl = [{ perms: 31, id: { scheme: "world", id: "anyone" } }];
const data = new Uint8Array([1, 2, 3]);

/** One value of each record whose codec is written out by hand. */
const records = { ...handWrittenRecords, QuorumPacket, ForwardedRequestHeader };
const values: Record<keyof typeof records, object> = {
  TxnHeader: { clientId: -5n, cxid: -1, zxid: 2 ** 33 + 7, time: 1_700_000_000_000, type: OpCode.setData },
  TxnDigest: { version: 2, high: -1, low: 7 },
  CreateBody: { path: "/ä", data, acl, ephemeral: true, parentCVersion: -7 },
  SetDataBody: { path: "/a", data: null, version: 2 ** 31 - 1 },
  QuorumPacket: { type: 1, zxid: 2 ** 40 + 1, data, authinfo: [{ scheme: "ip", id: "::1" }] },
  ForwardedRequestHeader: { sessionId: -(2n ** 60n), cxid: -2, type: OpCode.multi },
};

for (const [name, { write, read, bySchema }] of Object.entries(records)) {
  test(`${name} as written by hand is what its fields say`, () => {
    const value = values[name as keyof typeof records];
    const bytes = encode({ write, read } as Codec<object>, value);
    assert.deepEqual(bytes, encode(bySchema as unknown as Codec<object>, value));
    assert.deepEqual(read(new Reader(bytes)), value);
    for (let cut = 0; cut < bytes.length; cut++) assert.throws(() => read(new Reader(bytes.subarray(0, cut))));
  });
}

test("what is computed ahead does not go to the wire", () => {
  const header = { clientId: 1n, cxid: 1, zxid: 1, time: 1, type: OpCode.setData };
  const body: TxnBody = { type: OpCode.setData, path: "/a", data, version: 1, prefixCrc: 99 };
  const bytes = encode({ write: writeTxn, read: readTxn }, { header, body, digest: null });
  const { prefixCrc: _, ...plain } = body;
  assert.deepEqual(readTxn(new Reader(bytes)), { header, body: plain, digest: null });
});
