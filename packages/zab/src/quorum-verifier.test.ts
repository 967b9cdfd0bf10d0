import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMembership } from "@vivarium/protocol";
import { hierarchical, majority, Quorums, quorumVerifier } from "./quorum-verifier.ts";

const set =
  (...ids: number[]) =>
  (id: number) =>
    ids.includes(id);

for (const { voters, acked, quorum } of [
  { voters: [1], acked: [1], quorum: true },
  { voters: [1, 2], acked: [1], quorum: false },
  { voters: [1, 2, 3], acked: [1, 3], quorum: true },
  { voters: [1, 2, 3], acked: [1, 4, 5], quorum: false },
  { voters: [1, 2, 3, 4], acked: [1, 2], quorum: false },
  { voters: [1, 2, 3, 4, 5], acked: [1, 4, 5], quorum: true },
]) {
  test(`${acked} of ${voters} ${quorum ? "are" : "are no"} quorum`, () => {
    assert.equal(majority(voters).hasQuorum(set(...acked)), quorum);
  });
}

const groups = new Map([
  [1, [1, 2, 3]],
  [2, [4, 5, 6]],
  [3, [7, 8, 9]],
]);
const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
for (const { acked, weights, quorum } of [
  { acked: [1, 2, 4, 5], weights: {}, quorum: true },
  { acked: [1, 2, 3, 4, 7], weights: {}, quorum: false },
  { acked: [1, 4], weights: { 2: 0, 3: 0, 5: 0, 6: 0 }, quorum: true },
  // A group that weighs nothing does not count, so both others are needed.
  { acked: [1, 2], weights: { 7: 0, 8: 0, 9: 0 }, quorum: false },
]) {
  test(`groups: ${acked} with weights ${JSON.stringify(weights)} ${quorum ? "are" : "are no"} quorum`, () => {
    const byId = new Map(Object.entries(weights).map(([id, weight]) => [Number(id), weight]));
    assert.equal(hierarchical(nine, groups, byId).hasQuorum(set(...acked)), quorum);
  });
}

test("two memberships: a quorum of both is needed, and an older second one does not matter", () => {
  const old = majority([1, 2, 3], 1);
  const next = majority([3, 4, 5], 2);
  assert.equal(new Quorums(old, next).hasQuorum(set(1, 2)), false);
  assert.equal(new Quorums(old, next).hasQuorum(set(2, 3, 4)), true);
  assert.equal(new Quorums(next, old).hasQuorum(set(4, 5)), true);
});

test("observers have no vote", () => {
  const membership = parseMembership(
    "server.1=a:1:2:participant\nserver.2=b:1:2:participant\nserver.3=c:1:2:observer\nversion=0",
  );
  assert.ok(!("problem" in membership));
  const verifier = quorumVerifier(membership);
  assert.deepEqual(verifier.voters, [1, 2]);
  assert.equal(verifier.hasQuorum(set(1, 3)), false);
});
