/** How the process ends; the numbers are Apache ZooKeeper's. @see ExitCode */
export const ExitCode = {
  ok: 0,
  /** Also: the port is in use. */
  unexpected: 1,
  /** Wrong words on the command line, or a configuration that cannot be used. */
  invalidInvocation: 2,
  /** The data directory is missing, not accessible, or in use by another server. */
  dataDirectory: 3,
  /** A transaction log or snapshot cannot be read or written. */
  storage: 10,
  /** The port for elections cannot be listened on. */
  electionPort: 14,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
