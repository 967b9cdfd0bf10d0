// What `npm run interop` asks for: the hand-written lists and a few seeds, about a minute.

import { join } from "node:path";
import { run } from "../lib/command.mjs";
import { interopDir } from "../lib/paths.mjs";

const seeds = 10;

async function runDifferential({ verbose = false } = {}) {
  const startedAt = Date.now();
  const args = [join(interopDir, "differential", "run.mjs"), "--seeds", String(seeds)];
  const { code, stdout, stderr } = await run(process.execPath, args, { timeoutMs: 600_000 });
  if (verbose || code !== 0) console.log(stdout + stderr);
  const lists = Number(/in \d+ operations of (\d+) lists/.exec(stdout)?.[1] ?? 0);
  const failures = stdout
    .split("\n")
    .filter((line) => line.startsWith("  DIFFERENT"))
    .map((line) => line.trim());
  if (code !== 0 && failures.length === 0) failures.push(`the program ended with ${code}: ${stderr.slice(-600)}`);
  const result = {
    ok: Array(Math.max(0, lists - failures.length)),
    failures,
    seconds: (Date.now() - startedAt) / 1000,
  };
  return [{ title: "the same operations to both", results: { vivarium: result } }];
}

export const differential = { name: "differential", run: runDifferential };
