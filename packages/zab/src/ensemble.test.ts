import { test } from "node:test";
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
