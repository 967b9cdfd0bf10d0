// `npm run bench`: ours and Apache ZooKeeper 3.9.5 in turns on this machine; or ours at two commits; or clients.
// Needs Linux, a C compiler, Java and Maven; Apache's jars go to interop's cache. Raw numbers are kept under .cache/bench.
import process from "node:process";
import { parseArgs } from "node:util";

const options = {
  quick: { type: "boolean" },
  only: { type: "string" },
  turns: { type: "string" },
  seconds: { type: "string" },
  znodes: { type: "string" },
  compare: { type: "string" },
  "write-docs": { type: "boolean" },
  from: { type: "string" },
  clients: { type: "boolean" },
  ops: { type: "string" },
  server: { type: "string" },
  help: { type: "boolean" },
};

const help = (parts) => `usage: npm run bench -- [options]

Vivarium and Apache ZooKeeper 3.9.5 in turns on this machine; about 25 minutes on two cores.

  --quick            one turn of everything, smaller: about 5 minutes
  --only PART,...    only these parts
  --turns N          how many turns (the slow parts take half of them)
  --seconds S        of each load
  --znodes N         of the part "memory"
  --compare COMMIT   ours of this checkout beside ours at another commit, instead of Apache's
  --write-docs       puts tables, plots and raw numbers into docs/
  --from FILE        measures nothing: shows, or writes into docs/, what a file of raw numbers holds

Parts:
${parts.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n")}

usage: npm run bench -- --clients [--turns 3] [--ops 20000] [--server vivarium|apache] [--write-docs]
our client beside the two of npm, on one server. --write-docs: puts the table into docs/client.md.`;

const { values } = parseArgs({ options });
if (values.clients) {
  const { benchClients } = await import("./bench-clients.mjs");
  await benchClients({
    turns: Number(values.turns ?? 3),
    ops: Number(values.ops ?? 20_000),
    serverName: values.server ?? "vivarium",
    writesDocs: values["write-docs"] ?? false,
  });
} else {
  const { setup } = await import("./setup.mjs");
  setup();
  const { benchServers, parts } = await import("./bench/servers.mjs");
  if (values.help) console.log(help(parts));
  else await benchServers(values);
}
process.exit();
