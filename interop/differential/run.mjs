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
import { scenarios } from "./scenarios.mjs";
import { serverNames } from "./servers.mjs";
import { shrink } from "./shrink.mjs";

const usage = `usage: node interop/differential/run.mjs [--seeds N] [--seed N] [--ops N] [--against A,B] [--shrink]
  --seeds N      how many seeds, from --seed on (default 50 and the scenarios; 1 with --seed)
  --seed N       the first seed (default 1)
  --ops N        operations of each seed (default 2000)
  --against A,B  which servers, of ${serverNames.join(", ")} (default apache,vivarium)
  --scenario S   only one list written by hand: ${scenarios.map(({ name }) => name).join(", ")}
  --steps FILE   play a list of steps that --shrink has written instead
  --shrink       leave out steps while the first difference persists, and write the rest to a file
  --verbose      a line for every list
  --strict       also fail when an accepted difference was never met`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    ops: { type: "string", default: "2000" },
    against: { type: "string", default: "apache,vivarium" },
    scenario: { type: "string" },
    steps: { type: "string" },
    shrink: { type: "boolean" },
    strict: { type: "boolean" },
    verbose: { type: "boolean" },
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

/**
 * What is to be played: the scenarios and the seeds, or what the options pick. On every fifth seed the servers have
 * only the features that are on by default.
 * @returns {{name: string, steps: object[], settings?: object, retries?: number, again: string}[]}
 */
function plays() {
  if (values.steps !== undefined) {
    const steps = JSON.parse(readFileSync(values.steps, "utf8"));
    return [{ name: values.steps, steps, again: `--steps ${values.steps}` }];
  }
  if (values.scenario !== undefined) return scenarioPlays().filter(({ name }) => name === values.scenario);
  const ops = Number(values.ops);
  const first = Number(values.seed ?? 1);
  const count = Number(values.seeds ?? (values.seed === undefined ? 50 : 1));
  const seeds = Array.from({ length: count }, (_, i) => first + i).map((seed) => ({
    name: `seed ${seed}`,
    steps: generate({ seed, ops }),
    settings: { isPlain: seed % 5 === 0 },
    again: `--seed ${seed} --ops ${ops}`,
  }));
  return values.seed === undefined ? [...scenarioPlays(), ...seeds] : seeds;
}

const scenarioPlays = () =>
  scenarios.map(({ name, steps, properties, retries }) => ({
    name,
    steps,
    retries,
    settings: { properties },
    again: `--scenario ${name}`,
  }));

const comparer = new Comparer();
const differences = new Map();

async function failed(play, difference) {
  console.log(describe({ play, names, difference }));
  differences.set(difference.signature, (differences.get(difference.signature) ?? 0) + 1);
  if (!values.shrink) return;
  const log = (line) => console.log(`  shrink: ${line}`);
  const small = await shrink({ ...play, names, difference, log });
  const file = join(cached("differential"), `${play.name.replaceAll(/\W+/g, "-")}.json`);
  writeFileSync(file, `[\n${small.steps.map((step) => JSON.stringify(step)).join(",\n")}\n]\n`);
  const again = `--steps ${file}`;
  console.log(describe({ play: { ...play, ...small, again }, names, context: small.steps.length, ...small }));
}

async function playAgain({ name, steps, settings }) {
  console.log(`${name}: a difference, which may be one of timing; once more`);
  const pair = await startPair(names, settings);
  try {
    return await duel({ steps, pair, comparer });
  } finally {
    await pair.remove();
  }
}

const startedMs = Date.now();
const list = plays();
let operations = 0;
let next = startPair(names, list[0]?.settings);
for (const [i, play] of list.entries()) {
  const pair = await next;
  next = i + 1 < list.length ? startPair(names, list[i + 1].settings) : undefined;
  try {
    let result = await duel({ steps: play.steps, pair, comparer });
    for (let left = play.retries ?? 0; left > 0 && result.difference; left--) result = await playAgain(play);
    operations += result.operations;
    if (values.verbose) console.log(`${play.name}: ${result.operations} operations`);
    if (result.difference) await failed(play, result.difference);
  } finally {
    await pair.remove();
  }
}

const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
const unmet = [...comparer.met].filter(([, count]) => count === 0).map(([name]) => name);
for (const [name, count] of comparer.met) if (count > 0) console.log(`  accepted: ${name} ${count} times`);
if (unmet.length > 0) console.log(`  never met: ${unmet.join(", ")}`);
for (const [signature, count] of differences) console.log(`  DIFFERENT in ${count}: ${signature}`);
const verdict = differences.size === 0 ? "no unexplained difference" : `${differences.size} kinds of difference`;
console.log(
  `differential: ${verdict} in ${operations} operations of ${list.length} lists on ${names.join(" and ")}, ${seconds} s`,
);
process.exit(differences.size > 0 || (values.strict && unmet.length > 0) ? 1 : 0);
