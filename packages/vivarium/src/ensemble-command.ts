// `vivarium ensemble`: a whole ensemble on this machine, in one terminal, for people who want to try one. Each server is
// a process of its own with a directory of its own, so that killing one is the real thing; what they say is prefixed.

import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type CommandLine, type OptionSpec, optionsHelp, planOf, UsageError, wholeNumber } from "./command-line.ts";
import { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

const options: readonly OptionSpec[] = [
  { name: "servers", value: "N", doc: "Servers that vote, 1 to 9 (default 3)" },
  { name: "observers", value: "N", doc: "Further servers that only observe (default 0)" },
  { name: "port", value: "P", doc: "Client port of the first server; the others follow (default 2181)" },
  { name: "data-dir", value: "D", doc: "Where each server gets a directory (default ./data/ensemble)" },
  { name: "set", value: "name=value", multiple: true, doc: "Any setting, for all servers" },
  { name: "help", short: "h", doc: "This text" },
];

const help = `Runs a whole ensemble on this machine, to try one.

  vivarium ensemble [--servers 3] [options]

${optionsHelp(options)}

Each server is a process of its own: kill one, and watch the others carry on. A server that ends is started again.
Ctrl-C stops them all; the data stays, and the next start goes on with it.
`;

const HOST = "127.0.0.1";
/** From a server's client port to the ports on which it speaks with the others. */
const QUORUM_OFFSET = 1000;
const ELECTION_OFFSET = 2000;
/** A server that ended is started again after this. */
const RESTART_MS = 2000;

export interface EnsembleCommandOptions {
  readonly words: readonly string[];
  readonly terminal: Terminal;
  /** The file that Node.js runs for `vivarium`. */
  readonly program: string;
}

interface Plan {
  readonly servers: number;
  readonly observers: number;
  readonly port: number;
  readonly directory: string;
  readonly settings: readonly string[];
}

/** Runs an ensemble until a signal ends it; returns the exit code of the process. */
export async function ensembleCommand({ words, terminal, program }: EnsembleCommandOptions): Promise<ExitCode> {
  const plan = planOf({ name: "ensemble", words, options, help, readPlan }, terminal);
  if (typeof plan === "number") return plan;
  const ids = Array.from({ length: plan.servers + plan.observers }, (_, index) => index + 1);
  const files = await Promise.all(ids.map((id) => writeMember(plan, id, ids)));
  terminal.print(ensembleGreeting(plan, ids));
  await runMembers({ files, terminal, program });
  return ExitCode.ok;
}

function readPlan(line: CommandLine): Plan {
  const [operand] = line.operands;
  if (operand !== undefined) throw new UsageError(`what is ${operand}? Write --servers N for a number of servers.`);
  return {
    servers: wholeNumber(line, { name: "servers", from: 1, to: 9, otherwise: 3 }),
    observers: wholeNumber(line, { name: "observers", from: 0, to: 9, otherwise: 0 }),
    port: wholeNumber(line, { name: "port", from: 1, to: 60_000, otherwise: 2181 }),
    directory: resolve(line.value("data-dir") ?? "data/ensemble"),
    settings: line.values("set"),
  };
}

/** Writes one server's directory, and returns the name of its zoo.cfg. */
async function writeMember(plan: Plan, id: number, ids: readonly number[]): Promise<string> {
  const directory = join(plan.directory, `server-${id}`);
  await mkdir(directory, { recursive: true });
  const members = ids.map((other) => {
    const port = plan.port + other - 1;
    const role = other > plan.servers ? ":observer" : "";
    return `server.${other}=${HOST}:${port + QUORUM_OFFSET}:${port + ELECTION_OFFSET}${role}`;
  });
  const lines = [
    "tickTime=2000",
    "initLimit=10",
    "syncLimit=5",
    `dataDir=${directory}`,
    `clientPort=${plan.port + id - 1}`,
    `clientPortAddress=${HOST}`,
    "standaloneEnabled=false",
    ...members,
    ...plan.settings,
  ];
  const file = join(directory, "zoo.cfg");
  await writeFile(file, `${lines.join("\n")}\n`);
  await writeFile(join(directory, "myid"), `${id}\n`);
  return file;
}

function ensembleGreeting({ directory, port }: Plan, ids: readonly number[]): string {
  const hosts = ids.map((id) => `${HOST}:${port + id - 1}`).join(",");
  const rows = [
    ["servers", `${ids.length}, each with a directory under ${directory}`],
    ["connect", `zkCli.sh -server ${hosts}`],
    ["from Node", `import { connect } from "@vivarium/client";  await connect("${hosts}")`],
    ["stop", "Ctrl-C"],
  ];
  const text = rows.map(([name = "", value]) => `  ${name.padEnd(9)}  ${value}`).join("\n");
  return `\nA ZooKeeper ensemble\n\n${text}\n\n`;
}

/** Keeps a process for every member running until a stop signal, and then until all have ended. */
async function runMembers({
  files,
  terminal,
  program,
}: {
  files: readonly string[];
  terminal: Terminal;
  program: string;
}): Promise<void> {
  let stopping = false;
  const running = new Map<number, ReturnType<typeof spawn>>();
  const members = files.map(async (file, index) => {
    const id = index + 1;
    while (!stopping) {
      const child = spawn(process.execPath, [program, "server", file], { stdio: ["ignore", "ignore", "pipe"] });
      running.set(id, child);
      prefixLines(child.stderr as Readable, `${id}  `, terminal);
      await new Promise((ended) => child.once("exit", ended));
      running.delete(id);
      if (stopping) return;
      terminal.complain(`${id}  has ended; it is started again in ${RESTART_MS / 1000} s\n`);
      await new Promise((restart) => setTimeout(restart, RESTART_MS));
    }
  });
  const forget = terminal.onStopSignal(() => {
    stopping = true;
    for (const child of running.values()) child.kill("SIGTERM");
  });
  await Promise.all(members);
  forget();
}

function prefixLines(from: Readable, prefix: string, terminal: Terminal): void {
  createInterface({ input: from }).on("line", (line) => terminal.complain(`${prefix}${line}\n`));
}
