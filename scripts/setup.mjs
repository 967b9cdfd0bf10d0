// Brings a checkout to the state in which its compiled code can run: packages installed, TypeScript built.
// `npm start` and `npm test` call it first, so that each of them works on a fresh clone.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Vivarium needs Node.js 20.19 or later; this is ${process.version}.`);
  process.exit(1);
}

/** Runs a command in the checkout's root and ends this process with its exit code if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** True when what `npm ci` last installed is older than the lock file. */
function installIsStale() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return true;
  return statSync(installed).mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs;
}

export function install() {
  if (!installIsStale()) return;
  console.error("Installing packages (npm ci) ...");
  run("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"]);
}

export function build() {
  run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"]);
}

export function setup() {
  install();
  build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup();
