import assert from "node:assert/strict";
import { test } from "node:test";
import { Progress } from "./progress.ts";

test("what is left is told by what the same steps took before", () => {
  let nowMs = 0;
  const steps = [1, 2].flatMap((turn) => ["a", "b"].map((name) => ({ part: "speed", turn, name })));
  const progress = new Progress(steps, () => nowMs);
  assert.equal(progress.line("reads"), "░░░░░░░░░░░░░░░░░░░░ 0/4 0:00  speed, turn 1, a: reads");
  nowMs = 60_000;
  progress.next();
  nowMs = 180_000;
  progress.next();
  nowMs = 190_000;
  assert.equal(progress.line("writes"), "██████████░░░░░░░░░░ 2/4 3:10, about 2:50 left  speed, turn 2, a: writes");
});
