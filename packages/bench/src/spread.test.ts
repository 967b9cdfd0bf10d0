import assert from "node:assert/strict";
import { test } from "node:test";
import { spread } from "./spread.ts";

const spreads = [
  { values: [3], median: 3, least: 3, most: 3 },
  { values: [5, 1, 3], median: 3, least: 1, most: 5 },
  { values: [4, 1, 2, 10], median: 3, least: 1, most: 10 },
];
for (const { values, ...expected } of spreads) {
  test(`the spread of ${values}`, () => assert.deepEqual(spread(values), expected));
}

test("nothing has no spread", () => assert.throws(() => spread([]), RangeError));
