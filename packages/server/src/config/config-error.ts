// What can be wrong with a configuration, and how it is said: where, which key, what is wrong, what to write instead.

/** One thing wrong, or worth knowing, about one setting. */
export interface ConfigProblem {
  /** The file, or undefined for the command line. */
  readonly file: string | undefined;
  /** Line from 1, or undefined when it is not about one line. */
  readonly line: number | undefined;
  /** The setting, or the option, as the operator wrote it. */
  readonly key: string;
  /** What is wrong: a sentence without its full stop. */
  readonly message: string;
  /** What to write or do instead: a sentence with its full stop, or empty. */
  readonly hint: string;
}

/** `zoo.cfg:7: tickTime: "abc" cannot be read. Write ...` */
export function formatProblem(problem: ConfigProblem): string {
  const place =
    problem.file === undefined ? "" : `${problem.file}${problem.line === undefined ? "" : `:${problem.line}`}: `;
  const hint = problem.hint === "" ? "" : ` ${problem.hint}`;
  return `${place}${problem.key}: ${problem.message}.${hint}`;
}

/**
 * The configuration cannot be used. The message lists every problem found, one per line; the fields are those of the first.
 * The process should end with exit code 2.
 */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly key: string;
  readonly hint: string;

  constructor(first: ConfigProblem, ...others: readonly ConfigProblem[]) {
    const problems = [first, ...others];
    super(problems.map(formatProblem).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
    this.file = first.file;
    this.line = first.line;
    this.key = first.key;
    this.hint = first.hint;
  }
}
