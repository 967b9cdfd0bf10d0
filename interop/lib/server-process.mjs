// One server as a child process: started from a zoo.cfg, awaited until it serves, stopped or killed.
// Apache's and ours are driven by the same code, so that a difference seen is a difference of the servers.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fourLetterWord, freePort, until } from "./net.mjs";

/**
 * @typedef {object} ServerOptions
 * @property {string} [dataDir] made in the temporary directory if absent
 * @property {string} [dataLogDir]
 * @property {number} [port] a free one if absent
 * @property {Record<string, string | number | boolean>} [config] further lines of zoo.cfg
 * @property {Record<string, string | number | boolean>} [properties] Java system properties (`zookeeper.*`, `jute.maxbuffer`)
 * @property {boolean} [inheritOutput] show the server's own output
 * @property {string[]} [enter] what its command begins with, such as the way into a namespace
 * @property {boolean} [wait] whether to wait until it serves (default true)
 */

/** Fills in the defaults and writes zoo.cfg beside the data. */
export async function prepareServer(options) {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "interop-"));
  mkdirSync(dataDir, { recursive: true });
  const port = options.port ?? (await freePort());
  const keys = {
    dataDir,
    ...(options.dataLogDir ? { dataLogDir: options.dataLogDir } : {}),
    clientPort: port,
    clientPortAddress: "127.0.0.1",
    "admin.enableServer": false,
    "4lw.commands.whitelist": "*",
    ...options.config,
  };
  const configFile = join(dataDir, "zoo.cfg");
  writeFileSync(
    configFile,
    Object.entries(keys)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
  return { dataDir, port, configFile };
}

export class ServerProcess {
  #child;
  #exited;
  #output = "";

  /**
   * @param {{name: string, port: number, dataDir: string, command: string, args: string[], env?: NodeJS.ProcessEnv,
   *   inheritOutput?: boolean, enter?: string[]}} options
   */
  constructor({ name, port, dataDir, command, args, env, inheritOutput = false, enter = [] }) {
    this.name = name;
    this.port = port;
    this.dataDir = dataDir;
    this.hostPort = `127.0.0.1:${port}`;
    const [file, ...words] = [...enter, command, ...args];
    this.#child = spawn(file, words, { env: env ?? process.env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.#output = (this.#output + text).slice(-200_000);
        if (inheritOutput) process.stderr.write(text);
      });
    }
    this.#exited = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        this.#output += `\n${error.message}`;
        resolve({ code: -1, signal: null });
      });
      this.#child.on("close", (code, signal) => resolve({ code, signal }));
    });
    // A program that ends without stopping its servers must not leave them behind.
    const orphaned = () => this.#child.kill("SIGKILL");
    process.once("exit", orphaned);
    this.hasExited = false;
    this.#exited.then(() => {
      this.hasExited = true;
      process.off("exit", orphaned);
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** What the server printed, last 200 000 characters. */
  get output() {
    return this.#output;
  }

  /** Resolves with how the process ended. */
  get exited() {
    return this.#exited;
  }

  async serving({ timeoutMs = 30_000 } = {}) {
    try {
      await until(
        `${this.name} on port ${this.port}`,
        async () => {
          if (this.hasExited) return true;
          return (await fourLetterWord(this.port, "srvr")).includes("Mode: ");
        },
        { timeoutMs },
      );
    } catch (error) {
      await this.kill();
      throw new Error(`${error.message}\n${this.#output.slice(-4000)}`);
    }
    if (this.hasExited) throw new Error(`${this.name} ended before it served:\n${this.#output.slice(-4000)}`);
    return this;
  }

  word(name) {
    return fourLetterWord(this.port, name);
  }

  /** SIGTERM, and SIGKILL if that is not enough. */
  async stop({ graceMs = 10_000 } = {}) {
    if (this.hasExited) return this.#exited;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    const result = await this.#exited;
    clearTimeout(timer);
    return result;
  }

  /** SIGKILL: the crash. */
  async kill() {
    if (!this.hasExited) this.#child.kill("SIGKILL");
    return this.#exited;
  }
}
