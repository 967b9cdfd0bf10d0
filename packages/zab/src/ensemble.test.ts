/** Ensembles of the machines under a random scheduler: safe with all rules, and not without. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rules } from "./rules.ts";
import { Ensemble } from "./testing/ensemble.ts";

const SEEDS = Number(process.env["ZAB_SEEDS"] ?? 60);
const FIRST = Number(process.env["ZAB_FIRST_SEED"] ?? 1);

for (const { voters, observers } of [
  { voters: 1, observers: 1 },
  { voters: 3, observers: 0 },
  { voters: 3, observers: 1 },
  { voters: 5, observers: 0 },
]) {
  test(`${voters} voters and ${observers} observers agree, whatever happens, and recover: ${SEEDS} seeds`, () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try {
        new Ensemble({ seed, voters, observers }).run();
      } catch (error) {
        throw new Error(`seed ${seed} (ZAB_FIRST_SEED=${seed} ZAB_SEEDS=1 repeats it): ${(error as Error).message}`);
      }
    }
  });
}

const MUTANT_SEEDS = 500;

/** Rules whose absence shows within so few seeds of three voters, and from which on; the others have their transcripts. */
const mutants: readonly { off: readonly (keyof Rules)[]; from?: number }[] = [
  { off: ["epochAfterData"], from: 1300 },
  { off: ["newLeaderAckAfterFlush"] },
  { off: ["ackAfterFlush"] },
  { off: ["acceptedEpochFirst"] },
  { off: ["noAckBeforeNewLeader"] },
  { off: ["keepUncommittedAtNewLeader"] },
  { off: ["syncJoinsCommittedLog"] },
  { off: ["discardUnstoredSnapshot"] },
  // Either alone saves the day: the learner notices what it was not told.
  { off: ["forwardFromDecision", "continuity"] },
];

for (const { off, from = 1 } of mutants) {
  test(`without ${off.join(" and ")} something goes wrong within ${MUTANT_SEEDS} seeds`, () => {
    const rules = Object.fromEntries(off.map((rule) => [rule, false]));
    for (let seed = from; seed < from + MUTANT_SEEDS; seed++) {
      try {
        new Ensemble({ seed, rules }).run();
      } catch {
        return;
      }
    }
    assert.fail("nothing went wrong");
  });
}
