import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearestName } from "./nearest.ts";

test("distance counts inserted, deleted, replaced and swapped letters, whatever their case", () => {
  const cases: readonly [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["snapCount", "SNAPCOUNT", 0],
    ["snpCount", "snapCount", 1],
    ["snapCuont", "snapCount", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ];
  for (const [left, right, wanted] of cases) assert.equal(editDistance(left, right), wanted, `${left} ${right}`);
});

test("distance does not care about the direction, and is never more than the longer word", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
      const distance = editDistance(left, right);
      assert.equal(distance, editDistance(right, left));
      const [a, b] = [left.toLowerCase().length, right.toLowerCase().length];
      assert.ok(distance <= Math.max(a, b) && distance >= Math.abs(a - b));
    }),
  );
});

test("the nearest name is one that could have been meant, or none", () => {
  const names = ["snapCount", "tickTime", "dataDir", "dataLogDir"];
  const cases: readonly [string, string | undefined][] = [
    ["snpCount", "snapCount"],
    ["ticktime", "tickTime"],
    ["dataDri", "dataDir"],
    ["DataLogDir", "dataLogDir"],
    ["something.else", undefined],
    ["x", undefined],
  ];
  for (const [word, wanted] of cases) assert.equal(nearestName(word, names), wanted, word);
});
