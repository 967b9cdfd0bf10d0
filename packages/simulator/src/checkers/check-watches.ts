/**
 * Watches: the first change after what was read is announced once, with its own type and zxid, and before the session is
 * shown anything of that change or of what came after it. After the run every session that still lives has been told.
 */
import { type Stat, type Zxid, zxidHex } from "@vivarium/protocol";
import type { History, Operation, SessionRecord, WatchRecord } from "../workload/history.ts";
import type { ReadStates } from "./check-reads.ts";
import { indexAt } from "./check-reads.ts";
import { describeOperation, type Placement } from "./check-writes.ts";
import type { ModelNode, State } from "./model.ts";
import type { Truth } from "./truth.ts";
import { violation } from "./violation.ts";

export interface WatchCheck {
  history: History;
  truth: Truth;
  placement: Placement;
  states: ReadStates;
}

export function checkWatches(check: WatchCheck): void {
  for (const session of check.history.sessions) {
    const shown = shownByReturn(session, check);
    for (const operation of session.operations) {
      if (operation.watch !== null && operation.outcome === "ok") checkWatch(operation, operation.watch, shown, check);
    }
  }
}

/** What a session had certainly been shown at its returns: order of the return, zxid. In order of return, rising. */
export interface Shown {
  readonly order: number;
  readonly zxid: Zxid;
  readonly connection: number;
}

export function shownByReturn({ operations }: SessionRecord, { placement, states }: WatchCheck): Shown[] {
  const shown: Shown[] = [];
  for (const operation of operations) {
    if (operation.outcome !== "ok") continue;
    const zxid = states.get(operation) ?? placement.get(operation)?.zxid;
    if (zxid !== undefined) shown.push({ order: operation.order, zxid, connection: operation.connection });
  }
  return shown.sort((a, b) => a.order - b.order);
}

function checkWatch(operation: Operation, watch: WatchRecord, shown: readonly Shown[], check: WatchCheck): void {
  const { session, path } = operation;
  const { truth } = check;
  const wrong = (what: string): void =>
    truth.report(
      violation("watches tell before data", `the watch of ${describeOperation(operation)} ${what}`, path, session.name),
    );
  const change = firstChange(operation, watch, check);
  const { event } = watch;
  if (event?.type === "lost") return;
  if (watch.extra > 0) wrong(`was told of ${watch.extra + 1} events`);
  if (event !== null && change === undefined) return wrong(`was told ${event.type}, but nothing changed`);
  if (change === undefined) return;
  // A node that came and went while the session had no connection has left no trace that the server could look for.
  if (operation.stat === null && session.connections > watch.connection) return;
  const early = shown.find(({ order, zxid }) => zxid >= change.from && (event === null || order < event.order));
  if (early !== undefined) {
    const told = event === null ? "was never told of it" : "was told later";
    return wrong(`${told}: 0x${zxidHex(change.from)} changed it, and the session was shown 0x${zxidHex(early.zxid)}`);
  }
  if (event === null || event.connection !== watch.connection || event.zxid === null) return;
  if (event.zxid !== change.from)
    wrong(`was told 0x${zxidHex(event.zxid)}, but the change is 0x${zxidHex(change.from)}`);
  const type = typeOf(watch, change);
  if (event.type !== type) wrong(`was told ${event.type}, but it was ${type}`);
}

interface Change {
  readonly from: Zxid;
  readonly before: ModelNode | null;
  readonly after: ModelNode | null;
}

/** The first state after the one that was read in which what is watched differs. */
function firstChange(
  operation: Operation,
  watch: WatchRecord,
  { truth, states: found }: WatchCheck,
): Change | undefined {
  const states = truth.model.states(operation.path);
  const reads = operation.stat === null ? absences(operation, states, found) : [stateRead(operation.stat, states)];
  const changes = reads.map((read) => changeAfter(read, watch, states));
  return changes.find((change) => change?.from === watch.event?.zxid) ?? changes[0];
}

function changeAfter(read: number, watch: WatchRecord, states: readonly State[]): Change | undefined {
  if (read === -1) return undefined;
  for (let at = read + 1; at < states.length; at++) {
    const before = (states[at - 1] as State).node;
    const { from, node: after } = states[at] as State;
    if (isSeen(watch.kind, before, after)) return { from, before, after };
  }
  return undefined;
}

/** What was read is the state whose zxids the Stat names. */
function stateRead(stat: Stat, states: readonly State[]): number {
  return states.findIndex(
    ({ node }) => node !== null && node.czxid === stat.czxid && node.mzxid === stat.mzxid && node.pzxid === stat.pzxid,
  );
}

/**
 * "No node" names no state: it may be any without the node, from the oldest that the session might still see to the
 * newest that it had been told of, the newest first. For of what arrives together the client tells us after all of it.
 */
function absences(operation: Operation, states: readonly State[], found: ReadStates): number[] {
  const newest = indexAt(states, operation.seen);
  const oldest = Math.max(0, indexAt(states, found.get(operation) ?? operation.seen));
  const absent: number[] = [];
  for (let at = newest; at >= oldest; at--) if (states[at]?.node === null) absent.push(at);
  return absent;
}

function isSeen(kind: WatchRecord["kind"], before: ModelNode | null, after: ModelNode | null): boolean {
  if (before === null || after === null || before.czxid !== after.czxid) return true;
  return kind === "child" ? before.pzxid !== after.pzxid : before.mzxid !== after.mzxid;
}

function typeOf({ kind }: WatchRecord, { before, after }: Change): string {
  if (after === null) return "deleted";
  if (before === null) return "created";
  return kind === "child" ? "childrenChanged" : "dataChanged";
}
