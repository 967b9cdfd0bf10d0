// Brings a checkout to the state in which its compiled code can run: packages installed, TypeScript built.
// `npm start` and `npm test` call it first, so that each of them works on a fresh clone.
import { spawnSync } from "node:child_process";
import { existsSync, statSync, utimesSync } from "node:fs";
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

/** npm's own record of what it has installed. */
const installedLock = join(root, "node_modules", ".package-lock.json");

/** True when what npm last installed is older than the lock file. */
function installIsStale() {
  if (!existsSync(installedLock)) return true;
  return statSync(installedLock).mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs;
}

/** Installs what the lock file says: anew on a fresh clone, in place where something is installed already. */
export function install() {
  if (!installIsStale()) return;
  const words = existsSync(join(root, "node_modules")) ? ["install", "--no-save"] : ["ci"];
  console.error(`Installing packages (npm ${words.join(" ")}) ...`);
  run("npm", [...words, "--no-fund", "--no-audit", "--loglevel=error"]);
  const now = new Date();
  utimesSync(installedLock, now, now);
}

export function build() {
  run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"]);
  run(process.execPath, [join(root, "scripts", "bundle.mjs")]);
}

export function setup() {
  install();
  build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup();
