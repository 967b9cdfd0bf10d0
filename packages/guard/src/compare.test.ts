import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "./compare.ts";
import type { FigureName, Figures } from "./figures.ts";

const budget: Figures = {
  heap: 1000,
  buffers: 0,
  copied: 1024,
  socketBytes: 88,
  diskBytes: 0,
  socketWrites: 50,
  diskWrites: 1,
  diskSyncs: 1,
  timers: 0,
  deferred: 2,
  turns: 2,
};
const allocators = [
  { where: "prepare tree/prepare.js:51", bytes: 700 },
  { where: "subarray", bytes: 200 },
];

/** What comes out when one figure is measured as `value`. */
function verdictOn(figure: FigureName, value: number, { judgesHeap = true, allowed = budget } = {}) {
  const measured = { figures: { ...allowed, [figure]: value }, allocators };
  const { worse, better } = compare({ workload: "setData", measured, budget: allowed, judgesHeap });
  const names = (findings: readonly { figure: string }[]) => findings.map((finding) => finding.figure);
  return { worse: names(worse), better: names(better) };
}

const same = { worse: [], better: [] };
const table: [figure: FigureName, value: number, expected: { worse: string[]; better: string[] }][] = [
  ["heap", 1000, same],
  ["heap", 1020, same],
  ["heap", 1021, { worse: ["heap"], better: [] }],
  ["heap", 960, same],
  ["heap", 940, { worse: [], better: ["heap"] }],
  ["copied", 1024.1, { worse: ["copied"], better: [] }],
  ["diskWrites", 2, { worse: ["diskWrites"], better: [] }],
  ["diskWrites", 0, { worse: [], better: ["diskWrites"] }],
  ["buffers", 0.1, { worse: ["buffers"], better: [] }],
  ["timers", 1, { worse: ["timers"], better: [] }],
];

for (const [figure, value, expected] of table) {
  test(`${figure} ${value} with a budget of ${budget[figure]}`, () => {
    assert.deepEqual(verdictOn(figure, value), expected);
  });
}

test("the heap is not judged by a budget of another V8", () => {
  assert.deepEqual(verdictOn("heap", 5000, { judgesHeap: false }), same);
});

test("where a request allocates next to nothing, one small object more is found, and less than one is not", () => {
  const allowed = { ...budget, heap: 34 };
  assert.deepEqual(verdictOn("heap", 42, { allowed }), same);
  assert.deepEqual(verdictOn("heap", 50, { allowed }), { worse: ["heap"], better: [] });
});

test("a finding names workload, figure, what was measured, the budget, and who allocates", () => {
  const measured = { figures: { ...budget, heap: 1100, copied: 512 }, allocators };
  const { worse, better } = compare({ workload: "setData", measured, budget });
  assert.deepEqual(
    worse.map(({ text }) => text),
    [
      "setData: heap 1100, budget 1000 (bytes allocated on the JavaScript heap per request)" +
        "\n    700 prepare tree/prepare.js:51\n    200 subarray",
    ],
  );
  assert.deepEqual(
    better.map(({ text }) => text),
    ["setData: copied 512, budget 1024 (bytes copied per request): lower the budget to 512"],
  );
});
