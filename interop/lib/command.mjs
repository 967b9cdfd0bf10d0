// Runs other people's tools, and installs them when the machine has none.

import { spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Runs a program to its end.
 * @param {string} file
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, input?: string, timeoutMs?: number, onLine?: (line: string) => void}} [options]
 * @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string, timedOut: boolean}>}
 */
export function run(file, args, { cwd, env, input, timeoutMs = 300_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: env ?? process.env, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, timedOut });
    });
  });
}

/** Like `run`, but anything except exit code 0 is an error that carries the program's last words. */
export async function must(file, args, options) {
  const result = await run(file, args, options);
  if (result.code !== 0) {
    const words = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-25).join("\n");
    throw new Error(`${file} ${args.join(" ")} ended with ${result.code ?? result.signal}:\n${words}`);
  }
  return result;
}

/** The full path of a program on PATH, or undefined. */
export function which(name) {
  for (const dir of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(dir, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here; look further.
    }
  }
  return undefined;
}

let aptUpdated = false;

/** Installs Debian packages. Needs root; says what to install by hand where that is impossible. */
export async function aptInstall(packages) {
  if (which("apt-get") === undefined || process.getuid?.() !== 0) {
    throw new Error(`missing ${packages.join(", ")}: install them by hand (this needs root and apt-get)`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  if (!aptUpdated) {
    console.log(`interop: apt-get update, install ${packages.join(" ")}`);
    await must("apt-get", ["update", "-q"], { env });
    aptUpdated = true;
  }
  await must("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], { env });
}

/** Makes sure that programs exist, installing the packages that hold them if one does not. */
export async function needPrograms(programs, packages) {
  const missing = programs.filter((name) => which(name) === undefined);
  if (missing.length > 0) await aptInstall(packages);
  for (const name of missing) {
    if (which(name) === undefined) throw new Error(`${name} is still missing after installing ${packages.join(", ")}`);
  }
}

/** Makes sure that files exist (headers, libraries), installing the packages that hold them if one does not. */
export async function needFiles(files, packages) {
  if (!files.every((file) => existsSync(file))) await aptInstall(packages);
}
