// The process behind bin/vivarium.js.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startServer } from "@vivarium/server";
import { ExitCode } from "./exit-code.ts";
import { run } from "./run.ts";
import { processTerminal } from "./terminal.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

// A broken invariant: what is in memory can no longer be trusted, and nothing may be acknowledged on it.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`vivarium: a fault of Vivarium itself, so the process ends:\n${stack}\n`);
    process.exit(ExitCode.unexpected);
  });
}

const terminal = processTerminal();
const program = fileURLToPath(new URL("../bin/vivarium.js", import.meta.url));
process.exitCode = await run({ words: process.argv.slice(2), terminal, version, startServer, program });
// Nothing should be left to wait for; if something is, it does not keep a stopped server alive.
setTimeout(() => process.exit(), 500).unref();
