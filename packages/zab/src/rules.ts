/**
 * The rules that each prevent a known way to lose data or to stand still. All of them hold; a test may switch one off to
 * show that its scenario then fails, which proves that the scenario tests the rule.
 *
 * Numbers are of Apache's issues; the stories are in docs or in the tests that bear the rule's name.
 */
export interface Rules {
  /** Transactions of a sync are on disk before currentEpoch says so (4643, 4785). */
  readonly epochAfterData: boolean;
  /** NEWLEADER is acknowledged after those transactions and the epoch are on disk (3911, 3023, 4646). */
  readonly newLeaderAckAfterFlush: boolean;
  /** A PROPOSAL is acknowledged after it is on disk. */
  readonly ackAfterFlush: boolean;
  /** ACKEPOCH is sent after acceptedEpoch is on disk (335, 1081). */
  readonly acceptedEpochFirst: boolean;
  /** No proposal is logged or acknowledged between a sync's start and UPTODATE but what is committed (4685). */
  readonly noAckBeforeNewLeader: boolean;
  /** Proposals that are not committed at NEWLEADER stay queued: their COMMIT may come before UPTODATE (4394). */
  readonly keepUncommittedAtNewLeader: boolean;
  /** Transactions of a sync join the committed log like all others (4925). */
  readonly syncJoinsCommittedLog: boolean;
  /** A proposal that does not follow its predecessor ends the connection (4925, design rule 5). */
  readonly continuity: boolean;
  /** Only voters of the committed membership make up the quorums of discovery (2959). */
  readonly countOnlyVoters: boolean;
  /** The new epoch is above every accepted epoch that was told in time (1343). */
  readonly epochAboveAllAccepted: boolean;
  /** A voter that has accepted a later epoch can never follow this leader, which therefore makes way for a later one. */
  readonly makeWayForHigherEpoch: boolean;
  /** A learner that knows a longer history than the leader is refused, and not counted. */
  readonly leaderHasLongestHistory: boolean;
  /** A learner is told every proposal from the moment its sync was decided (882, 962; issue 1 of the Zab paper). */
  readonly forwardFromDecision: boolean;
  /** TRUNC stays within one epoch: elsewhere the learner may lack what it would be truncated to. */
  readonly truncWithinEpoch: boolean;
  /** An acknowledgement is worth as much as the connection it came by: what a TRUNC takes away counts no more. */
  readonly acksEndWithLink: boolean;
  /** A leader asks its quorum before it answers a sync: it may have been deposed and not know it. */
  readonly syncAsksQuorum: boolean;
  /** A snapshot that did not reach the disk leaves nothing in memory (3642). */
  readonly discardUnstoredSnapshot: boolean;
  /** Votes of those who have a leader are compared by leader and epoch only (1732, 1805, 1818). */
  readonly settledVotesByLeaderAndEpoch: boolean;
  /** A leader is followed only when it says itself that it leads (3537). */
  readonly leaderMustLead: boolean;
  /** A vote waits a moment for a better one before it is final. */
  readonly finalizeWait: boolean;
}

export const allRules: Rules = {
  epochAfterData: true,
  newLeaderAckAfterFlush: true,
  ackAfterFlush: true,
  acceptedEpochFirst: true,
  noAckBeforeNewLeader: true,
  keepUncommittedAtNewLeader: true,
  syncJoinsCommittedLog: true,
  continuity: true,
  countOnlyVoters: true,
  epochAboveAllAccepted: true,
  makeWayForHigherEpoch: true,
  leaderHasLongestHistory: true,
  forwardFromDecision: true,
  truncWithinEpoch: true,
  acksEndWithLink: true,
  syncAsksQuorum: true,
  discardUnstoredSnapshot: true,
  settledVotesByLeaderAndEpoch: true,
  leaderMustLead: true,
  finalizeWait: true,
};
