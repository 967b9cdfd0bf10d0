import assert from "node:assert/strict";
import { test } from "node:test";
import { opsPerSecond } from "@vivarium/load";
import type { Contender, Role } from "./contender.ts";
import { everyTurn, oneTurn, type Part, type Stage, scales } from "./part.ts";
import { ResultsCollector } from "./results.ts";
import { runParts } from "./run-parts.ts";

const contender = (role: Role): Contender => ({
  role,
  name: role,
  start: () => Promise.reject(new Error("not in this test")),
  startEnsemble: () => Promise.reject(new Error("not in this test")),
  remove: () => {},
});

const part = (name: string, more: Partial<Part>): Part => ({
  name,
  about: name,
  roles: ["ours", "theirs"],
  turns: everyTurn,
  run: async ({ record }: Stage) => record(opsPerSecond(name, name, 1)),
  ...more,
});

/** Runs the parts and tells what was run in which order. */
async function orderOf(...parts: Part[]) {
  const contenders = [contender("ours"), contender("theirs"), contender("bare")];
  const scale = { ...scales.quick, turns: 2 };
  const collector = new ResultsCollector({ date: "d", machine: "m", commit: "c", scale }, contenders);
  const failures: string[] = [];
  await runParts({
    ...{ contenders, parts, scale, collector, zkload: "zkload", onProgress: () => {}, onFigure: () => {} },
    onFailure: (where, error) => failures.push(`${where}: ${(error as Error).message}`),
  });
  return { order: collector.results.measurements.map(({ key, turn, role }) => `${key} ${turn} ${role}`), failures };
}

test("the contenders take turns within each part, those that it is about", async () => {
  const { order, failures } = await orderOf(
    part("a", {}),
    part("b", { turns: oneTurn, roles: ["ours", "theirs", "bare"] }),
  );
  assert.deepEqual(order, ["a 1 ours", "a 1 theirs", "a 2 ours", "a 2 theirs", "b 1 ours", "b 1 theirs", "b 1 bare"]);
  assert.deepEqual(failures, []);
});

test("a run that fails is told, and the others go on", async () => {
  const broken = part("a", {
    async run({ contender: { role }, record }) {
      if (role === "ours") throw new Error("no disk");
      record(opsPerSecond("a", "a", 1));
    },
  });
  const { order, failures } = await orderOf(broken, part("b", { turns: oneTurn }));
  assert.deepEqual(order, ["a 1 theirs", "a 2 theirs", "b 1 ours", "b 1 theirs"]);
  assert.deepEqual(failures, ["a, turn 1, ours: no disk", "a, turn 2, ours: no disk"]);
});
