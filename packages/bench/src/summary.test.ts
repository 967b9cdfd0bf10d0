import assert from "node:assert/strict";
import { test } from "node:test";
import { goalRows, otherRows } from "./summary.ts";
import { table } from "./table.ts";
import { results } from "./testing/results.ts";

const names = { ours: "Vivarium", theirs: "Apache 3.9.5" };
const near = (value: number | undefined) => (value === undefined ? undefined : Number(value.toFixed(4)));

test("each goal of which both sides were measured is judged by the ratio of the medians", () => {
  const rows = goalRows(results).map(({ title, peer, ratio, goal, isReached }) => ({
    title,
    peer: peer?.name ?? peer?.spread.median,
    ratio: [near(ratio?.median), near(ratio?.least), near(ratio?.most)],
    goal,
    isReached,
  }));
  assert.deepEqual(rows, [
    { title: "reads", peer: 100, ratio: [5, 4, 10], goal: "at least 5×", isReached: true },
    { title: "reads, 99th percentile", peer: 100, ratio: [0.6, 0.6, 0.6], goal: "at most 0.5×", isReached: false },
    {
      title: "getChildren of 100,000 children",
      peer: "getChildren of 10,000 children",
      ratio: [1.2, 1.2, 1.2],
      goal: "at most 1.3×",
      isReached: true,
    },
    { title: "reads", peer: "bare Node.js", ratio: [0.5, 0.5, 0.6], goal: "at least 0.6×", isReached: false },
    {
      title: "longest stall of our event loop in any run",
      peer: undefined,
      ratio: [undefined, undefined, undefined],
      goal: "at most 20",
      isReached: false,
    },
  ]);
});

test("what is no goal has a row too, also when only ours has it", () => {
  const rows = otherRows(results).map(({ title, ours, ratio }) => [title, ours.median, ratio]);
  assert.deepEqual(rows, [
    ["getChildren of 10,000 children", 10, undefined],
    ["multis of 10 setData", 5, undefined],
    ["longest stall: speed", 17.5, undefined],
    ["longest stall: memory", 7, undefined],
  ]);
});

test("a table has one line per row, below two of head, all as long as each other", () => {
  const lines = table(goalRows(results), names, { goals: true }).split("\n");
  assert.equal(lines.length, 2 + 5);
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
  const cells = (at: number) =>
    lines[at]
      ?.split("|")
      .map((text) => text.trim())
      .filter((text) => text !== "");
  assert.deepEqual(cells(0), ["median (least–most)", "unit", "Vivarium", "Apache 3.9.5", "ratio", "goal", "reached"]);
  assert.deepEqual(cells(2), [
    "reads",
    "ops/s",
    "500 (400–600)",
    "100 (50–100)",
    "5.00× (4.00–10)",
    "at least 5×",
    "yes",
  ]);
  assert.equal(cells(5)?.[3], "bare Node.js: 1,000");
  assert.equal(table(otherRows(results), names).split("\n")[0]?.includes("goal"), false);
});
