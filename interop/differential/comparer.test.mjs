// `node --test interop/differential/*.test.mjs`, also a part of `npm test`: does the differential test see a difference
// where there is one, and none where there is none? Needs only Node.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Out } from "../lib/jute.mjs";
import { opName } from "../lib/records.mjs";
import { accepted } from "./accepted.mjs";
import { Comparer, firstDifference } from "./compare.mjs";
import { generate, weightOf } from "./generate.mjs";
import { passwordOf } from "./password.mjs";
import { sortUnordered } from "./player.mjs";
import { encodeCall } from "./requests.mjs";
import { Translator } from "./translate.mjs";
import { readers } from "./words.mjs";

/** A server of our imagination: all that may differ between two right ones differs. */
const apache = { firstSession: 0x100_0001_0000_0000n, clockMs: 1_700_000_000_000n, children: ["x", "y"] };
const ours = { firstSession: 0x100_0777_0000_0000n, clockMs: 1_800_000_000_123n, children: ["y", "x"] };

const reply = (name, xid, zxid, err, body = new Out()) => ({
  kind: "reply",
  name,
  xid,
  payload: new Out().int(xid).long(zxid).int(err).raw(body.bytes()).bytes(),
});

function stat({ firstSession, clockMs }, change = {}) {
  const fields = { czxid: 5n, mzxid: 7n, ctime: clockMs, mtime: clockMs + 2n, version: 1, cversion: 2, aversion: 0 };
  Object.assign(fields, { ephemeralOwner: firstSession + 1n, dataLength: 3, numChildren: 2, pzxid: 6n, ...change });
  const out = new Out();
  for (const value of Object.values(fields)) typeof value === "bigint" ? out.long(value) : out.int(value);
  return out.bytes();
}

const event = (zxid, type, path) => ({
  kind: "event",
  payload: new Out().int(-1).long(zxid).int(0).int(type).int(3).string(path).bytes(),
});

const connected = ({ firstSession }, change = {}) => {
  const answer = { timeOut: 60_000, sessionId: firstSession, passwd: passwordOf(firstSession), ...change };
  const out = new Out().int(0).int(answer.timeOut).long(answer.sessionId).buffer(answer.passwd).bool(false);
  return { kind: "connect", payload: out.bytes() };
};

/** What a server sends; `change` plants something. */
function arrivals(server, change = {}) {
  const children = change.children ?? server.children;
  return [
    connected(server, change.connect),
    ...(change.events ?? [event(8n, 3, "/a"), event(9n, 4, "/")]),
    reply("getData", 1, change.zxid ?? 9n, 0, new Out().buffer(Buffer.from("abc")).raw(stat(server, change.stat))),
    reply(
      "getChildren",
      2,
      9n,
      0,
      new Out().vector(children, (out, name) => out.string(name)).raw(Buffer.from(change.rest ?? "")),
    ),
    reply("create", 3, 10n, change.err ?? -110),
    ...(change.end ?? [{ kind: "closed" }]),
  ];
}

function seen(server, change) {
  const translator = new Translator();
  return arrivals(server, change).map((arrival) => translator.arrival(arrival));
}

const compare = (left, right) => new Comparer({ rows: [] }).compare({ kind: "call", name: "getData" }, left, right);

test("two servers that differ only in times, session ids and the order of children are the same", () => {
  assert.equal(compare(seen(apache), seen(ours)), undefined);
});

const planted = {
  "an error code": { err: -101 },
  "a zxid": { zxid: 10n },
  "a version": { stat: { version: 2 } },
  "a pzxid": { stat: { pzxid: 7n } },
  "no modification time": { stat: { mtime: 0n } },
  "one zxid at two times": { stat: { mzxid: 5n } },
  "an owner": { stat: { ephemeralOwner: ours.firstSession + 2n } },
  "no owner": { stat: { ephemeralOwner: 0n } },
  "a child too many": { children: ["x", "y", "z"] },
  "a child twice": { children: ["x", "x"] },
  "bytes nobody asked for": { rest: "!" },
  "a missing event": { events: [event(8n, 3, "/a")] },
  "events in another order": { events: [event(9n, 4, "/"), event(8n, 3, "/a")] },
  "an event's type": { events: [event(8n, 2, "/a"), event(9n, 4, "/")] },
  "an event's path": { events: [event(8n, 3, "/b"), event(9n, 4, "/")] },
  "an event's zxid": { events: [event(-1n, 3, "/a"), event(9n, 4, "/")] },
  "a connection left open": { end: [] },
  silence: { end: [{ kind: "silence" }] },
  "a session timeout": { connect: { timeOut: 59_999 } },
  "a password of another session": { connect: { passwd: passwordOf(1n) } },
};
for (const [what, change] of Object.entries(planted)) {
  test(`${what} is a difference`, () => {
    const difference = compare(seen(apache), seen(ours, change));
    assert.ok(difference?.signature, JSON.stringify(difference));
  });
}

test("the first difference says where", () => {
  assert.equal(firstDifference({ a: [1, { b: null }] }, { a: [1, { b: null }] }), undefined);
  assert.deepEqual(firstDifference({ a: [1, { b: null }] }, { a: [1, { b: 0 }] }), {
    at: "a.1.b",
    left: null,
    right: 0,
  });
  assert.deepEqual(firstDifference([], {}), { at: "", left: [], right: {} });
  assert.equal(firstDifference([1], [1, 2]).at, "1");
});

test("a row explains one piece, not its neighbours", () => {
  const rows = [{ name: "even", matches: (_step, left, right) => left % 2 === 0 && right % 2 === 0 }];
  const comparer = new Comparer({ rows });
  assert.equal(comparer.compare({ kind: "x" }, [2, 3, 4], [4, 3, 6]), undefined);
  assert.equal(comparer.met.get("even"), 2);
  assert.equal(comparer.compare({ kind: "x" }, [2, 3], [4, 5]).at, "1");
});

test("events of a closing session may come in any order, all others may not", () => {
  const e = (zxid, path) => ({ kind: "event", zxid, path });
  const [a, b] = [
    [e("1", "/b"), e("1", "/a"), e("2", "/c")],
    [e("1", "/a"), e("1", "/b"), e("2", "/c")],
  ];
  assert.deepEqual(sortUnordered(a, new Set(["1"])), sortUnordered(b, new Set(["1"])));
  assert.notDeepEqual(sortUnordered(a, new Set(["2"])), sortUnordered(b, new Set(["2"])));
});

test("passwords of the protocol's description", () => {
  assert.equal(passwordOf(1n).toString("hex"), "054cc74a37327db215e702e20c73f005");
  assert.equal(passwordOf(0x1000abcdef00001n).toString("hex"), "f51765ae67a7260385ecb221bc63056c");
});

test("a seed is a list of operations: always the same, of the asked length, and plain JSON that can be sent", () => {
  for (const seed of [1, 2, 3]) {
    const steps = generate({ seed, ops: 1500 });
    assert.deepEqual(steps, generate({ seed, ops: 1500 }));
    assert.deepEqual(JSON.parse(JSON.stringify(steps)), steps);
    assert.ok(steps.reduce((sum, step) => sum + weightOf(step), 0) >= 1500);
    for (const call of steps.flatMap((step) => step.calls ?? (step.kind === "call" ? [step] : []))) {
      assert.ok(encodeCall(call, { xid: 1, lastZxid: 100n }).payload.length >= 0);
    }
  }
  assert.notDeepEqual(generate({ seed: 1, ops: 50 }), generate({ seed: 2, ops: 50 }));
});

test("a long list has every operation that clients know, and every kind of step", () => {
  const steps = generate({ seed: 7, ops: 20_000 });
  const calls = steps.flatMap((step) => step.calls ?? (step.kind === "call" ? [step] : []));
  const names = new Set(calls.map(({ name }) => name));
  const internal = ["deleteContainer", "createSession", "check"];
  const missing = [...Array(123).keys(), -11].map(opName).filter((name) => !name.startsWith("op ") && !names.has(name));
  assert.deepEqual(
    missing.filter((name) => !internal.includes(name)),
    [],
  );
  assert.deepEqual([...new Set(steps.map(({ kind }) => kind))].sort(), [
    "burst",
    "bytes",
    "call",
    "connect",
    "drop",
    "expire",
  ]);
});

test("watches are read from the words whatever the order in which they are told", () => {
  const [left, right] = [apache, ours].map((server) => {
    const translator = new Translator();
    translator.arrival(connected(server));
    const ids = [0n, 1n].map((n) => `0x${(server.firstSession + n).toString(16)}`);
    const told = server === apache ? ids : ids.toReversed();
    return readers.wchp(`/a\n${told.map((id) => `\t${id}\n`).join("")}\n\t${ids[1]}\n\n`, translator);
  });
  assert.deepEqual(left, { "/a": ["session 0", "session 1"], "": ["session 1"] });
  assert.deepEqual(right, left);
});

test("every accepted difference is explained in docs/compatibility.md, and nothing else is", () => {
  const page = readFileSync(new URL("../../docs/compatibility.md", import.meta.url), "utf8");
  const explained = [...page.matchAll(/^\| `([a-z0-9-]+)` /gm)].map(([, name]) => name);
  assert.deepEqual(explained.sort(), accepted.map(({ name }) => name).sort());
});
