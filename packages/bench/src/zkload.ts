/** The load generator, an independent program in C: built once per source, run against one server. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL("../zkload.c", import.meta.url));

/** Compiles zkload.c with `cc` into a directory, unless that has been done. @returns the program's path */
export async function buildZkload(directory: string): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(SOURCE)).digest("hex").slice(0, 12);
  const program = join(directory, `zkload-${hash}`);
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  try {
    await run("cc", ["-O2", "-o", program, SOURCE]);
  } catch (error) {
    throw new Error("cc cannot build zkload: the bench needs a C compiler (apt-get install gcc)", { cause: error });
  }
  return program;
}

export interface Load {
  readonly connections: number;
  /** Requests in flight per connection. */
  readonly window: number;
  readonly readPercent: number;
  readonly sizeBytes: number;
  readonly seconds: number;
  /** Creates new znodes instead. */
  readonly creates?: boolean;
}

export interface LoadResult {
  readonly ops_s: number;
  readonly read_p50_us: number;
  readonly read_p99_us: number;
  readonly write_p50_us: number;
  readonly write_p99_us: number;
}

/** Connections are spread evenly over the servers. @throws Error if any reply was an error, a connection was lost, or replies came out of order */
export async function runLoad(program: string, ports: readonly number[], load: Load): Promise<LoadResult> {
  const options = {
    h: ports.map((port) => `127.0.0.1:${port}`).join(","),
    c: load.connections,
    w: load.window,
    t: load.seconds,
    r: load.readPercent,
    s: load.sizeBytes,
    k: 1000,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`-${name}`, String(value)]);
  if (load.creates === true) args.push("-o", "create");
  const { stdout } = await run(program, [...args, "-j"]);
  return JSON.parse(stdout) as LoadResult;
}
