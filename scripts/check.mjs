// `npm run check`: format, lint, types, layering and our own small rules. Every step runs, and each says how long it took.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { layeringProblems } from "./layering.mjs";
import { roomProblems } from "./rooms.mjs";
import { install, root } from "./setup.mjs";
import { tidyProblems } from "./tidy.mjs";

if (process.argv.includes("--help")) {
  console.log(
    "usage: npm run check\nFormat and lint (biome), types (tsc -b), rooms (ARCHITECTURE.md), layering, tidy.",
  );
  process.exit(0);
}

/** A program in node_modules; its output goes to ours. */
function program(...path) {
  return (...args) => {
    const { status, error } = spawnSync(process.execPath, [join(root, "node_modules", ...path), ...args], {
      cwd: root,
      stdio: "inherit",
    });
    return status === 0 ? [] : [error?.message ?? `ended with ${status}`];
  };
}
const biome = program("@biomejs", "biome", "bin", "biome");
const tsc = program("typescript", "bin", "tsc");

const steps = [
  ["biome", () => biome("check", "--error-on-warnings", ".")],
  ["types", () => tsc("-b")],
  ["rooms", roomProblems],
  ["layering", layeringProblems],
  ["tidy", tidyProblems],
];

install();
let failed = 0;
for (const [name, step] of steps) {
  const startMs = performance.now();
  const problems = await step();
  for (const problem of problems) console.error(`  ${problem}`);
  if (problems.length > 0) failed++;
  console.log(
    `${problems.length === 0 ? "ok  " : "FAIL"} ${name} ${((performance.now() - startMs) / 1000).toFixed(1)} s`,
  );
}
process.exit(failed === 0 ? 0 : 1);
