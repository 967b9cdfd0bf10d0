/** The other end of stall-probe.ts: what to start a server with, and how to ask it. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Stall } from "./contender.ts";

const DEADLINE_MS = 30_000;
const POLL_MS = 5;

export interface StallReader {
  /** For the server's process. */
  readonly env: NodeJS.ProcessEnv;
  readonly nodeFlags: readonly string[];
  /** The longest stall since this was last asked. @throws Error when the server does not answer */
  longestStall(pid: number): Promise<Stall>;
}

export function stallReader(file: string): StallReader {
  return {
    env: { VIVARIUM_STALL_FILE: file },
    nodeFlags: ["--import", fileURLToPath(new URL("./stall-probe.js", import.meta.url))],
    async longestStall(pid) {
      rmSync(file, { force: true });
      process.kill(pid, "SIGUSR2");
      const deadline = performance.now() + DEADLINE_MS;
      while (!existsSync(file)) {
        if (performance.now() > deadline) throw new Error(`process ${pid} does not tell its stalls`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return JSON.parse(readFileSync(file, "utf8")) as Stall;
    },
  };
}
