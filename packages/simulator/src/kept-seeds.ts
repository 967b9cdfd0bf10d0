/** Seeds that found something once, one sentence each. The tests run them all. */
import type { WorldChoice } from "./faults/swarm.ts";

export interface KeptSeed {
  readonly seed: number;
  readonly servers: number;
  readonly worlds: WorldChoice;
  readonly found: string;
}

export const KEPT_SEEDS: readonly KeptSeed[] = [
  {
    seed: 145,
    servers: 1,
    worlds: "long",
    found: "storage built on a record that a failed sync had given up on, and lost it at the next power failure",
  },
  {
    seed: 1091,
    servers: 1,
    worlds: "long",
    found: "the server answered reads and pings of a session that was ending, so its client counted on it",
  },
  {
    seed: 1112,
    servers: 1,
    worlds: "long",
    found: "the same, with a createSession that took longer to log than the session lived",
  },
  {
    seed: 218,
    servers: 1,
    worlds: "long",
    found: "our checker wanted an event for a node that came and went while the session had no connection",
  },
  {
    seed: 1177,
    servers: 1,
    worlds: "long",
    found: "our network kept a view of a Buffer that the client writes on, so requests changed on their way",
  },
  {
    seed: 6,
    servers: 3,
    worlds: "long",
    found: "a server would not start after a synchronisation that ended between its transactions and its epoch",
  },
  {
    seed: 11,
    servers: 3,
    worlds: "long",
    found: "two writes of an epoch file at once, of one term and the next, took away each other's unfinished file",
  },
  {
    seed: 2104,
    servers: 3,
    worlds: "long",
    found: "an empty currentEpoch.tmp, left by a full disk, kept a server from starting",
  },
  {
    seed: 1056,
    servers: 3,
    worlds: "long",
    found: "our checker did not know transactions that a server had only from a snapshot",
  },
  {
    seed: 5013,
    servers: 1,
    worlds: "long",
    found: "our checker did not wait for a sync that had begun before the healing",
  },
  {
    seed: 1018079,
    servers: 5,
    worlds: "short",
    found: "our checker did not allow for a leader whose followers' last words reach it when the next one has begun",
  },
  {
    seed: 1056265,
    servers: 3,
    worlds: "mixed",
    found:
      "a snapshot of a tree that was still ahead of its log, from a snapshot before, gave a digest as if it were not",
  },
];
