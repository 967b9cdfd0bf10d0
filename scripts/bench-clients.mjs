// `node scripts/bench-clients.mjs`: our client beside the two of npm, in turns, on one server: 1 KiB get and set, one
// after the other and 500 at a time. Medians over the turns. Needs what `npm run interop -- --prepare --only zookeeper` fetches.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs, promisify } from "node:util";
import { startApache } from "../interop/lib/apache.mjs";
import { startVivarium } from "../interop/lib/vivarium.mjs";
import { root } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    turns: { type: "string", default: "3" },
    ops: { type: "string", default: "20000" },
    server: { type: "string", default: "vivarium" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log("usage: node scripts/bench-clients.mjs [--turns 3] [--ops 20000] [--server vivarium|apache]");
  process.exit(0);
}

const names = ["vivarium", "node-zookeeper-client", "zookeeper"];
const run = promisify(execFile);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Young generation so large that the allocation rows see no collection. */
const flags = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];

async function measure(name, hostPort) {
  const worker = join(root, "scripts", "bench-clients", "worker.mjs");
  const { stdout } = await run(process.execPath, [...flags, worker, name, hostPort, values.ops]);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

const dataDir = mkdtempSync(join(tmpdir(), "vivarium-bench-clients-"));
const start = { vivarium: startVivarium, apache: startApache }[values.server];
const server = await start({ dataDir });
const turns = Object.fromEntries(names.map((name) => [name, []]));
try {
  // The first run only warms the server up; then every client comes first in turn.
  await measure("vivarium", server.hostPort);
  for (let turn = 0; turn < Number(values.turns); turn++) {
    for (let at = 0; at < names.length; at++) {
      const name = names[(turn + at) % names.length];
      turns[name].push(await measure(name, server.hostPort));
    }
  }
} finally {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

const cells = (at) => {
  const of = (name, key) => median(turns[name].map((results) => results[at][key]).filter((number) => number !== null));
  return names.map((name) => {
    const [perSecond, cpuUs, bytes] = [of(name, "perSecond"), of(name, "cpuUs"), of(name, "bytes")];
    return `${Math.round(perSecond)} op/s, ${cpuUs.toFixed(1)} µs, ${bytes === undefined ? "?" : Math.round(bytes)} B`;
  });
};
console.log(`| 1 KiB | ${["@vivarium/client", ...names.slice(1)].join(" | ")} |\n|--|--|--|--|`);
for (const [at, { row }] of turns.vivarium[0].entries()) console.log(`| ${row} | ${cells(at).join(" | ")} |`);
