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
  override readonly name = "ConfigError";
  /** At least one. */
  readonly problems: readonly ConfigProblem[];
  /** What else the operator should know while correcting them. */
  readonly warnings: readonly ConfigProblem[];
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly key: string;
  readonly hint: string;

  constructor(problems: readonly [ConfigProblem, ...ConfigProblem[]], warnings: readonly ConfigProblem[] = []) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
    this.warnings = warnings;
    const [{ file, line, key, hint }] = problems;
    this.file = file;
    this.line = line;
    this.key = key;
    this.hint = hint;
  }
}
