// `vivarium bench`: the load that npm run bench gives two servers side by side, for any ZooKeeper that somebody has.
//
// Everything it makes lies below one node of its own, which is removed at the end: after an error and after Ctrl-C too.

import { parseConnectString } from "@vivarium/client";
import { type Address, type Figure, runWorkloads, type Settings, type Workload, workloads } from "@vivarium/load";
import { NodeNetwork } from "@vivarium/runtime";
import { BenchReport } from "./bench-report.ts";
import { type CommandLine, type OptionSpec, optionsHelp, planOf, UsageError, wholeNumber } from "./command-line.ts";
import { ExitCode } from "./exit-code.ts";
import { sameSignalMs } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

/** As many as one address may have open by default, less those for control. */
const SESSIONS = 50;
const MAX = 1_000_000;
const LEAST_SECONDS = 0.1;
const MOST_SECONDS = 3600;
/** A request, path and all, must stay below jute.maxbuffer. */
const MAX_SIZE_BYTES = 1_048_000;

const options: readonly OptionSpec[] = [
  { name: "only", value: "NAME,...", doc: "Only these workloads (default all)" },
  { name: "seconds", value: "S", doc: "Seconds of each load, after one that does not count (default 2)" },
  { name: "read-percent", value: "P", doc: "Reads of a hundred requests of the mixed load (default 67)" },
  { name: "connections", value: "N", doc: "Connections of the loads (default 50)" },
  { name: "window", value: "N", doc: "Requests in flight per connection (default 20)" },
  { name: "size", value: "BYTES", doc: "Bytes of a value (default 1024)" },
  { name: "sessions", value: "N", doc: `Sessions of watches, sessions, storm and expiry (default ${SESSIONS})` },
  { name: "children", value: "N", doc: "Children of the longest list (default 10000)" },
  { name: "json", doc: "Prints the figures as JSON" },
  { name: "help", short: "h", doc: "This text" },
];

const help = `Loads a ZooKeeper, Vivarium or Apache's, and measures it.

  vivarium bench HOSTS [options]        HOSTS: host:port,host:port[/path]

${optionsHelp(options)}

Workloads:
${workloads.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n")}

What it makes lies below one node of its own, in /path if one is given, and is removed at the end; Ctrl-C ends it
early and removes it too. Many sessions need a server with a larger maxClientCnxns (60 per address by default).
It shares the machine's cores with whatever else runs there: do not run it beside what must not wait.
`;

export interface BenchCommandOptions {
  readonly words: readonly string[];
  readonly terminal: Terminal;
}

interface Plan {
  readonly hosts: readonly Address[];
  readonly root: string;
  readonly workloads: readonly Workload[];
  readonly settings: Settings;
  readonly asJson: boolean;
}

/** Runs the workloads to their end or the user's; returns the exit code of the process. */
export async function benchCommand({ words, terminal }: BenchCommandOptions): Promise<ExitCode> {
  const plan = planOf({ name: "bench", words, options, help, readPlan }, terminal);
  if (typeof plan === "number") return plan;
  return runPlan(plan, terminal);
}

async function runPlan({ hosts, root, settings, asJson, ...plan }: Plan, terminal: Terminal): Promise<ExitCode> {
  const report = new BenchReport(terminal);
  const stop = new AbortController();
  let askedMs: number | undefined;
  const forget = terminal.onStopSignal(() => {
    const nowMs = terminal.nowMs();
    if (askedMs === undefined) {
      askedMs = nowMs;
      report.note(`stopping; ${root} is being removed, a second Ctrl-C leaves it there`);
      stop.abort(new Error("stopped before its end"));
    } else if (nowMs - askedMs >= sameSignalMs) terminal.exit(ExitCode.unexpected);
  });
  const figures: Figure[] = [];
  let failure: unknown;
  try {
    await runWorkloads({
      ...{ network: new NodeNetwork(), hosts, root, settings, signal: stop.signal, workloads: plan.workloads },
      onProgress: ({ name }, doing, share) => report.progress(`${name}: ${doing}`, share),
      onRemark: (remark) => report.remark(remark),
      onFigures: (_, found) => void figures.push(...found),
    });
  } catch (error) {
    failure = error;
  } finally {
    forget();
  }
  report.end();
  if (figures.length > 0) terminal.print(asJson ? report.json({ hosts, settings, figures }) : report.table(figures));
  if (failure === undefined) return ExitCode.ok;
  terminal.complain(`vivarium bench: ${failure instanceof Error ? failure.message : String(failure)}\n`);
  return ExitCode.unexpected;
}

function readPlan(line: CommandLine): Plan {
  const [connectString, further] = line.operands;
  if (connectString === undefined) throw new UsageError("which servers? Write vivarium bench host:port.");
  if (further !== undefined) throw new UsageError(`what is ${further}? Servers are separated by commas.`);
  const { hosts, chroot } = targetOf(connectString);
  const number = (name: string, from: number, to: number, otherwise: number) =>
    wholeNumber(line, { name, from, to, otherwise });
  return {
    hosts,
    // Of its own, so that two of them may run at once.
    root: `${chroot}/vivarium-bench-${globalThis.crypto.randomUUID().slice(0, 8)}`,
    workloads: chosen(line.value("only")),
    settings: {
      seconds: secondsOf(line.value("seconds")),
      readPercent: number("read-percent", 0, 100, 67),
      connections: number("connections", 1, 10_000, 50),
      window: number("window", 1, 10_000, 20),
      sizeBytes: number("size", 0, MAX_SIZE_BYTES, 1024),
      sessions: number("sessions", 1, MAX, SESSIONS),
      children: number("children", 10, MAX, 10_000),
    },
    asJson: line.has("json"),
  };
}

function secondsOf(text: string | undefined): number {
  const value = Number(text ?? 2);
  if (value >= LEAST_SECONDS && value <= MOST_SECONDS) return value;
  throw new UsageError(`--seconds ${text} is not a number from ${LEAST_SECONDS} to ${MOST_SECONDS}.`);
}

function targetOf(connectString: string): { hosts: readonly Address[]; chroot: string } {
  try {
    const { hosts, srvName, chroot } = parseConnectString(connectString);
    if (srvName !== undefined) throw new UsageError("dns-srv:// does not work here; write host:port,host:port.");
    return { hosts, chroot };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function chosen(only: string | undefined): readonly Workload[] {
  if (only === undefined) return workloads;
  return only.split(",").map((name) => {
    const workload = workloads.find((one) => one.name === name);
    if (workload !== undefined) return workload;
    const names = workloads.map((one) => one.name).join(", ");
    throw new UsageError(`there is no workload ${name}. The workloads are: ${names}.`);
  });
}
