// The command as a function, for programs that want to run it in their own process.

export { ExitCode } from "./exit-code.ts";
export { type RunOptions, run } from "./run.ts";
export type { ServerHandle, StartServer } from "./server-command.ts";
export type { Terminal } from "./terminal.ts";
