/**
 * Reads are sequentially consistent per session: what a session is told comes from states of the tree that never go back,
 * that contain its own earlier writes, and that are no newer than the zxid that the reply names. After a sync they contain
 * all that anybody had been told before it. On a lone server every read contains that.
 *
 * Refusals are readings too: NoNode says that there was a moment without the node.
 */
import { ErrorCode, type Stat, type Zxid, zxidHex } from "@vivarium/protocol";
import type { History, Operation } from "../workload/history.ts";
import { describeOperation, isWrite, type Placement } from "./check-writes.ts";
import type { ModelNode, State } from "./model.ts";
import type { Truth } from "./truth.ts";
import { violation } from "./violation.ts";

/** The first zxid of the state that a read was answered from. */
export type ReadStates = Map<Operation, Zxid>;

export interface ReadOptions {
  /** True where there is one server: nobody can lag behind. */
  linearizable: boolean;
}

export function checkReads(
  { history, truth, placement }: { history: History; truth: Truth; placement: Placement },
  options: ReadOptions,
): ReadStates {
  const states: ReadStates = new Map();
  for (const session of history.sessions) {
    const reader = new SessionReader(truth, placement, states, options);
    for (const operation of session.operations) reader.check(operation);
  }
  return states;
}

class SessionReader {
  readonly #truth: Truth;
  readonly #placement: Placement;
  readonly #states: ReadStates;
  readonly #options: ReadOptions;
  /** The session has seen this transaction, or must have. */
  #seen: Zxid = 0;

  constructor(truth: Truth, placement: Placement, states: ReadStates, options: ReadOptions) {
    this.#truth = truth;
    this.#placement = placement;
    this.#states = states;
    this.#options = options;
  }

  check(operation: Operation): void {
    const { outcome, kind } = operation;
    if (outcome !== "ok" && outcome !== "refused") return;
    if (this.#options.linearizable || isWrite(operation)) this.#seen = Math.max(this.#seen, operation.toldBefore);
    if (outcome === "refused") return this.#refused(operation);
    switch (kind) {
      case "sync":
        this.#seen = Math.max(this.#seen, operation.toldBefore);
        return;
      case "getData":
        return this.#read(
          operation,
          (node) => node !== null && isAs(node, operation.stat) && node.data === operation.found,
        );
      case "exists": {
        const { stat } = operation;
        return this.#read(operation, (node) => (node === null ? stat === null : isAs(node, stat)));
      }
      case "getChildren":
        return this.#read(
          operation,
          (node, from) => node !== null && isAs(node, operation.stat) && this.#hasChildren(operation, from),
        );
      case "multiRead":
        return this.#readMany(operation);
      default:
        this.#seen = Math.max(this.#seen, this.#placement.get(operation)?.zxid ?? 0);
    }
  }

  #hasChildren({ path, children }: Operation, zxid: Zxid): boolean {
    const expected = this.#truth.model.childrenAt(path, zxid);
    return expected.length === children.length && expected.every((name, at) => name === children[at]);
  }

  #read(operation: Operation, matches: (node: ModelNode | null, from: Zxid) => boolean): void {
    const found = this.#find(operation.path, operation.seen, matches);
    if (found !== undefined) {
      this.#states.set(operation, found.from);
      this.#seen = Math.max(this.#seen, found.from);
      return;
    }
    const everywhere = this.#truth.model.states(operation.path).filter(({ node, from }) => matches(node, from));
    const [first] = everywhere;
    const what =
      first === undefined
        ? "read what never was"
        : first.from > operation.seen
          ? `read 0x${zxidHex(first.from)}, which is newer than the 0x${zxidHex(operation.seen)} of its reply`
          : `read the state of 0x${zxidHex(first.from)}, which had changed before 0x${zxidHex(this.#seen)}, and that had been seen`;
    this.#report(operation, `${what}: ${foundText(operation)}`);
  }

  /** The oldest matching state that the session may still see. */
  #find(path: string, newest: Zxid, matches: (node: ModelNode | null, from: Zxid) => boolean): State | undefined {
    const states = this.#truth.model.states(path);
    for (let at = Math.max(0, indexAt(states, this.#seen)); at < states.length; at++) {
      const state = states[at] as State;
      if (state.from > newest) return undefined;
      if (matches(state.node, state.from)) return state;
    }
    return undefined;
  }

  /** All from one moment: the states that were read must overlap. */
  #readMany(operation: Operation): void {
    const { paths, reads, seen } = operation;
    const { model } = this.#truth;
    let from: Zxid = this.#seen;
    let before = Number.POSITIVE_INFINITY;
    for (const [at, path] of paths.entries()) {
      const read = reads[at] ?? null;
      const states = model.states(path);
      const index = states.findIndex(({ node }) =>
        read === null ? node === null : node !== null && isAs(node, read.stat) && node.data === read.data,
      );
      const state = states[index];
      if (state === undefined) return this.#report(operation, `read at ${path} what never was`);
      from = Math.max(from, state.from);
      before = Math.min(before, states[index + 1]?.from ?? Number.POSITIVE_INFINITY);
    }
    if (from >= before || from > seen) {
      return this.#report(
        operation,
        `read from no one moment that it may see: not before 0x${zxidHex(from)}, but before 0x${zxidHex(before)}`,
      );
    }
    this.#states.set(operation, from);
    this.#seen = from;
  }

  #refused(operation: Operation): void {
    const { code, kind, path, version, seen } = operation;
    if (kind === "multi" || kind === "multiRead" || operation.sequential) return;
    const refuses = refusalOf(kind, code, version);
    if (refuses === undefined) return;
    if (this.#find(path, seen, refuses) !== undefined) return;
    const last = this.#truth.model.states(path).at(-1);
    this.#report(
      operation,
      `was refused without a reason; the last state is ${JSON.stringify(last?.node ?? null, bigints)}`,
    );
  }

  #report(operation: Operation, what: string): void {
    const { path, session } = operation;
    const rule = "reads are consistent";
    this.#truth.report(violation(rule, `${describeOperation(operation)} ${what}`, path, session.name));
  }
}

/** What must be true of a node when a call is refused with a code; undefined for codes that say nothing about it. */
function refusalOf(kind: string, code: number, version: number): ((node: ModelNode | null) => boolean) | undefined {
  switch (code) {
    case ErrorCode.NONODE:
      return kind === "create" ? undefined : (node) => node === null;
    case ErrorCode.NODEEXISTS:
      return (node) => node !== null;
    case ErrorCode.BADVERSION:
      return (node) => node !== null && node.version !== version;
    case ErrorCode.NOTEMPTY:
      return (node) => node !== null && node.childCount > 0;
    default:
      return undefined;
  }
}

function isAs(node: ModelNode, stat: Stat | null): boolean {
  return (
    stat !== null &&
    node.mzxid === stat.mzxid &&
    node.pzxid === stat.pzxid &&
    node.czxid === stat.czxid &&
    node.version === stat.version &&
    node.cversion === stat.cversion &&
    node.owner === stat.ephemeralOwner &&
    node.childCount === stat.numChildren &&
    node.data.length === stat.dataLength
  );
}

/** The state that holds at a zxid. */
export function indexAt(states: readonly State[], zxid: Zxid): number {
  let low = 0;
  let high = states.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((states[middle] as State).from <= zxid) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function foundText({ stat, found, children }: Operation): string {
  return JSON.stringify({ stat, found: found.slice(0, 60), children }, bigints);
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `0x${BigInt.asUintN(64, value).toString(16)}` : value;
}
