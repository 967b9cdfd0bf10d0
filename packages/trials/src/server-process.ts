/**
 * The `vivarium server` command as a child process: started on a data directory, awaited until it accepts connections,
 * killed without warning or stopped cleanly. Linux tells how much memory it holds.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { RawClient } from "./raw-client.ts";

const COMMAND = fileURLToPath(new URL("../../vivarium/bin/vivarium.js", import.meta.url));
const KEPT_OUTPUT = 100_000;
const START_DEADLINE_MS = 30_000;

export interface ServerOptions {
  readonly dataDir: string;
  readonly port: number;
  /** A zoo.cfg, for what the other options leave open. */
  readonly configFile?: string;
  /** Lines of zoo.cfg and zookeeper.* properties, as `--set` takes them. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #exit: Promise<string>;
  readonly #startedMs = performance.now();
  #output = "";
  #lines = 0;
  #ended = false;

  constructor({ dataDir, port, configFile, settings = {} }: ServerOptions) {
    this.port = port;
    const sets = Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
    const file = configFile === undefined ? [] : [configFile];
    const args = [COMMAND, "server", ...file, "--port", String(port), "--data-dir", dataDir, ...sets];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
        this.#lines += text.split("\n").length - 1;
      });
    }
    this.#exit = new Promise((resolve) => {
      this.#child.on("error", (error) => resolve(error.message));
      this.#child.on("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    void this.#exit.then(() => {
      this.#ended = true;
    });
  }

  /** Resolves with the milliseconds from the start of the process to the first session it gave. */
  async serving(): Promise<number> {
    while (performance.now() - this.#startedMs < START_DEADLINE_MS) {
      if (this.#ended) throw new Error(`the server ended (${await this.#exit}) before it served:\n${this.#output}`);
      try {
        const client = await RawClient.connect({ port: this.port });
        const tookMs = performance.now() - this.#startedMs;
        client.destroy();
        return tookMs;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    throw new Error(`the server did not serve within ${START_DEADLINE_MS} ms:\n${this.#output}`);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#output;
  }

  /** Lines printed so far. */
  get outputLines(): number {
    return this.#lines;
  }

  /** Resident memory in bytes, or undefined where the system does not tell. */
  get residentBytes(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    } catch {
      return undefined;
    }
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }

  /** SIGTERM. Resolves with how it ended. */
  async stop(): Promise<string> {
    this.#child.kill("SIGTERM");
    return this.#exit;
  }
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
