// What was given and what the table made of it: handed from parse-config.ts to the rules between settings (settle-*.ts).

import type { ConfigProblem } from "./config-error.ts";
import type { BuiltValues, PatternName } from "./settings.ts";

/** A value and where it stands. */
export interface Given {
  /** As the operator wrote it: `--port`, `--set zookeeper.snapCount`, `snapCount`. */
  readonly key: string;
  readonly value: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** What the table made of the given values; input of settleConfig. */
export interface Readings {
  readonly file: string | undefined;
  readonly values: BuiltValues;
  /** By the plain name of the setting. */
  readonly given: ReadonlyMap<string, Given>;
  readonly patterned: readonly { readonly name: PatternName; readonly part: string; readonly given: Given }[];
  /** From the myid file: undefined when there is none or it holds no number. */
  readonly id: number | undefined;
  /** That file's name, for messages. */
  readonly idFile: string | undefined;
  /** Both grow while the configuration is settled. */
  readonly errors: ConfigProblem[];
  readonly warnings: ConfigProblem[];
}

/** Where a value stands, for a ConfigProblem. */
export function place(value: Given): Pick<ConfigProblem, "file" | "line" | "key"> {
  return { file: value.file, line: value.line, key: value.key };
}
