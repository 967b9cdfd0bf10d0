/** The load generator, an independent program in C: built once per source, run against one server. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cpuSeconds } from "./server-view.ts";
import { spread } from "./spread.ts";

const run = promisify(execFile);
const SAMPLE_MS = 100;
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
  /** How busy the generator was, 1 for its one thread: near 1 means that it may have been the limit. */
  readonly busy: number;
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
  const running = run(program, [...args, "-j"]);
  const busy = watchCpu(running.child.pid);
  const { stdout } = await running.finally(() => busy.stop());
  return { ...(JSON.parse(stdout) as Omit<LoadResult, "busy">), busy: busy.share() };
}

/** Looks at the generator's CPU time while it lives. */
function watchCpu(pid: number | undefined): { stop(): void; share(): number } {
  const shares: number[] = [];
  let before: { atMs: number; seconds: number } | undefined;
  const look = () => {
    const seconds = pid === undefined ? undefined : cpuSecondsIfAlive(pid);
    if (seconds === undefined) return;
    const now = { atMs: performance.now(), seconds };
    if (before !== undefined) shares.push(((now.seconds - before.seconds) / (now.atMs - before.atMs)) * 1000);
    before = now;
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    stop: () => clearInterval(timer),
    // Its first and last quarter are for making znodes and sorting latencies.
    share() {
      const middle = shares.slice(Math.floor(shares.length / 4), Math.ceil((shares.length * 3) / 4));
      return middle.length === 0 ? 0 : spread(middle).median;
    },
  };
}

function cpuSecondsIfAlive(pid: number): number | undefined {
  try {
    return cpuSeconds(pid);
  } catch {
    return undefined;
  }
}
