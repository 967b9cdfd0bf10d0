// `npm run interop`: programs other people wrote, run against Apache ZooKeeper 3.9.5 and against Vivarium, and data
// directories moved between the two. Prints a table; the exit code is 0 only if everything passed.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { clientApache } from "./client-apache.mjs";
import { clientEnsemble } from "./client-ensemble.mjs";
import { clients } from "./clients.mjs";
import { moves } from "./data-moves.mjs";
import { differential } from "./differential/index.mjs";
import { ensembles } from "./ensembles/index.mjs";
import { words } from "./four-letter-words.mjs";
import { javaClasspath, startApache } from "./lib/apache.mjs";
import { must, run } from "./lib/command.mjs";
import { repoDir } from "./lib/paths.mjs";
import { startProxy } from "./lib/proxy.mjs";
import { startVivarium } from "./lib/vivarium.mjs";
import { everythingProperties } from "./lib/write-everything.mjs";
import { vitest } from "./vitest.mjs";

const usage = `usage: npm run interop -- [--only name,...] [--against apache|vivarium|both] [--verbose] [--long] [--prepare]
  --only      ${[...clients, vitest, clientApache, clientEnsemble, ensembles, moves, words, differential].map(({ name }) => name).join(", ")}
  --against   which servers (default both)
  --verbose   show every check and the programs' own output
  --long      more of what takes long: ensembles with larger trees and more turns
  --prepare   only fetch and build
  --no-build  run Vivarium as it was built last`;

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    against: { type: "string", default: "both" },
    verbose: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
    prepare: { type: "boolean", default: false },
    "no-build": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const servers = { apache: startApache, vivarium: startVivarium };

function chosen() {
  const names = options.only?.split(",");
  const known = [...clients, vitest, clientApache, clientEnsemble, ensembles, moves, words, differential];
  const wrong = names?.find((name) => !known.some((each) => each.name === name));
  if (wrong) throw new Error(`--only ${wrong}: there is no such client\n${usage}`);
  if (!["both", ...Object.keys(servers)].includes(options.against))
    throw new Error(`--against ${options.against}\n${usage}`);
  return {
    list: clients.filter(({ name }) => names?.includes(name) ?? true),
    withVitest: names?.includes(vitest.name) ?? true,
    withApache: names?.includes(clientApache.name) ?? true,
    withEnsemble: names?.includes(clientEnsemble.name) ?? true,
    withEnsembles: names?.includes(ensembles.name) ?? true,
    withMoves: names?.includes(moves.name) ?? true,
    withWords: names?.includes(words.name) ?? true,
    withDifferential: names?.includes(differential.name) ?? true,
    against: options.against === "both" ? Object.keys(servers) : [options.against],
  };
}

/** Reads the lines a client's program printed. */
function readChecks({ stdout, code, signal, timedOut, stderr }) {
  const lines = stdout.split("\n");
  const ok = lines.filter((line) => line.startsWith("ok ")).map((line) => line.slice(3));
  const failures = lines.filter((line) => line.startsWith("FAIL ")).map((line) => line.slice(5));
  const isComplete = lines.some((line) => line.startsWith("passed "));
  if (!isComplete || (code !== 0 && failures.length === 0)) {
    const how = timedOut ? "did not end in time" : `ended with ${code ?? signal}`;
    failures.push(`the program ${how}: ${stderr.trim().split("\n").slice(-3).join(" | ").slice(0, 600)}`);
  }
  return { ok, failures };
}

/** Runs one client's program against a server of its own. */
async function runClient(client, serverName) {
  const startedAt = Date.now();
  const server = await servers[serverName]({ config: { tickTime: 500 }, properties: everythingProperties });
  const proxy = await startProxy(server);
  try {
    const target = {
      address: `127.0.0.1:${proxy.port}`,
      controlPort: String(proxy.controlPort),
      direct: server.hostPort,
    };
    const { file, args, env } = await client.command(target);
    const result = await run(file, args, { env, timeoutMs: 120_000 });
    if (options.verbose) console.log(`--- ${client.name} against ${serverName}\n${result.stdout}${result.stderr}`);
    const checks = readChecks(result);
    if (server.hasExited) checks.failures.push(`the server ended: ${server.output.slice(-600)}`);
    return { ...checks, seconds: (Date.now() - startedAt) / 1000 };
  } finally {
    proxy.stop();
    await server.stop();
    rmSync(server.dataDir, { recursive: true, force: true });
  }
}

const failed = (problem) => ({ ok: [], failures: [String(problem.message ?? problem)], seconds: 0 });

/** Fetches and builds what a client needs; a client that cannot be had is a failure, said loudly. */
async function prepareAll(list) {
  const broken = new Map();
  for (const client of list) {
    await client.prepare().catch((problem) => {
      console.error(`interop: ${client.title} cannot be prepared: ${problem.message}`);
      broken.set(client.name, problem);
    });
  }
  return broken;
}

const cell = ({ ok, failures, seconds, skipped }) =>
  skipped !== undefined
    ? "SKIPPED"
    : `${failures.length === 0 ? "passed" : "FAILED"} ${ok.length}/${ok.length + failures.length} ${seconds.toFixed(1)} s`;

function printTable(rows, against) {
  const width = Math.max(...rows.map(({ title }) => title.length));
  console.log(`\n${"".padEnd(width)}  ${against.map((name) => name.padEnd(24)).join("")}`);
  for (const { title, results } of rows) {
    const cells = against.map((name) => (results[name] ? cell(results[name]) : "-").padEnd(24));
    console.log(`${title.padEnd(width)}  ${cells.join("")}`.trimEnd());
  }
  const lines = rows.flatMap(({ title, results }) =>
    Object.entries(results).flatMap(([name, { failures }]) =>
      failures.map((line) => `${title} against ${name}: ${line}`),
    ),
  );
  if (lines.length > 0) console.log(`\n${lines.length} failed:\n${lines.join("\n")}`);
  return lines.length === 0;
}

async function main() {
  if (options.help) {
    console.log(usage);
    return true;
  }
  const { list, withVitest, withApache, withEnsemble, withEnsembles, withMoves, withWords, withDifferential, against } =
    chosen();
  if (against.includes("vivarium") && !options["no-build"]) {
    await must(process.execPath, [join(repoDir, "scripts", "setup.mjs")]);
  }
  await javaClasspath();
  const broken = await prepareAll(list);
  if (options.prepare) return broken.size === 0;
  const rows = [];
  for (const client of list) {
    const results = {};
    for (const name of against) {
      const problem = broken.get(client.name);
      results[name] = problem ? failed(problem) : await runClient(client, name).catch(failed);
      console.log(`${client.title} against ${name}: ${cell(results[name])}`);
    }
    rows.push({ title: client.title, results });
  }
  if (withVitest) rows.push(...(await vitest.run({ against })));
  if (withApache) rows.push(...(await clientApache.run({ against, verbose: options.verbose })));
  if (withEnsemble) rows.push(...(await clientEnsemble.run({ against, verbose: options.verbose })));
  if (withEnsembles && against.includes("vivarium")) rows.push(...(await ensembles.run(options)));
  if (withMoves) rows.push(...(await moves.run({ against, verbose: options.verbose })));
  if (withWords && against.includes("vivarium")) rows.push(...(await words.run({ verbose: options.verbose })));
  if (withDifferential && against.includes("vivarium"))
    rows.push(...(await differential.run({ verbose: options.verbose })));
  return printTable(rows, against);
}

process.exitCode = (await main()) ? 0 : 1;
