/**
 * Writes are linearizable: each acknowledged one is a committed transaction of its own, with the effect that was asked
 * for, placed between its call and its return, and in the order in which its session asked. What was refused or never
 * sent is nowhere in the history, and nothing is there that nobody asked for.
 */
import { errorName, OpCode, type Zxid, zxidHex } from "@vivarium/protocol";
import type { History, Operation } from "../workload/history.ts";
import type { Committed, Effect } from "./committed.ts";
import { hex } from "./model.ts";
import type { Truth } from "./truth.ts";
import { violation } from "./violation.ts";

const WRITES: readonly string[] = ["create", "setData", "delete", "multi"];

/** The transaction of each write that was committed. */
export type Placement = ReadonlyMap<Operation, Committed>;

export function isWrite({ kind }: Operation): boolean {
  return WRITES.includes(kind);
}

export function describeOperation({ index, session, kind, path, outcome }: Operation): string {
  return `#${index} of ${session.name} (${kind} ${path}, ${outcome})`;
}

export function checkWrites(history: History, truth: Truth): Placement {
  const placement = place(history, truth);
  for (const operation of history.operations) {
    if (!isWrite(operation)) continue;
    const txn = placement.get(operation);
    if (operation.outcome === "ok") checkAcknowledged(operation, txn, truth);
    else if (txn !== undefined) checkUnacknowledged(operation, txn, truth);
  }
  for (const session of history.sessions) checkOrder(session.operations, placement, truth);
  checkPhantoms(history, placement, truth);
  return placement;
}

function place(history: History, truth: Truth): Map<Operation, Committed> {
  const byData = new Map<string, Committed>();
  const deletes = new Map<string, Committed[]>();
  for (const txn of truth.history) {
    for (const effect of txn.effects) {
      if (effect.kind !== "delete") {
        if (effect.data !== "" && !byData.has(effect.data)) byData.set(effect.data, txn);
        continue;
      }
      if (txn.type !== OpCode.delete) continue;
      const key = `${hex(txn.sessionId)} ${effect.path}`;
      const list = deletes.get(key) ?? [];
      list.push(txn);
      deletes.set(key, list);
    }
  }
  const placement = new Map<Operation, Committed>();
  for (const operation of history.operations) {
    const data = operation.kind === "multi" ? operation.parts.find((part) => part.data !== "")?.data : operation.data;
    const txn = data === undefined || data === "" ? undefined : byData.get(data);
    if (isWrite(operation) && txn !== undefined) placement.set(operation, txn);
  }
  placeDeletes(history, deletes, placement);
  return placement;
}

/** A delete carries nothing of its own: those that were answered take theirs first, then those in doubt what is left. */
function placeDeletes(history: History, deletes: Map<string, Committed[]>, placement: Map<Operation, Committed>): void {
  for (const outcomes of [["ok"], ["unknown", "pending"]]) {
    for (const operation of history.operations) {
      if (operation.kind !== "delete" || !outcomes.includes(operation.outcome)) continue;
      const left = deletes.get(`${hex(operation.session.id)} ${operation.path}`) ?? [];
      const at = left.findIndex(
        ({ zxid }) => zxid > operation.toldBefore && (operation.outcome !== "ok" || zxid <= operation.seen),
      );
      if (at === -1) continue;
      placement.set(operation, left[at] as Committed);
      left.splice(at, 1);
    }
  }
}

function checkAcknowledged(operation: Operation, txn: Committed | undefined, truth: Truth): void {
  const { session, toldBefore, seen, path } = operation;
  const told = (rule: string, what: string): void =>
    truth.report(violation(rule, `${describeOperation(operation)} ${what}`, path, session.name));
  if (txn === undefined) return told("acknowledged writes are committed", "is not in the committed history");
  if (txn.sessionId !== session.id)
    told("writes belong to their session", `was done by session 0x${hex(txn.sessionId)}`);
  if (txn.zxid <= toldBefore) {
    told(
      "writes are linearizable",
      `is 0x${zxidHex(txn.zxid)}, but 0x${zxidHex(toldBefore)} was known before it was asked`,
    );
  }
  if (txn.zxid > seen) {
    told("a reply tells its zxid", `is 0x${zxidHex(txn.zxid)}, and its reply told only 0x${zxidHex(seen)}`);
  }
  const problem = effectProblem(operation, txn);
  if (problem !== undefined) told("a write does what was asked", `${problem}: ${effectsText(txn)}`);
}

function effectProblem(operation: Operation, { effects, zxid }: Committed): string | undefined {
  const { kind, path, version, sequential, createdPath, stat, parts } = operation;
  const [effect] = effects;
  if (kind === "multi") return multiProblem(parts, effects);
  if (effects.length !== 1 || effect === undefined || effect.kind !== kind) return "did something else";
  const isRight = sequential ? isNumbered(effect.path, path) : effect.path === path;
  if (!isRight) return "was done elsewhere";
  if (effect.kind === "create" && effect.path !== createdPath) return `was said to be ${createdPath}`;
  if (effect.kind === "setData" && version !== -1 && effect.version !== version + 1) return "had another version";
  if (stat !== null && stat.mzxid !== zxid) return `was said to be 0x${zxidHex(stat.mzxid)}`;
  return undefined;
}

function effectsText({ effects }: Committed): string {
  return effects.map(({ kind, path }) => `${kind} ${path}`).join(", ") || "nothing";
}

const SEQUENCE_DIGITS = 10;

function isNumbered(path: string, prefix: string): boolean {
  return (
    path.startsWith(prefix) &&
    /^\d+$/.test(path.slice(prefix.length)) &&
    path.length === prefix.length + SEQUENCE_DIGITS
  );
}

function multiProblem(parts: Operation["parts"], effects: readonly Effect[]): string | undefined {
  const wanted = parts.filter((part) => part.kind !== "check");
  if (effects.length !== wanted.length) return "was done in part";
  for (const [at, part] of wanted.entries()) {
    const effect = effects[at] as Effect;
    if (effect.kind !== part.kind || effect.path !== part.path) return "did something else";
    if (effect.kind !== "delete" && effect.data !== part.data) return "wrote something else";
    if (effect.kind === "setData" && part.version !== -1 && effect.version !== part.version + 1) {
      return "had another version";
    }
  }
  return undefined;
}

function checkUnacknowledged(operation: Operation, { zxid }: Committed, truth: Truth): void {
  if (operation.outcome !== "refused" && operation.outcome !== "unsent") return;
  const why = operation.outcome === "refused" ? errorName(operation.code) : "never sent";
  const what = `${describeOperation(operation)} was ${why}, but it is committed as 0x${zxidHex(zxid)}`;
  truth.report(violation("what was refused is not done", what, operation.path, operation.session.name));
}

/** Requests of one session are carried out in the order in which it made them. */
function checkOrder(operations: readonly Operation[], placement: Placement, truth: Truth): void {
  let last: Zxid = 0;
  for (const operation of operations) {
    const txn = placement.get(operation);
    if (txn === undefined) continue;
    // Which of two deletes in doubt was done, nobody can say.
    if (operation.kind === "delete" && operation.outcome !== "ok") continue;
    if (txn.zxid <= last) {
      const what = `${describeOperation(operation)} is 0x${zxidHex(txn.zxid)}, after 0x${zxidHex(last)} of an earlier call`;
      truth.report(violation("writes of a session keep their order", what, operation.path, operation.session.name));
    }
    last = Math.max(last, txn.zxid);
  }
}

/** Every change of a client's is one that it asked for, and is made once. */
function checkPhantoms(history: History, placement: Placement, truth: Truth): void {
  const placed = new Set(placement.values());
  const ids = new Set(history.sessions.map((session) => session.id));
  if (placed.size !== placement.size) {
    truth.report(violation("a write is done once", "two calls are one transaction"));
  }
  for (const txn of truth.history) {
    if (txn.effects.length === 0 || txn.type === OpCode.deleteContainer || placed.has(txn)) continue;
    const who = ids.has(txn.sessionId)
      ? "which its session never asked for, or it was done twice"
      : "by nobody's session";
    const what = `0x${zxidHex(txn.zxid)} is committed, ${who}: ${effectsText(txn)}`;
    truth.report(violation("a write is done once", what, hex(txn.sessionId)));
  }
}
