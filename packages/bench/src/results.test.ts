import assert from "node:assert/strict";
import { test } from "node:test";
import type { Contender } from "./contender.ts";
import { scales } from "./part.ts";
import { ResultsCollector, resultsText } from "./results.ts";

const contender = (role: Contender["role"], name: string): Contender => ({
  role,
  name,
  start: () => Promise.reject(new Error("not in this test")),
  startEnsemble: () => Promise.reject(new Error("not in this test")),
  remove: () => {},
});

test("raw numbers are text that reads back as the same, one measurement a line", () => {
  const about = { date: "2026-01-02", machine: "m", commit: "c", scale: scales.quick };
  const collector = new ResultsCollector(about, [contender("ours", "vivarium"), contender("theirs", "Apache")]);
  const reads = { key: "reads", title: "reads", unit: "ops/s", better: "more" } as const;
  collector.record({ part: "speed", role: "ours", turn: 1 }, { ...reads, value: 123_456.789 });
  collector.record({ part: "speed", role: "theirs", turn: 1 }, { ...reads, value: 2 });
  collector.draw("ours", { plot: "memory", name: "resident", points: [[1, 1 / 3]] });
  collector.remark("vivarium", "the generator was busy");
  collector.remark("vivarium", "the generator was busy");
  const text = resultsText(collector.results);
  assert.deepEqual(JSON.parse(text), {
    ...about,
    names: { ours: "vivarium", theirs: "Apache" },
    figures: { reads: { title: "reads", unit: "ops/s", better: "more", part: "speed" } },
    measurements: [
      { role: "ours", turn: 1, key: "reads", value: 123_457 },
      { role: "theirs", turn: 1, key: "reads", value: 2 },
    ],
    lines: [{ plot: "memory", name: "resident", points: [[1, 0.333333]], role: "ours" }],
    remarks: ["vivarium: the generator was busy"],
  });
  assert.ok(text.includes('\n    {"role":"ours","turn":1,"key":"reads","value":123457},\n'));
});
