/**
 * Agreement: who leads, what comes next, and who may forget what. Three machines, each `step(input, nowMs)` → outputs;
 * outputs are performed in their order, each before anything that a later input brings.
 *
 *   FastLeaderElection ── elected ──► Leader   ◄── packets ──► Learner (follower, observer)
 *            ▲                          │                         │
 *            └───────── look ◄──────────┴────── stepDown ◄────────┘
 *
 * Disk is not in here: what is durable comes in as an input, and nothing that depends on it goes out before.
 */
export { COMMIT_LOG_COUNT, CommittedLog, isSuccessor, type LogEntry } from "./committed-log.ts";
export type { ElectionInput, ElectionOptions, ElectionOutput, Vote } from "./election-io.ts";
export { FastLeaderElection } from "./fast-leader-election.ts";
export { Leader } from "./leader.ts";
export type { LeaderInput, LeaderOptions, LeaderOutput, LearnerCounts, Link } from "./leader-io.ts";
export { Learner } from "./learner.ts";
export type { LearnerInput, LearnerOptions, LearnerOutput } from "./learner-io.ts";
export {
  hierarchical,
  majority,
  Quorums,
  type QuorumVerifier,
  quorumVerifier,
  type ServerSet,
} from "./quorum-verifier.ts";
export { allRules, type Rules } from "./rules.ts";
