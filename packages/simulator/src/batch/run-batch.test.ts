// A batch in worker processes does what the same seeds do here, and adds it up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "../run-seed.ts";
import { runBatch } from "./run-batch.ts";
import { addTally, describeTally, emptyTally, tallyOf } from "./tally.ts";

test("seeds do the same in a worker as in this process", async () => {
  const here = emptyTally();
  for (const [at, servers] of [1, 3, 1, 3, 1].entries())
    addTally(here, tallyOf(await runSeed({ seed: 40 + at, servers })));
  const there = await runBatch({ firstSeed: 40, count: 5, servers: [1, 3], workers: 2 });
  assert.deepEqual(
    { ...there, faults: Object.entries(there.faults).sort() },
    { ...here, faults: Object.entries(here.faults).sort() },
  );
  assert.match(describeTally(there, 2), /^seeds +5 in 2\.0 s, 2\.5 a second\n/);
});

test("no more seeds are begun after the time limit", async () => {
  const tally = await runBatch({ firstSeed: 1, count: 1000, servers: [1], workers: 1, limitSeconds: 0 });
  assert.equal(tally.seeds < 1000, true);
});
