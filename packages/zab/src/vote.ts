/** How votes are compared. @see fact sheet "quorum-protocol", section 4 */
import { type Notification, ServerState } from "@vivarium/protocol";
import type { Vote } from "./election-io.ts";

/** A vote as another server told it. */
export interface ToldVote extends Vote {
  readonly state: ServerState;
  readonly version: number;
}

export function toldVote({ leader, zxid, electionEpoch, peerEpoch, state, version }: Notification): ToldVote {
  return { leader, zxid, electionEpoch, peerEpoch, state, version };
}

/** Who knows more: the later epoch, then the longer log, then the larger id. */
export function isNewer(vote: Omit<Vote, "electionEpoch">, current: Omit<Vote, "electionEpoch">): boolean {
  if (vote.peerEpoch !== current.peerEpoch) return vote.peerEpoch > current.peerEpoch;
  if (vote.zxid !== current.zxid) return vote.zxid > current.zxid;
  return vote.leader > current.leader;
}

export function sameVote(a: Vote, b: Vote): boolean {
  return (
    a.leader === b.leader && a.zxid === b.zxid && a.electionEpoch === b.electionEpoch && a.peerEpoch === b.peerEpoch
  );
}

/**
 * Whether two votes support each other. Servers that have a leader keep the zxid and the round of the day they joined it,
 * so theirs are compared by leader and epoch; by leader alone with a server too old to keep the epoch up to date.
 */
export function supports(a: ToldVote, b: ToldVote, byLeaderAndEpoch: boolean): boolean {
  if (a.state === ServerState.LOOKING || b.state === ServerState.LOOKING || !byLeaderAndEpoch) return sameVote(a, b);
  if (a.version > 0 !== b.version > 0) return a.leader === b.leader;
  return a.leader === b.leader && a.peerEpoch === b.peerEpoch;
}
