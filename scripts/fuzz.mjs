// `npm run fuzz -- --frames 1000000 --seed 1`: malformed frames while a well-behaved client works.
import process from "node:process";
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    "max-rss-mb": { type: "string", default: "400" },
    kinds: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log("usage: npm run fuzz -- [--frames 1000000] [--seed 1] [--max-rss-mb 400] [--kinds]");
  process.exit(0);
}

setup();
const { fuzzTrial } = await import("../packages/trials/dist/index.js");

const frames = Number(values.frames);
const startMs = performance.now();
const mb = (bytes) => `${Math.round(bytes / 2 ** 20)} MB`;
let shown = 0;
console.log(`fuzz: ${frames} malformed frames, seed ${values.seed}`);
try {
  const report = await fuzzTrial({
    frames,
    seed: Number(values.seed),
    maxResidentBytes: Number(values["max-rss-mb"]) * 2 ** 20,
    onProgress: (report) => {
      if (report.frames - shown < frames / 10) return;
      shown = report.frames;
      console.log(
        `  ${report.frames} frames, ${report.answered} good requests answered, ${mb(report.residentBytesMax)}`,
      );
    },
  });
  console.log(`frames             ${report.frames} in ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  console.log(`connections        ${report.connections}`);
  console.log(`well-behaved       ${report.answered} requests, no error, longest ${report.longestMs.toFixed(0)} ms`);
  console.log(`resident memory    ${mb(report.residentBytesAtStart)} at start, ${mb(report.residentBytesMax)} at most`);
  console.log(`server log lines   ${report.serverLogLines}`);
  if (values.kinds) for (const [name, count] of [...report.kinds].sort()) console.log(`  ${count} ${name}`);
} catch (error) {
  console.error(`fuzz: FAILED\n${error.message}`);
  process.exit(1);
}
