/** The guard itself: it gives the same numbers each time, and finds a server that has become worse. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { budgets } from "./budgets.ts";
import { compare } from "./compare.ts";
import { figures } from "./figures.ts";
import type { Measured } from "./measure.ts";
import { measureAll } from "./run-guard.ts";
import type { PlantName } from "./testing/plants.ts";
import { workloads } from "./workloads.ts";

const WORKLOAD = "setData 1 KiB";
const plantedMain = fileURLToPath(new URL("./testing/planted-main.js", import.meta.url));

async function measured(plant: PlantName): Promise<Measured> {
  const found = await measureAll({ names: [WORKLOAD], program: [plantedMain, plant] });
  return found.get(WORKLOAD) as Measured;
}

let sound: Measured;
before(async () => {
  sound = await measured("none");
});

async function worseFigures(plant: PlantName): Promise<string[]> {
  const { worse } = compare({ workload: WORKLOAD, measured: await measured(plant), budget: sound.figures });
  return worse.map(({ figure }) => figure);
}

/** What must be found at least: whatever a server does more may also take memory. */
const expected: readonly [plant: PlantName, figures: string[]][] = [
  ["copies what arrives", ["buffers", "copied"]],
  ["a closure per write", ["heap"]],
  ["another turn per write", ["deferred"]],
  ["a timer per write", ["timers"]],
  ["syncs twice", ["diskSyncs", "turns"]],
];

for (const [plant, figures] of expected) {
  test(`a server with the flaw "${plant}" is worse by ${figures.join(" and ")}`, async () => {
    const found = await worseFigures(plant);
    assert.deepEqual(
      figures.filter((figure) => found.includes(figure)),
      figures,
    );
  });
}

test("the same server measured again has the same counts, and its heap differs by less than the tolerance", async () => {
  assert.deepEqual(await worseFigures("none"), []);
});

test("every workload has a budget for every figure, and nothing else has", () => {
  assert.deepEqual(
    [...budgets.keys()],
    workloads.map(({ name }) => name),
  );
  for (const [workload, budget] of budgets)
    for (const { name } of figures) assert.equal(typeof budget[name], "number", `${workload}: ${name}`);
});
