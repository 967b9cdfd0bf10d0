/** The door to being a member of an ensemble, behind which lies all that a standalone server does without. */
import { allRules, type Rules } from "@vivarium/zab";
import type { StandaloneServerOptions } from "../standalone-server.ts";
import { ensembleView } from "./ensemble-view.ts";
import { QuorumPeer } from "./quorum-peer.ts";

/** @throws ConfigError */
export function newPeer(options: StandaloneServerOptions, rules: Partial<Rules> = {}): QuorumPeer {
  return new QuorumPeer({ ...options, view: ensembleView(options.config, { ...allRules, ...rules }) });
}
