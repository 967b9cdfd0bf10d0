// `npm run bench`: ours and Apache ZooKeeper 3.9.5 in turns on this machine, with the same load generator.
// Needs Linux, a C compiler, Java and Maven; Apache's jars go to interop's cache. Raw numbers are kept under .cache/bench.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { startApache } from "../interop/lib/apache.mjs";
import { startEnsemble } from "../interop/lib/ensemble.mjs";
import { startVivarium } from "../interop/lib/vivarium.mjs";
import { root, setup } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    clients: { type: "boolean" },
    ops: { type: "string" },
    server: { type: "string" },
    quick: { type: "boolean" },
    turns: { type: "string" },
    seconds: { type: "string" },
    znodes: { type: "string" },
    only: { type: "string" },
    "write-docs": { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(`usage: npm run bench -- [--quick] [--turns 3] [--seconds 8] [--znodes 1000000] [--only single|ensemble] [--write-docs]
--quick: one turn of 2 seconds each, 100,000 znodes. --write-docs: puts the table into docs/performance.md.
usage: npm run bench -- --clients [--turns 3] [--ops 20000] [--server vivarium|apache] [--write-docs]
our client beside the two of npm, on one server. --write-docs: puts the table into docs/client.md.`);
  process.exit(0);
}
if (values.clients) {
  const { benchClients } = await import("./bench-clients.mjs");
  await benchClients({
    turns: Number(values.turns ?? 3),
    ops: Number(values.ops ?? 20_000),
    serverName: values.server ?? "vivarium",
    writesDocs: values["write-docs"] ?? false,
  });
  process.exit(0);
}
const defaults = values.quick ? { turns: 1, seconds: 2, znodes: 100_000 } : { turns: 3, seconds: 8, znodes: 1_000_000 };
const plan = {
  turns: Number(values.turns ?? defaults.turns),
  seconds: Number(values.seconds ?? defaults.seconds),
  znodes: Number(values.znodes ?? defaults.znodes),
  parts: { single: values.only !== "ensemble", ensemble: values.only !== "single" },
};

setup();
const { buildZkload, measure, metrics, replaceTable, summarise, table } = await import(
  "../packages/bench/dist/index.js"
);

const config = { maxClientCnxns: 0 };
const remove = (dataDir) => rmSync(dataDir, { recursive: true, force: true });
const contender = (name, start, more = {}) => ({
  name,
  start: (dataDir) => start({ config, wait: false, ...more, ...(dataDir === undefined ? {} : { dataDir }) }),
  startEnsemble: async () => {
    const ensemble = await startEnsemble({ kind: () => name, config: { ...config, tickTime: 2000 }, ...more });
    const end = async () => {
      await ensemble.stop();
      remove(ensemble.dir);
    };
    return { servers: ensemble.members.map(({ process }) => process), end };
  },
  remove,
});
const ours = contender("vivarium", startVivarium);
const theirs = contender("apache", startApache, { jvm: ["-Xmx2g"] });

const cache = join(root, ".cache", "bench");
const measurements = await measure({
  ...plan,
  contenders: [ours, theirs],
  zkload: await buildZkload(cache),
  onMeasurement: ({ server, turn, metric, value }) => {
    const { title, unit } = metrics[metric];
    console.log(`  turn ${turn} ${server.padEnd(8)} ${title}: ${value.toFixed(unit === "s" ? 2 : 0)} ${unit}`);
  },
});

const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Node.js ${process.versions.node}`;
mkdirSync(cache, { recursive: true });
const raw = join(cache, `${new Date().toISOString().replace(/[:.]/g, "-")}.json`);
writeFileSync(raw, `${JSON.stringify({ machine, plan, measurements }, null, 1)}\n`);

const shown = table(summarise(measurements, { ours: ours.name, theirs: theirs.name }));
const about = `${plan.turns} turns of ${plan.seconds} s each, ${plan.znodes.toLocaleString("en-US")} znodes; ${machine}.`;
console.log(`\n${shown}\n\n${about}\nRaw numbers: ${raw}`);
if (values["write-docs"]) {
  const page = join(root, "docs", "performance.md");
  writeFileSync(page, replaceTable(readFileSync(page, "utf8"), `${shown}\n\n${about}`));
  console.log(`wrote ${page}`);
}
