// The rows of `npm run interop` that need whole ensembles of both kinds, and a command of its own for longer ones:
//
//   node interop/ensembles/index.mjs [--title part-of-it] [--long] [--verbose]

import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { cutLinks } from "./cut-links.mjs";
import { prepareLoad } from "./load.mjs";
import { migration } from "./migration.mjs";
import { mixed } from "./mixed.mjs";

/** @param {{title?: string, long?: boolean, verbose?: boolean}} options `title`: only rows whose title has it */
async function runRows({ title: part = "", long = false, verbose = false }) {
  await prepareLoad();
  const table = [];
  for (const row of [...mixed, cutLinks, migration].filter(({ title }) => title.includes(part))) {
    const result = await row.run({ long, verbose });
    table.push({ title: row.title, results: { vivarium: result } });
    const { ok, failures, seconds, gapMs = 0, acked = 0, apacheLeaderUnsynced, skipped } = result;
    if (skipped !== undefined) {
      console.log(`${row.title}: SKIPPED: ${skipped}`);
      continue;
    }
    console.log(
      `${row.title}: ${ok.length} passed, ${failures.length} failed in ${seconds.toFixed(0)} s; ` +
        `${acked} acknowledged writes, at most ${gapMs.toFixed(0)} ms apart; ` +
        `${apacheLeaderUnsynced} reads after sync too old at an Apache leader`,
    );
    if (verbose) for (const line of failures) console.log(`  FAIL ${line}`);
  }
  return table;
}

export const ensembles = { name: "ensembles", run: runRows };

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { title: { type: "string" }, long: { type: "boolean" }, verbose: { type: "boolean" } },
  });
  const table = await runRows(values);
  const failed = table.flatMap(({ title, results }) => results.vivarium.failures.map((line) => `${title}: ${line}`));
  for (const line of failed) console.log(`FAIL ${line}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
