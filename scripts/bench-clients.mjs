// `npm run bench -- --clients`: our client beside the two of npm, in turns, on one server: 1 KiB get and set, one after the
// other and 500 at a time. Medians over the turns of calls per second, CPU time of the client and bytes allocated per call.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { clients } from "../interop/clients.mjs";
import { startApache } from "../interop/lib/apache.mjs";
import { startVivarium } from "../interop/lib/vivarium.mjs";
import { root, setup } from "./setup.mjs";

const ours = "@vivarium/client";
const names = ["vivarium", "node-zookeeper-client", "zookeeper"];
const servers = { vivarium: startVivarium, apache: startApache };
const run = promisify(execFile);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Young generation so large that the allocation rows see no collection. */
const flags = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];

async function measure(name, hostPort, ops) {
  const worker = join(root, "scripts", "bench-clients", "worker.mjs");
  const { stdout } = await run(process.execPath, [...flags, worker, name, hostPort, String(ops)]);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** All turns of every client: its rows, by name. */
async function measureAll(server, { turns, ops }) {
  const results = Object.fromEntries(names.map((name) => [name, []]));
  // The first run only warms the server up; then every client comes first in turn.
  await measure("vivarium", server.hostPort, ops);
  for (let turn = 0; turn < turns; turn++) {
    for (let at = 0; at < names.length; at++) {
      const name = names[(turn + at) % names.length];
      results[name].push(await measure(name, server.hostPort, ops));
      console.log(`  turn ${turn + 1} ${name}`);
    }
  }
  return results;
}

/** The medians of one row, per client. */
function mediansOf(results, at) {
  const of = (name, key) => median(results[name].map((rows) => rows[at][key]).filter((number) => number !== null));
  return names.map((name) => ({
    perSecond: of(name, "perSecond"),
    cpuUs: of(name, "cpuUs"),
    bytes: of(name, "bytes"),
  }));
}

const cell = ({ perSecond, cpuUs, bytes }) =>
  `${Math.round(perSecond)} op/s, ${cpuUs.toFixed(1)} µs, ${bytes === undefined ? "?" : Math.round(bytes)} B`;

/** Figures of one row in which another client is ahead of ours. */
function behind(row, [mine, ...others]) {
  return names.slice(1).flatMap((name, at) => {
    const { perSecond, cpuUs, bytes } = others[at];
    const lost = [
      mine.perSecond < perSecond && "calls per second",
      mine.cpuUs > cpuUs && "CPU time",
      mine.bytes > bytes && "bytes",
    ];
    return lost.filter(Boolean).map((what) => `${row}: ${name} is ahead in ${what}`);
  });
}

/**
 * @param {object} plan
 * @param {number} plan.turns
 * @param {number} plan.ops calls of a pipelined row; sequential ones are fewer
 * @param {"vivarium" | "apache"} plan.serverName
 * @param {boolean} plan.writesDocs
 */
export async function benchClients({ turns, ops, serverName, writesDocs }) {
  setup();
  await clients.find(({ name }) => name === "zookeeper").prepare();
  const dataDir = mkdtempSync(join(tmpdir(), "vivarium-bench-clients-"));
  // Clients are compared, not the disk, which would decide the sequential sets by its moods.
  const server = await servers[serverName]({ dataDir, config: { forceSync: "no" } });
  let results;
  try {
    results = await measureAll(server, { turns, ops });
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  const rows = results.vivarium[0].map(({ row }, at) => ({ row, medians: mediansOf(results, at) }));
  const lines = rows.map(({ row, medians }) => `| ${row} | ${medians.map(cell).join(" | ")} |`);
  const table = [`| 1 KiB | ${[ours, ...names.slice(1)].join(" | ")} |`, "|--|--|--|--|", ...lines].join("\n");
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node.js ${process.versions.node}`;
  const about = `Medians of ${turns} turns against ${serverName === "vivarium" ? "Vivarium" : "Apache ZooKeeper 3.9.5"}; ${machine}.`;
  console.log(`\n${table}\n\n${about}`);
  const lost = rows.flatMap(({ row, medians }) => behind(row, medians));
  console.log(lost.length === 0 ? "Ours is ahead in every figure." : lost.join("\n"));
  if (writesDocs) {
    const page = join(root, "docs", "client.md");
    const { replaceBetweenMarks } = await import("../packages/bench/dist/index.js");
    writeFileSync(page, replaceBetweenMarks(readFileSync(page, "utf8"), `${table}\n\n${about}`));
    console.log(`wrote ${page}`);
  }
}
