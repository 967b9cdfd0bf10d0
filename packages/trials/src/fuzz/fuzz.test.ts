import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "@vivarium/runtime";
import { fuzzTrial } from "./fuzz-trial.ts";
import { malformed } from "./malformed.ts";

test("the same seed makes the same malformed frames", () => {
  const draw = () => {
    const random = new SeededRandom(5);
    return Array.from({ length: 500 }, (_, i) => malformed(random, i % 2 === 0 ? "new" : "open"));
  };
  assert.deepEqual(draw(), draw());
});

test("malformed frames disturb nobody else and fill no memory", { timeout: 120_000 }, async () => {
  const report = await fuzzTrial({ frames: 20_000, seed: 3, maxResidentBytes: 400 * 2 ** 20 });
  assert.ok(report.frames >= 20_000);
  assert.ok(report.answered > 0);
});
