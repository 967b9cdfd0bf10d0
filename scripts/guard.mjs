// `npm run guard`: what one request costs, counted, beside its budget; fails when a hot path has become worse.
import process from "node:process";
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    budget: { type: "boolean" },
    help: { type: "boolean" },
  },
});

setup();
const { asCode, besideBudgets, budgets, compare, figures, HEAP_MEASURED_ON_NODE, measureAll, workloads } = await import(
  "../packages/guard/dist/index.js"
);

if (values.help) {
  console.log(`usage: npm run guard -- [--only WORD] [--budget]
What a request costs, counted: the same numbers in each run, however busy the machine is.
  --only WORD  only the workloads whose name contains it; may be given several times
  --budget     prints the rows of packages/guard/src/budgets.ts as they would have to be now

${figures.map(({ name, about, per }) => `  ${name.padEnd(13)} ${about}, per ${per === 1 ? "request" : `${per} requests (${name}/k)`}`).join("\n")}`);
  process.exit(0);
}

const names = workloads
  .map(({ name }) => name)
  .filter((name) => values.only.length === 0 || values.only.some((word) => name.includes(word)));
if (names.length === 0) {
  console.error(`No workload's name contains ${values.only.join(" or ")}.`);
  process.exit(1);
}

const startMs = performance.now();
const found = await measureAll({ names });
const measured = new Map(names.map((name) => [name, found.get(name).figures]));
if (values.budget) {
  console.log(asCode(measured));
  process.exit(0);
}

const judgesHeap = Number(process.versions.node.split(".")[0]) === HEAP_MEASURED_ON_NODE;
const worse = [];
const better = [];
for (const workload of names) {
  const verdict = compare({ workload, measured: found.get(workload), budget: budgets.get(workload), judgesHeap });
  worse.push(...verdict.worse);
  better.push(...verdict.better);
}
console.log(besideBudgets(measured, budgets));
console.log(
  `\n${names.length} workloads in ${((performance.now() - startMs) / 1000).toFixed(0)} s; where two numbers differ, the budget is in brackets`,
);
if (!judgesHeap) console.log(`the heap is not judged: its budgets are for Node.js ${HEAP_MEASURED_ON_NODE}`);
for (const { text } of better) console.log(`better  ${text}`);
for (const { text } of worse) console.error(`WORSE   ${text}`);
if (worse.length > 0) console.error(`guard: ${worse.length} figures are over budget`);
process.exit(worse.length > 0 ? 1 : 0);
