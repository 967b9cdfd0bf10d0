import assert from "node:assert/strict";
import { test } from "node:test";
import { replaceTable, spread, summarise, table } from "./summary.ts";

const spreads = [
  { values: [3], median: 3, least: 3, most: 3 },
  { values: [5, 1, 3], median: 3, least: 1, most: 5 },
  { values: [4, 1, 2, 10], median: 3, least: 1, most: 10 },
];
for (const { values, ...expected } of spreads) {
  test(`the spread of ${values}`, () => assert.deepEqual(spread(values), expected));
}

const measurements = [
  { server: "ours", turn: 1, metric: "reads", value: 30_000 },
  { server: "theirs", turn: 1, metric: "reads", value: 20_000 },
  { server: "ours", turn: 1, metric: "restart", value: 2 },
  { server: "theirs", turn: 1, metric: "restart", value: 5 },
  { server: "ours", turn: 1, metric: "writes", value: 5 },
] as const;

test("better is above 1 whichever way a metric counts, and what only one server has is left out", () => {
  const rows = summarise(measurements, { ours: "ours", theirs: "theirs" });
  assert.deepEqual(
    rows.map(({ metric, better }) => [metric, better]),
    [
      ["reads", 1.5],
      ["restart", 2.5],
    ],
  );
});

test("a table has one line per row, below two of head", () => {
  const lines = table(summarise(measurements, { ours: "ours", theirs: "theirs" })).split("\n");
  assert.equal(lines.length, 4);
  assert.match(lines[2] ?? "", /^\| 100 % reads, 50 connections +\| ops\/s \| 30,000 +\| 20,000 /);
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
});

test("only what stands between a page's marks is replaced", () => {
  const page = "before <!-- bench:begin --> old <!-- bench:end --> after";
  assert.equal(replaceTable(page, "new"), "before <!-- bench:begin -->\n\nnew\n\n<!-- bench:end --> after");
  assert.throws(() => replaceTable("no marks", "new"), /no <!-- bench:begin -->/);
});
