// Servers side by side: plans the runs, shows how far they are, prints the tables, keeps the raw numbers, writes the docs.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import {
  buildZkload,
  drawPlot,
  goalRows,
  otherRows,
  parts,
  plots,
  ResultsCollector,
  replaceBetweenMarks,
  resultsText,
  runParts,
  scales,
  stallReader,
  table,
} from "../../packages/bench/dist/index.js";
import { root } from "../setup.mjs";
import { apache, bare, checkoutOf, forgetCheckout, vivarium } from "./contenders.mjs";

export { parts };

// So that Ctrl-C takes the servers and their directories along.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const cache = join(root, ".cache", "bench");
const docs = join(root, "docs");

/** @param {{quick?: boolean, only?: string, turns?: string, seconds?: string, znodes?: string, compare?: string, from?: string, "write-docs"?: boolean}} values */
export async function benchServers(values) {
  const results = values.from === undefined ? await measure(values) : JSON.parse(readFileSync(values.from, "utf8"));
  const isComparison = results.names.theirs !== "Apache 3.9.5";
  console.log(`\n${isComparison ? comparison(results) : sideBySide(results)}\n\n${remarks(results)}`);
  if (!values["write-docs"]) return;
  if (isComparison) console.error("bench: --write-docs is for Vivarium beside Apache; nothing was written.");
  else writeDocs(results);
}

async function measure(values) {
  const scale = scaleOf(values);
  const chosen = chosenParts(values.only);
  const other = values.compare === undefined ? undefined : checkoutOf(values.compare);
  const ours = vivarium({ stallReader });
  const contenders =
    other === undefined
      ? [ours, apache(), bare({ stallReader })]
      : [ours, vivarium({ stallReader, name: other.hash, role: "theirs", checkout: other.checkout })];
  const about = { date: new Date().toISOString(), machine: machine(), commit: commitHere(), scale };
  const collector = new ResultsCollector(about, contenders);
  const display = new Display();
  const failures = [];
  await runParts({
    ...{ contenders, parts: chosen, scale, collector, zkload: await buildZkload(cache) },
    onProgress: (line) => display.progress(line),
    onFigure: ({ name }, turn, { title, unit, value }) =>
      display.print(
        `  turn ${turn} ${name.padEnd(12)} ${title}: ${value < 10 ? value.toFixed(2) : Math.round(value)} ${unit}`,
      ),
    onFailure(where, error) {
      failures.push(where);
      display.print(`FAILED ${where}: ${error?.stack ?? error}`);
    },
  });
  display.end();
  if (other !== undefined) forgetCheckout(other.checkout);
  if (failures.length > 0) process.exitCode = 1;
  mkdirSync(cache, { recursive: true });
  const raw = join(cache, `${about.date.replace(/[:.]/g, "-")}.json`);
  writeFileSync(raw, resultsText(collector.results));
  console.log(`\nRaw numbers: ${raw}`);
  return collector.results;
}

function scaleOf({ quick, turns, seconds, znodes }) {
  const given = Object.entries({ turns, seconds, znodes }).filter(([, value]) => value !== undefined);
  return {
    ...(quick ? scales.quick : scales.full),
    ...Object.fromEntries(given.map(([name, value]) => [name, Number(value)])),
  };
}

function chosenParts(only) {
  if (only === undefined) return parts;
  const names = only.split(",");
  const unknown = names.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) {
    console.error(
      `bench: there is no part ${unknown.join(", ")}. The parts are: ${parts.map(({ name }) => name).join(", ")}.`,
    );
    process.exit(2);
  }
  return parts.filter(({ name }) => names.includes(name));
}

/** Lines that stay, and below them on a terminal one that changes; elsewhere that one is left out. */
class Display {
  #line = "";

  progress(line) {
    if (!process.stdout.isTTY) return;
    this.#line = line.slice(0, (process.stdout.columns ?? 80) - 1);
    process.stdout.write(`\r\x1b[K${this.#line}`);
  }

  print(text) {
    if (!process.stdout.isTTY) return console.log(text);
    process.stdout.write(`\r\x1b[K${text}\n${this.#line}`);
  }

  end() {
    if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
  }
}

const machine = () =>
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Node.js ${process.versions.node}`;
const commitHere = () =>
  execFileSync("git", ["describe", "--always", "--dirty", "--abbrev=12"], { cwd: root, encoding: "utf8" }).trim();

const namesOf = ({ names }) => ({ ours: "Vivarium", theirs: names.theirs ?? "Apache 3.9.5" });

/** The goals first, then everything else. */
function sideBySide(results) {
  const goals = goalRows(results);
  const others = otherRows(results);
  const reached = goals.filter(({ isReached }) => isReached).length;
  return [
    ...(goals.length === 0
      ? []
      : [table(goals, namesOf(results), { goals: true }), `${reached} of ${goals.length} goals are reached.`]),
    ...(others.length === 0 ? [] : [table(others, namesOf(results))]),
    aboutRun(results),
  ].join("\n\n");
}

const comparison = (results) =>
  [
    table(otherRows(results, { except: [] }), { ours: results.commit, theirs: results.names.theirs }),
    aboutRun(results),
  ].join("\n\n");

function aboutRun({ date, machine: where, commit, scale }) {
  const { turns, seconds, znodes } = scale;
  return `${date.slice(0, 10)}, commit ${commit}; ${turns} turns, ${seconds} s per load, ${znodes.toLocaleString("en-US")} znodes; ${where}.`;
}

const remarks = ({ remarks: list }) => list.map((remark) => `- ${remark}`).join("\n");

function writeDocs(results) {
  const goals = goalRows(results);
  const reached = goals.filter(({ isReached }) => isReached).length;
  const drawn = plots.flatMap((plot) => {
    const svg = drawPlot(plot, results);
    if (svg === undefined) return [];
    mkdirSync(join(docs, "bench"), { recursive: true });
    writeFileSync(join(docs, "bench", `${plot.name}.svg`), svg);
    return [`![${plot.title}](bench/${plot.name}.svg)`];
  });
  const sections = {
    goals: `${table(goals, namesOf(results), { goals: true })}\n\n${reached} of ${goals.length} goals are reached. ${aboutRun(results)}`,
    plots: [...drawn, remarks(results)].join("\n\n").trim(),
    others: table(otherRows(results), namesOf(results)),
  };
  const page = join(docs, "performance.md");
  let text = readFileSync(page, "utf8");
  for (const [name, content] of Object.entries(sections)) text = replaceBetweenMarks(text, content, `bench-${name}`);
  writeFileSync(page, text);
  mkdirSync(join(docs, "bench"), { recursive: true });
  writeFileSync(join(docs, "bench", "latest.json"), resultsText(results));
  console.log(`wrote ${page} and ${join(docs, "bench")}`);
}
