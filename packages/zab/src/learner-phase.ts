/** How far a learner is with its leader, in order. */
export const LearnerPhase = {
  /** LEADERINFO is awaited. */
  discovery: 0,
  /** DIFF, TRUNC or SNAP is awaited. */
  accepted: 1,
  /** The history comes in; NEWLEADER ends it. */
  syncing: 2,
  /** NEWLEADER is acknowledged, UPTODATE awaited. */
  inStep: 3,
  serving: 4,
  ended: 5,
} as const;
export type LearnerPhase = (typeof LearnerPhase)[keyof typeof LearnerPhase];
