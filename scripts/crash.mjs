// `npm run crash -- --rounds 200`: SIGKILL at chosen moments under writers who remember what was acknowledged.
// With `--ensemble`: of a random member of three.
import process from "node:process";
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    ensemble: { type: "boolean" },
    rounds: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    "seconds-per-round": { type: "string", default: "0.4" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log("usage: npm run crash -- [--ensemble] [--rounds 200] [--seed S] [--seconds-per-round 0.4]");
  process.exit(0);
}

setup();
const { crashTrial, ensembleCrashTrial } = await import("../packages/trials/dist/index.js");

const rounds = Number(values.rounds ?? (values.ensemble ? 100 : 200));
const seed = Number(values.seed);
const startMs = performance.now();
console.log(`crash: ${rounds} rounds, seed ${seed}${values.ensemble ? ", three servers" : ""}`);

const took = () => `in ${((performance.now() - startMs) / 1000).toFixed(0)} s`;
const percentile = (numbers, part) =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))] ?? 0;
const middle = (numbers) => percentile(numbers, 0.5);
const summary = (report) => {
  const { acknowledged, inDoubt, carriedOut, kills, unfinishedSnapshots, recoveryMs } = report;
  return [
    `rounds                 ${report.rounds} ${took()}`,
    `acknowledged writes    ${acknowledged}, all there`,
    `in doubt at a kill     ${inDoubt}, of which carried out ${carriedOut}, each wholly`,
    `kills                  ${Object.entries(kills)
      .map(([moment, count]) => `${count} ${moment}`)
      .join(", ")}`,
    `unfinished snapshots   ${unfinishedSnapshots} left behind and ignored`,
    `start to first session ${middle(recoveryMs).toFixed(0)} ms median, ${Math.max(...recoveryMs).toFixed(0)} ms longest`,
  ].join("\n");
};

const spread = (ms) =>
  `${middle(ms).toFixed(0)} ms median, ${percentile(ms, 0.9).toFixed(0)} ms at the 90th percentile, ${Math.max(0, ...ms).toFixed(0)} ms longest`;
const ensembleSummary = ({ gapsMs, rejoinMs, ...report }) =>
  [
    `rounds                 ${report.rounds} ${took()}`,
    `acknowledged writes    ${report.acknowledged}, all there`,
    `in doubt at a kill     ${report.inDoubt}, of which carried out ${report.carriedOut}, each wholly`,
    `in the end             ${report.znodes} znodes, the same on all members`,
    `leader killed          ${gapsMs.leader.length} times; no writes for ${spread(gapsMs.leader)}`,
    `follower killed        ${gapsMs.follower.length} times; no writes for ${spread(gapsMs.follower)}`,
    `start to first session ${spread(rejoinMs)}`,
  ].join("\n");

const trial = values.ensemble ? ensembleCrashTrial : crashTrial;
try {
  const report = await trial({
    rounds,
    seed,
    secondsPerRound: Number(values["seconds-per-round"]),
    onRound: (report) => {
      if (report.rounds % 20 === 0)
        console.log(`  ${report.rounds} rounds, ${report.acknowledged} acknowledged writes`);
    },
  });
  console.log(values.ensemble ? ensembleSummary(report) : summary(report));
} catch (error) {
  console.error(`crash: FAILED\n${error.message}`);
  process.exit(1);
}
