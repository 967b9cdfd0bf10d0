// `npm run crash -- --rounds 200`: SIGKILL at chosen moments under writers who remember what was acknowledged.
import process from "node:process";
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    "seconds-per-round": { type: "string", default: "0.4" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log("usage: npm run crash -- [--rounds 200] [--seed S] [--seconds-per-round 0.4]");
  process.exit(0);
}

setup();
const { crashTrial } = await import("../packages/trials/dist/index.js");

const rounds = Number(values.rounds);
const seed = Number(values.seed);
const startMs = performance.now();
console.log(`crash: ${rounds} rounds, seed ${seed}`);

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const summary = (report) => {
  const { acknowledged, inDoubt, carriedOut, kills, unfinishedSnapshots, recoveryMs } = report;
  return [
    `rounds                 ${report.rounds} in ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
    `acknowledged writes    ${acknowledged}, all there`,
    `in doubt at a kill     ${inDoubt}, of which carried out ${carriedOut}, each wholly`,
    `kills                  ${Object.entries(kills)
      .map(([moment, count]) => `${count} ${moment}`)
      .join(", ")}`,
    `unfinished snapshots   ${unfinishedSnapshots} left behind and ignored`,
    `start to first session ${middle(recoveryMs).toFixed(0)} ms median, ${Math.max(...recoveryMs).toFixed(0)} ms longest`,
  ].join("\n");
};

try {
  const report = await crashTrial({
    rounds,
    seed,
    secondsPerRound: Number(values["seconds-per-round"]),
    onRound: (report) => {
      if (report.rounds % 20 === 0)
        console.log(`  ${report.rounds} rounds, ${report.acknowledged} acknowledged writes`);
    },
  });
  console.log(summary(report));
} catch (error) {
  console.error(`crash: FAILED\n${error.message}`);
  process.exit(1);
}
