/** A process that runs portions of seeds for a batch. */
import process from "node:process";
import { runSeed } from "../run-seed.ts";
import type { Portion } from "./run-batch.ts";
import { addTally, emptyTally, tallyOf } from "./tally.ts";

process.on("message", (portion: Portion) => {
  run(portion).then(
    (tally) => process.send?.(tally),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function run({ seeds }: Portion) {
  const total = emptyTally();
  for (const options of seeds) addTally(total, tallyOf(await runSeed(options)));
  return total;
}
