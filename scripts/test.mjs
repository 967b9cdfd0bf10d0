// `npm test [-- name ...]`: installs, builds, and runs every test that needs only Node.js.
// A name picks the packages or files whose path contains it.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { root, setup } from "./setup.mjs";

setup();

const wanted = process.argv.slice(2);
const files = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.includes("/dist/") && path.endsWith(".test.js") && !path.includes("node_modules"))
  .map((path) => relative(root, join(root, "packages", path)))
  .filter((path) => wanted.length === 0 || wanted.some((name) => path.includes(name)))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(" ")}.`);
  process.exit(1);
}
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], {
  cwd: root,
  stdio: "inherit",
});
process.exit(status ?? 1);
