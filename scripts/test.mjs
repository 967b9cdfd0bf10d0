// `npm test [-- word ...]`: installs, builds, and runs every test that needs only Node.js.
// A word picks the test files whose path contains it: `npm test -- jute`, `npm test -- tree/dist/quota`.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, sep } from "node:path";
import process from "node:process";
import { root, setup } from "./setup.mjs";

const words = process.argv.slice(2);
if (words.includes("--help")) {
  console.log("usage: npm test [-- word ...]\nA word picks the test files whose path contains it.");
  process.exit(0);
}

setup();

/** The built tests of one package whose source still exists: a renamed test leaves its old build behind. */
function testsOf(name) {
  const dist = join(root, "packages", name, "dist");
  const source = (path) => join(root, "packages", name, "src", path.replace(/\.js$/, ".ts"));
  return readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.js") && existsSync(source(path)))
    .map((path) => relative(root, join(dist, path)));
}

// Of what compares us with Apache, the comparer and the reader of files need only Node.js.
const files = readdirSync(join(root, "packages"))
  .filter((name) => existsSync(join(root, "packages", name, "dist")))
  .flatMap(testsOf)
  .concat(join("interop", "differential", "comparer.test.mjs"), join("interop", "lib", "data-dir.test.mjs"))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word.replaceAll("/", sep))))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${words.join(" ")}.`);
  process.exit(1);
}

// The same reporter everywhere: its closing lines (tests, pass, fail, duration) come last, after them only failures.
const { status, error } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-reporter=spec", `--test-concurrency=${availableParallelism()}`, ...files],
  { cwd: root, stdio: "inherit" },
);
if (error) throw error;
process.exit(status ?? 1);
