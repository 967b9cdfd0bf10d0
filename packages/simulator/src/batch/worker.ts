/** A process that runs portions of seeds for a batch. */
import process from "node:process";
import { runSeed, type SeedOptions, type SeedReport } from "../run-seed.ts";
import type { Portion } from "./run-batch.ts";
import { addTally, emptyTally, tallyOf } from "./tally.ts";

const STACK_LINES = 8;

process.on("message", (portion: Portion) => {
  run(portion).then(
    (tally) => process.send?.(tally),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

/** Where a program threw, the seed is run once more, so that there is a stack to show. */
async function runOne(options: SeedOptions): Promise<SeedReport> {
  const report = await runSeed(options);
  if (report.stack === "") return report;
  Error.stackTraceLimit = STACK_LINES;
  const again = await runSeed(options);
  Error.stackTraceLimit = 0;
  return again;
}

async function run({ seeds }: Portion) {
  const total = emptyTally();
  for (const options of seeds) addTally(total, tallyOf(await runOne(options)));
  return total;
}
