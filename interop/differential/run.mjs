// `node interop/differential/run.mjs --seeds 50 --ops 2000`: the same operations to Apache's server and to ours, and
// every answer, event, node, four-letter word and log record compared. Exit code 0 if all differences are accepted.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cached } from "../lib/paths.mjs";
import { Comparer } from "./compare.mjs";
import { duel, startPair } from "./duel.mjs";
import { generate } from "./generate.mjs";
import { describe } from "./report.mjs";
import { serverNames } from "./servers.mjs";
import { shrink } from "./shrink.mjs";

const usage = `usage: node interop/differential/run.mjs [--seeds N] [--seed N] [--ops N] [--against A,B] [--shrink]
  --seeds N      how many seeds, from --seed on (default 50; 1 with --seed)
  --seed N       the first seed (default 1)
  --ops N        operations of each seed (default 2000)
  --against A,B  which servers, of ${serverNames.join(", ")} (default apache,vivarium)
  --steps FILE   play a list of steps that --shrink has written instead
  --shrink       leave out steps while the first difference persists, and write the rest to a file
  --strict       also fail when an accepted difference was never met`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    ops: { type: "string", default: "2000" },
    against: { type: "string", default: "apache,vivarium" },
    steps: { type: "string" },
    shrink: { type: "boolean" },
    strict: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const names = values.against.split(",");
if (names.length !== 2 || names.some((name) => !serverNames.includes(name))) {
  throw new Error(`--against ${values.against}: write two of ${serverNames.join(", ")}`);
}
const ops = Number(values.ops);
const firstSeed = Number(values.seed ?? 1);
const seedCount = Number(values.seeds ?? (values.seed === undefined ? 50 : 1));

const comparer = new Comparer();
const differences = new Map();
const startedMs = Date.now();
let operations = 0;
let next = startPair(names);

for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
  const steps = values.steps === undefined ? generate({ seed, ops }) : JSON.parse(readFileSync(values.steps, "utf8"));
  const pair = await next;
  next = seed + 1 < firstSeed + seedCount ? startPair(names) : undefined;
  try {
    const result = await duel({ steps, pair, comparer });
    operations += result.operations;
    if (result.difference) await failed(seed, steps, result.difference);
  } finally {
    await pair.remove();
  }
}

async function failed(seed, steps, difference) {
  console.log(describe({ seed, ops, names, steps, difference }));
  differences.set(difference.signature, (differences.get(difference.signature) ?? 0) + 1);
  if (!values.shrink) return;
  const small = await shrink({ steps, names, difference, log: (line) => console.log(`  shrink: ${line}`) });
  const file = join(cached("differential"), `seed-${seed}.json`);
  writeFileSync(file, `[\n${small.steps.map((step) => JSON.stringify(step)).join(",\n")}\n]\n`);
  console.log(describe({ seed, ops, names, ...small, context: small.steps.length }));
  console.log(`  small:  node interop/differential/run.mjs --against ${names.join(",")} --seeds 1 --steps ${file}`);
}

const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
const unmet = [...comparer.met].filter(([, count]) => count === 0).map(([name]) => name);
console.log(
  `differential: ${operations} operations of ${seedCount} seeds against ${names.join(" and ")} in ${seconds} s`,
);
for (const [name, count] of comparer.met) console.log(`  accepted: ${name} ${count} times`);
if (unmet.length > 0) console.log(`  never met: ${unmet.join(", ")}`);
for (const [signature, count] of differences) console.log(`  DIFFERENT in ${count} seeds: ${signature}`);
if (differences.size === 0) console.log("  no unexplained difference");
process.exit(differences.size > 0 || (values.strict && unmet.length > 0) ? 1 : 0);
