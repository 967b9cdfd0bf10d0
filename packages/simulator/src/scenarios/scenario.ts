/**
 * A known bug as a play: steps that once led real servers into it, and what must be true at the end. Each play is given
 * twice: to the servers as they are, which must keep every promise, and to each of its mutants, which must be found out.
 */
import type { StartServerOptions } from "@vivarium/server";

/** Rules of agreement that are switched off. */
export type Rules = NonNullable<StartServerOptions["rules"]>;

/** The servers with one rule broken. */
export type Mutant = SwitchedOff | Rewritten;

interface Broken {
  /** What must be found wrong: a mutant that fails for another reason proves nothing. */
  readonly fails: RegExp;
}

/** One of zab's rules does not hold. */
interface SwitchedOff extends Broken {
  readonly without: keyof Rules;
}

/** The code says something else in one place. */
interface Rewritten extends Broken, Edit {
  /** What the servers do wrong, in words. */
  readonly broken: string;
  /** Where other rules would save the day, they are broken too. */
  readonly also?: readonly Edit[];
}

/** What stands in a file once, however it is wrapped, reads otherwise. */
export interface Edit {
  /** As in "storage/truncation.ts". */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Scenario {
  /** As the bugs are called in docs/known-bugs.md. */
  readonly about: readonly string[];
  readonly title: string;
  /** What is otherwise for this play than in the world, for everyone: a limit that would take too long to reach. */
  readonly given?: readonly Edit[];
  /** @throws Error when a promise is broken */
  readonly play: (rules: Rules) => void | Promise<void>;
  readonly mutants: readonly [Mutant, ...Mutant[]];
}
