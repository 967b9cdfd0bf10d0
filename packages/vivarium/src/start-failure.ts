// Why a server did not start, or stopped by itself: one line that says what to do, and the exit code.

import { basename } from "node:path";
import { ConfigError, formatProblem } from "@vivarium/server";
import { UsageError } from "./command-line.ts";
import { ExitCode } from "./exit-code.ts";

export interface Failure {
  readonly exitCode: ExitCode;
  /** Complete lines for the operator. */
  readonly lines: readonly string[];
  /** False when this is a bug of ours, whose stack should be shown. */
  readonly expected: boolean;
}

/** Operating-system codes of a directory that is not there or not ours, as opposed to a disk that fails. */
const directoryCodes = new Set(["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EEXIST"]);

export function describeFailure(error: unknown): Failure {
  if (error instanceof UsageError) return expected(ExitCode.invalidInvocation, error.message);
  if (error instanceof ConfigError) {
    const lines = [
      ...error.problems.map(formatProblem),
      ...error.warnings.map((one) => `(warning) ${formatProblem(one)}`),
    ];
    return { exitCode: ExitCode.invalidInvocation, lines, expected: true };
  }
  if (!(error instanceof Error)) return { exitCode: ExitCode.unexpected, lines: [String(error)], expected: false };
  // By name: the errors of other rooms are recognised even if two copies of a package are installed.
  if (error.name === "DirectoryLockedError") return expected(ExitCode.dataDirectory, error.message);
  if (error.name === "StorageError") {
    const code = codeOf(error.cause);
    const ofDirectory = code === undefined ? isDirectoryOfOurs(error) : directoryCodes.has(code);
    return expected(ofDirectory ? ExitCode.dataDirectory : ExitCode.storage, error.message);
  }
  if (error.name === "PeerListenError") return expected(ExitCode.electionPort, error.message);
  const listening = describeListenFailure(error);
  if (listening !== undefined) return expected(ExitCode.unexpected, listening);
  return { exitCode: ExitCode.unexpected, lines: [error.message], expected: false };
}

/** The storage refused a directory itself, not a file in it. */
function isDirectoryOfOurs(error: Error): boolean {
  return "file" in error && typeof error.file === "string" && basename(error.file) === "version-2";
}

function expected(exitCode: ExitCode, line: string): Failure {
  return { exitCode, lines: [line], expected: true };
}

function describeListenFailure(error: Error): string | undefined {
  const { address = "every address", port = "the port" } = error as { address?: string; port?: number };
  const place = `port ${port} of ${address}`;
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return `${place} is in use. Stop what listens there (ss -ltnp shows it), or choose another port: --port N.`;
    case "EACCES":
      return `this user may not listen on ${place}. Ports below 1024 need a privilege; choose another: --port N.`;
    case "EADDRNOTAVAIL":
      return `this machine has no address ${address}. Correct clientPortAddress, or --host.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the host name of clientPortAddress is unknown (${error.message}). Correct it, or --host.`;
    default:
      return undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
