/** Who is measured. Each run gets a fresh process on an empty directory, and never two servers run at a time. */

/** What the event loop of a server made others wait for, in milliseconds. */
export interface Stall {
  /** The longest time for which it did not come round. */
  readonly stallMs: number;
  /** The most processor time that its thread used between coming round and coming round again. */
  readonly turnMs: number;
}

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly dataDir: string;
  /** The longest stall of its event loop since this was last asked; undefined for a server of which it is not measured. */
  longestStall(): Promise<Stall | undefined>;
  /** Ends the process cleanly. */
  stop(): Promise<unknown>;
}

export interface RunningEnsemble {
  readonly servers: readonly RunningServer[];
  /** Ends the processes and takes away what they wrote. */
  end(): Promise<unknown>;
}

/**
 * `ours` is judged, `theirs` is what it is compared with, and `bare` is a server with the same framing and nothing behind
 * it: what Node.js can do at best.
 */
export type Role = "ours" | "theirs" | "bare";

export interface Contender {
  readonly name: string;
  readonly role: Role;
  /** Starts a process, without waiting for it; on an empty directory of its own unless one is given. */
  start(dataDir?: string): Promise<RunningServer>;
  /** Starts three servers that are one ensemble, and waits until they serve. */
  startEnsemble(): Promise<RunningEnsemble>;
  /** Takes away a directory that is no longer needed. */
  remove(dataDir: string): void;
}
