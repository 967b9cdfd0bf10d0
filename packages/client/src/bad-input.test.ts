/** What JavaScript lets callers pass although the types do not: refused before a byte of it reaches the wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BadArgumentsError, ClientOptionError, type DataCodec, ZooKeeper } from "./index.ts";
import { startBench } from "./testing/bench.ts";

// biome-ignore lint/suspicious/noExplicitAny: the types would refuse all of this.
type Untyped = any;

const calls: [string, (zk: Untyped) => unknown, RegExp][] = [
  ["a path that is no string", (zk) => zk.getData(5), /a path must be a string/],
  ["a relative path", (zk) => zk.ensurePath("a/b"), /must start with \//],
  ["a lone surrogate", (zk) => zk.create("/\ud800"), /not allowed/],
  ["a deadline that is no number", (zk) => zk.getData("/a", { timeoutMs: Number.NaN }), /timeoutMs is NaN/],
  ["a deadline in the past", (zk) => zk.exists("/a", { timeoutMs: -1 }), /more than 0/],
  ["a signal that is none", (zk) => zk.getData("/a", { signal: 5 }), /AbortSignal/],
  ["a listener that is no function", (zk) => zk.getData("/a", { watch: 5 }), /listener/],
  ["a persistent listener that is no function", (zk) => zk.addWatch("/a", { listener: {} }), /listener/],
  ["a mode that ZooKeeper does not have", (zk) => zk.create("/a", "", { mode: 99 }), /mode is 99/],
  ["a TTL without its mode", (zk) => zk.create("/a", "", { ttlMs: 5 }), /ttlMs goes with/],
  ["an ACL that is no list", (zk) => zk.create("/a", "", { acl: "open" }), /acl must be an array/],
  ["an ACL entry without permissions", (zk) => zk.setACL("/a", [{ id: {} }]), /each entry of acl/],
  ["a version that is text", (zk) => zk.setData("/a", "", { version: "1" }), /version is 1;/],
  ["data that is an object", (zk) => zk.setData("/a", {}), /data must be bytes/],
  ["data that is an object, idempotent", (zk) => zk.setData("/a", {}, { idempotent: true }), /data must be bytes/],
  ["a codec that is none", (zk) => zk.setData("/a", "", { codec: {} as DataCodec<string> }), /cannot encode/],
  ["a watch type that is none", (zk) => zk.removeWatches("/a", "all"), /kind is all/],
  ["a scheme that is no name", (zk) => zk.addAuth(undefined, "x"), /the scheme must be a name/],
  ["an identity that is a number", (zk) => zk.addAuth("digest", 5), /string or bytes/],
  ["a membership that is no text", (zk) => zk.reconfig({ joining: 5 }), /must be strings/],
  [
    "a version of 2^40 in a multi",
    (zk) =>
      zk
        .multi()
        .check("/a", { version: 2 ** 40 })
        .commit(),
    /32-bit/,
  ],
  ["data that is a number in a multi", (zk) => zk.multi().setData("/a", 5).commit(), /data must be bytes/],
  ["a TTL of nothing in a multi", (zk) => zk.multi().create("/a", "", { mode: 5 }).commit(), /ttlMs goes with/],
  ["a path of a multi that is no string", (zk) => zk.multi().delete(5).commit(), /a path must be a string/],
];
for (const [what, call, says] of calls) {
  test(`${what} is refused, and nothing is sent`, async () => {
    const { zk, server, run } = await startBench();
    const before = zk.counters.sentBytes;
    await assert.rejects(
      async () => call(zk),
      (error) => error instanceof BadArgumentsError && says.test(error.message),
    );
    await run(1);
    assert.deepEqual([zk.counters.sentBytes, server.received.length], [before, 0]);
    const good = zk.exists("/a");
    await run(1);
    assert.ok(await good, "what was refused spoiled the connection");
  });
}

const made: [string, () => unknown][] = [
  ["a connect string that is no string", () => new ZooKeeper(5 as Untyped)],
  ["an identity without a scheme", () => new ZooKeeper("a:1", { auth: [{ scheme: "", auth: "x" }] })],
  ["a chroot that is no path", () => new ZooKeeper("a:1", { chroot: "x" })],
];
for (const [what, make] of made) test(`${what} is refused`, () => assert.throws(make, ClientOptionError));
