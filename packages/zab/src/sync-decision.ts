/**
 * What a learner must be sent to have the leader's history: nothing, the difference, a cut and the difference, or all.
 *
 * Two histories that share a zxid are equal up to it, and a server that has a zxid of an epoch has all before it of that
 * epoch and of the history that the epoch began with. So:
 *
 *   the learner's last zxid is in our history        DIFF from there
 *   ours has an earlier one of the same epoch        TRUNC to it, then DIFF: the learner's tail was never committed
 *   its last zxid is of this very leader's epoch     the same: it has all that the leader began with
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

/** Who is to be synced, and by whom. */
export interface SyncQuestion {
  /** The learner's last logged zxid. */
  readonly learner: Zxid;
  /** The leader's epoch: transactions of it are the leader's own. */
  readonly epoch: number;
  readonly log: CommittedLog;
  readonly rules: Rules;
}

const snap: SyncPlan = { mode: "snap" };

export function planSync(question: SyncQuestion): SyncPlan {
  const { learner, log } = question;
  if (learner === log.last) return { mode: "diff", entries: [] };
  const floor = log.floor(learner);
  return floor === undefined ? { mode: "readLog" } : plan(question, floor, log.after(floor));
}

/** The same with what was read from disk, which must reach back to the learner and join the committed log. */
export function planSyncFromDisk(question: SyncQuestion, disk: readonly LogEntry[]): SyncPlan {
  const { learner, log } = question;
  const first = disk[0];
  const last = disk.at(-1);
  if (first === undefined || last === undefined || first.zxid > learner || last.zxid < log.before) return snap;
  const entries = [...disk, ...log.after(last.zxid)];
  if (entries.some(({ zxid }, index) => index > 0 && !isSuccessor(zxid, (entries[index - 1] as LogEntry).zxid))) {
    return snap;
  }
  const after = entries.findIndex(({ zxid }) => zxid > learner);
  const index = after === -1 ? entries.length : after;
  return plan(question, (entries[index - 1] as LogEntry).zxid, entries.slice(index));
}

/** @param floor our last zxid that is not after the learner's; `entries` follow it. */
function plan({ learner, epoch, rules }: SyncQuestion, floor: Zxid, entries: readonly LogEntry[]): SyncPlan {
  if (floor === learner) return { mode: "diff", entries };
  // (e, 0) is no transaction: the server led or copied the beginning of an epoch, all of which we have if we go beyond.
  if (zxidCounter(learner) === 0) return learner > 0 && entries.length > 0 ? { mode: "diff", entries } : snap;
  const hasFloor = zxidEpoch(learner) === zxidEpoch(floor) || zxidEpoch(learner) === epoch;
  return (hasFloor && zxidCounter(floor) > 0) || !rules.truncWithinEpoch
    ? { mode: "trunc", zxid: floor, entries }
    : snap;
}
