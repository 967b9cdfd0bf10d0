import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "./index.ts";

test("a seed repeats itself, and its named streams do not depend on each other", () => {
  const draw = (random: SeededRandom) => [random.int(1000), random.int(1000), ...random.bytes(4)];
  assert.deepEqual(draw(new SeededRandom(42)), draw(new SeededRandom(42)));
  assert.notDeepEqual(draw(new SeededRandom(42)), draw(new SeededRandom(43)));
  const used = new SeededRandom(42);
  used.int(10);
  assert.deepEqual(draw(used.fork("disk")), draw(new SeededRandom(42).fork("disk")));
  assert.notDeepEqual(draw(used.fork("disk")), draw(used.fork("network")));
});
