// `npm run sim -- --seed N [--count M] [--servers 1,3,5] [--trace]`: whole worlds of servers and clients under one seed.
import process from "node:process";
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

const usage = `usage: npm run sim -- [--seed N] [--count M] [--servers 1] [--worlds mixed] [--trace] [--seconds S]
               [--workers W] [--keep-going]
  --seed N      the first seed; without it, one from the clock
  --count M     so many seeds, on all cores. Default 1
  --servers S   how many servers a world has, or several numbers, taken in turn: 3,5. Default 1
  --worlds K    long: half a minute in which slow things happen; short: a few seconds full of faults; mixed: the seed
                chooses, mostly short. Default mixed
  --trace       prints every line of the trace (one seed)
  --seconds S   begins no more seeds after this time
  --workers W   processes. Default: one per core
  --keep-going  does not stop at the first violation`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    count: { type: "string", default: "1" },
    servers: { type: "string", default: "1" },
    worlds: { type: "string", default: "mixed" },
    trace: { type: "boolean", default: false },
    seconds: { type: "string" },
    workers: { type: "string" },
    "keep-going": { type: "boolean", default: false },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

setup();
const { describeTally, runBatch, runSeed, story, WORLD_SIZES } = await import("../packages/simulator/dist/index.js");

const PROGRESS_MS = 10_000;
/** How many violations are told in full, as soon as they are found. */
const STORIES = 3;
const seed = Number(values.seed);
const count = Number(values.count);
const servers = values.servers.split(",").map(Number);
const { worlds } = values;
if (!WORLD_SIZES.includes(worlds) || ![seed, count, ...servers].every((number) => Number.isSafeInteger(number))) {
  console.error(usage);
  process.exit(2);
}
const startMs = performance.now();

/** One seed, in this process. */
async function one() {
  const print = values.trace ? (line) => console.log(line) : undefined;
  const report = await runSeed({ seed, servers: servers[0], worlds, print });
  const { hash, events, simulatedMs, operations, acknowledged, violation } = report;
  console.log(
    `seed=${seed} hash=${hash} ${violation === null ? "ok" : "VIOLATION"}: ${(simulatedMs / 1000).toFixed(1)} s simulated, ` +
      `${events} events, ${operations} calls, ${acknowledged} answered with success`,
  );
  if (violation !== null) console.error(`\n${story(report)}`);
  return violation === null;
}

async function many() {
  let printedMs = startMs;
  let told = 0;
  console.log(`sim: ${count} seeds from ${seed} on, servers ${servers.join(" and ")}, worlds ${worlds}`);
  const tally = await runBatch({
    firstSeed: seed,
    count,
    servers,
    worlds,
    stopAtFailure: !values["keep-going"],
    ...(values.seconds === undefined ? {} : { limitSeconds: Number(values.seconds) }),
    ...(values.workers === undefined ? {} : { workers: Number(values.workers) }),
    onProgress: ({ seeds, simulatedMs, failures }) => {
      for (const failure of failures.slice(told, STORIES)) console.error(`\n${failure.story}\n`);
      told = failures.length;
      const nowMs = performance.now();
      if (nowMs - printedMs < PROGRESS_MS) return;
      printedMs = nowMs;
      const hours = (simulatedMs / 3_600_000).toFixed(1);
      const passed = ((nowMs - startMs) / 1000).toFixed(0);
      console.log(`  ${passed} s: ${seeds} of ${count} seeds, ${hours} hours simulated, ${failures.length} violations`);
    },
  });
  console.log(describeTally(tally, (performance.now() - startMs) / 1000));
  return tally.failures.length === 0;
}

const good = count === 1 ? await one() : await many();
process.exit(good ? 0 : 1);
