import assert from "node:assert/strict";
import { test } from "node:test";
import { ensembleCrashTrial } from "./ensemble-trial.ts";

test("three servers keep what they acknowledged when one after the other is killed", { timeout: 120_000 }, async () => {
  const report = await ensembleCrashTrial({ rounds: 3, seed: 5, secondsPerRound: 0.4 });
  assert.equal(report.rounds, 3);
  assert.ok(report.acknowledged > 0);
  assert.ok(report.znodes > 0);
  assert.equal(report.gapsMs.leader.length + report.gapsMs.follower.length, 3);
});
