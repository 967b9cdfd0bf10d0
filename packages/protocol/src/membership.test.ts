import assert from "node:assert/strict";
import { test } from "node:test";
import { type Member, parseGroupLine, parseServerLine } from "./membership.ts";

const address = (host: string, quorumPort: number, electionPort: number) => ({ host, quorumPort, electionPort });
const plain: Member = { id: 1, role: "participant", addresses: [address("h", 2888, 3888)], client: undefined };

test("server lines come apart", () => {
  const cases: readonly [string, Partial<Member>][] = [
    ["h:2888:3888", {}],
    ["h:2888:3888:participant", {}],
    ["h:2888:3888:Observer", { role: "observer" }],
    ["h:2888:3888;2181", { client: { host: "0.0.0.0", port: 2181 } }],
    ["h:2888:3888:observer;c:2181", { role: "observer", client: { host: "c", port: 2181 } }],
    ["h:2888:3888;[::]:2181", { client: { host: "::", port: 2181 } }],
    ["[2001:db8::1]:2888:3888", { addresses: [address("2001:db8::1", 2888, 3888)] }],
    [
      "a:1:2|b:3:4|[::1]:5:6;7",
      {
        addresses: [address("a", 1, 2), address("b", 3, 4), address("::1", 5, 6)],
        client: { host: "0.0.0.0", port: 7 },
      },
    ],
    ["a:1:2:observer|b:3:4:observer", { role: "observer", addresses: [address("a", 1, 2), address("b", 3, 4)] }],
    [" h : 2888 : 3888 ; 2181 ", { addresses: [address("h", 2888, 3888)], client: { host: "0.0.0.0", port: 2181 } }],
  ];
  for (const [line, wanted] of cases) assert.deepEqual(parseServerLine(1, line), { ...plain, ...wanted }, line);
});

test("a server line that makes no sense says why", () => {
  const cases: readonly [string, RegExp][] = [
    ["", /host:quorumPort:electionPort/],
    ["h:2888", /host:quorumPort:electionPort/],
    ["h:2888:x", /host:quorumPort:electionPort/],
    ["h:2888:70000", /host:quorumPort:electionPort/],
    ["h:1:2:observer:5", /host:quorumPort:electionPort/],
    ["::1:2888:3888", /host:quorumPort:electionPort/],
    ["h:1:2|", /host:quorumPort:electionPort/],
    ["h:2888:2888", /the same/],
    ["h:1:2:leader", /neither participant nor observer/],
    ["a:1:2:observer|b:3:4:participant", /different roles/],
    ["h:1:2;", /client address/],
    ["h:1:2;x", /client address/],
    ["h:1:2;c:1:2", /client address/],
    ["h:1:2;3;4", /more than one ;/],
  ];
  for (const [line, reason] of cases) {
    const parsed = parseServerLine(1, line);
    assert.ok("problem" in parsed, line);
    assert.match(parsed.problem, reason, line);
  }
});

test("group lines are ids", () => {
  assert.deepEqual(parseGroupLine("1:2: 3"), [1, 2, 3]);
  for (const line of ["", "1:", "a", "1,2"]) assert.equal(parseGroupLine(line), undefined, line);
});
