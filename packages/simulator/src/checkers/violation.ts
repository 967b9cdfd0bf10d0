/** A promise of ZooKeeper that was broken. */
export interface Violation {
  /** Which one, in a few words that stay the same from seed to seed. */
  readonly rule: string;
  /** What was seen. */
  readonly what: string;
  /** Words by which the story picks the lines that matter: paths, sessions, servers. */
  readonly about: readonly string[];
}

export type Report = (found: Violation) => void;

export function violation(rule: string, what: string, ...about: string[]): Violation {
  return { rule, what, about };
}
