// The typed configuration a server starts from: one field per working setting, defaults and dependent values filled in.

import type { Membership } from "@vivarium/protocol";
import type { BuiltValues } from "./settings.ts";

/** Settings whose final type says more than what their own text reads as. */
type Settled = "clientPort" | "dataDir" | "dataLogDir" | "fourLetterWords";

/**
 * Everything a server needs to know. Sizes are bytes and times milliseconds unless the name says otherwise;
 * the meaning of each field is its sentence in the table of settings (docs/configuration.md).
 */
export interface ServerConfig extends Omit<BuiltValues, Settled> {
  /** The configuration file, as given; undefined when there was none. */
  readonly file: string | undefined;
  /** 0 lets the system choose. */
  readonly clientPort: number;
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** The four-letter words to answer; always with `srvr`. */
  readonly fourLetterWords: ReadonlySet<string>;
  /** npm modules with further authentication schemes, in the order of their keys. */
  readonly authProviders: readonly { readonly key: string; readonly module: string }[];
  /** server.N, group.N and weight.N. */
  readonly membership: Membership;
  /** This server's number among them, from the file dataDir/myid; undefined when there is none. */
  readonly id: number | undefined;
  /** Whether this server is a member of an ensemble; otherwise it runs alone. */
  readonly isDistributed: boolean;
  /** Every setting given in the file or on the command line, by its plain name, as written. */
  readonly given: ReadonlyMap<string, string>;
}
