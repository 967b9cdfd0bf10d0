// Whole seeds: equal seeds give equal traces, the seeds that found something stay good, and a few more are tried.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEPT_SEEDS } from "./kept-seeds.ts";
import { runSeed, type SeedOptions } from "./run-seed.ts";
import { story } from "./story.ts";

async function runGood(options: SeedOptions): Promise<void> {
  const report = await runSeed(options);
  assert.equal(report.violation, null, story(report));
}

for (const seed of [1, 2, 3]) {
  test(`seed ${seed} does the same twice, line by line`, async () => {
    const lines: string[][] = [[], []];
    const hashes = [];
    for (const printed of lines) hashes.push((await runSeed({ seed, print: (line) => printed.push(line) })).hash);
    assert.deepEqual(lines[0], lines[1]);
    assert.equal(hashes[0], hashes[1]);
  });
}

test("different seeds do different things", async () => {
  const hashes = new Set<string>();
  for (let seed = 10; seed < 14; seed++) hashes.add((await runSeed({ seed })).hash);
  assert.equal(hashes.size, 4);
});

for (const { seed, servers, worlds, found } of KEPT_SEEDS) {
  test(`seed ${seed} with ${servers} servers, which found: ${found}`, () => runGood({ seed, servers, worlds }));
}

test("a server that acknowledges what its disk may lose is found out", async () => {
  const rules = new Set<string>();
  for (let seed = 0; seed < 40 && rules.size === 0; seed++) {
    const { violation } = await runSeed({ seed, config: ["forceSync=no"] });
    if (violation !== null) rules.add(violation.rule);
  }
  assert.deepEqual([...rules], ["what is committed survives"]);
});

test("twenty more seeds", async () => {
  for (let seed = 100; seed < 120; seed++) await runGood({ seed, servers: [1, 1, 3, 5][seed % 4] ?? 1 });
});
