/**
 * What a learner must be sent to have the leader's history: nothing, the difference, a cut and the difference, or all.
 *
 * Two histories that share a zxid are equal up to it, and a server that has a zxid of an epoch has all before it of that
 * epoch and of the history that the epoch began with. So:
 *
 *   the learner's last zxid is in our history        DIFF from there
 *   ours has an earlier one of the same epoch        TRUNC to it, then DIFF: the learner's tail was never committed
 *   anything else                                    SNAP: what the learner has before its last epoch is anybody's guess
 *
 * Apache truncates across epochs too when the learner is ahead of everything committed; its learner may then lack what
 * it keeps. @see fact sheet "quorum-protocol", section 7; known-protocol-bugs, section B
 */
import { type Zxid, zxidCounter, zxidEpoch } from "@vivarium/protocol";
import { type CommittedLog, isSuccessor, type LogEntry } from "./committed-log.ts";
import type { Rules } from "./rules.ts";

export type SyncPlan =
  | { readonly mode: "diff"; readonly entries: readonly LogEntry[] }
  | { readonly mode: "trunc"; readonly zxid: Zxid; readonly entries: readonly LogEntry[] }
  | { readonly mode: "snap" }
  /** The committed log does not go back that far; the log on disk may. */
  | { readonly mode: "readLog" };

const snap: SyncPlan = { mode: "snap" };

export function planSync(learner: Zxid, log: CommittedLog, rules: Rules): SyncPlan {
  if (learner === log.last) return { mode: "diff", entries: [] };
  const floor = log.floor(learner);
  return floor === undefined ? { mode: "readLog" } : plan(learner, floor, log.after(floor), rules);
}

/** The same with what was read from disk, which must reach back to the learner and join the committed log. */
export function planSyncFromDisk(learner: Zxid, disk: readonly LogEntry[], log: CommittedLog, rules: Rules): SyncPlan {
  const first = disk[0];
  const last = disk.at(-1);
  if (first === undefined || last === undefined || first.zxid > learner || last.zxid < log.before) return snap;
  const entries = [...disk, ...log.after(last.zxid)];
  if (entries.some(({ zxid }, index) => index > 0 && !isSuccessor(zxid, (entries[index - 1] as LogEntry).zxid))) {
    return snap;
  }
  const after = entries.findIndex(({ zxid }) => zxid > learner);
  const index = after === -1 ? entries.length : after;
  return plan(learner, (entries[index - 1] as LogEntry).zxid, entries.slice(index), rules);
}

/** @param floor our last zxid that is not after the learner's; `entries` follow it. */
function plan(learner: Zxid, floor: Zxid, entries: readonly LogEntry[], rules: Rules): SyncPlan {
  if (floor === learner) return { mode: "diff", entries };
  // (e, 0) is no transaction: the server led or copied the beginning of an epoch, all of which we have if we go beyond.
  if (zxidCounter(learner) === 0) return learner > 0 && entries.length > 0 ? { mode: "diff", entries } : snap;
  const sameEpoch = zxidEpoch(floor) === zxidEpoch(learner) && zxidCounter(floor) > 0;
  return sameEpoch || !rules.truncWithinEpoch ? { mode: "trunc", zxid: floor, entries } : snap;
}
