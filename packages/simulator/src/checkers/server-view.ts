/**
 * One life of one server, seen from outside. Its transactions count as committed once it serves clients; what it replays
 * before that is held until then.
 *
 *   applied ─► pending ──serves──► compared with the history, or appended to it
 *      └──────while it serves─────────────────────┘
 */
import { digestToBigInt, type Txn, type Zxid, zxidCounter, zxidHex } from "@vivarium/protocol";
import { type Committed, committedFrom } from "./committed.ts";
import type { Truth } from "./truth.ts";
import { violation } from "./violation.ts";

/** Of a server's tree, as far as it is needed here. */
export interface ObservedTree {
  readonly lastProcessedZxid: Zxid;
  digest(): bigint;
}

export interface ServerViewOptions {
  name: string;
  truth: Truth;
  nowMs: () => number;
}

export class ServerView {
  readonly #name: string;
  readonly #truth: Truth;
  readonly #nowMs: () => number;
  #tree: ObservedTree | null = null;
  #pending: Committed[] = [];
  #position: Zxid = 0;
  #serving = false;

  constructor({ name, truth, nowMs }: ServerViewOptions) {
    this.#name = name;
    this.#truth = truth;
    this.#nowMs = nowMs;
  }

  /** The zxid up to which clients of this server see the tree. */
  get position(): Zxid {
    return this.#position;
  }

  applied(txn: Txn, tree: ObservedTree): void {
    const isNew = tree !== this.#tree;
    if (isNew) {
      this.#tree = tree;
      this.#pending = [];
      this.#serving = false;
    }
    if (this.#serving) {
      this.#truth.applied(this.#name, committedFrom(txn, tree.digest(), this.#nowMs()), this.#position);
      this.#position = txn.header.zxid;
      return;
    }
    // While a fuzzy snapshot is replayed the tree's digest means nothing; most transactions say what it should be.
    const committed = committedFrom(txn, txn.digest === null ? null : digestToBigInt(txn.digest), this.#nowMs());
    this.#truth.saw(committed, this.#pending.at(-1)?.zxid ?? (isNew ? null : this.#position));
    this.#pending.push(committed);
  }

  /** It serves clients from now on. `knowsUpTo`: nothing up to this zxid can be committed without it. */
  serves(tree: ObservedTree, { knowsUpTo }: { knowsUpTo: Zxid }): void {
    const truth = this.#truth;
    const name = this.#name;
    const pending = tree === this.#tree ? this.#pending : [];
    const last = this.#lastOf(tree, pending);
    const owed = truth.last(knowsUpTo);
    if (last < owed) {
      const what = `${name} serves from 0x${zxidHex(last)} on, but 0x${zxidHex(owed)} was committed`;
      truth.report(violation("what is committed survives", what, name));
      return;
    }
    truth.adopt(name, last);
    this.#comparePending(pending);
    this.#tree = tree;
    this.#pending = [];
    this.#position = last;
    this.#serving = true;
    if (last > 0 && truth.get(last) === undefined) {
      const what = `${name} serves from 0x${zxidHex(last)} on, which was never committed`;
      truth.report(violation("committed prefixes agree", what, name));
    }
    truth.compareDigest(name, last, tree.digest());
  }

  /** A leader's term begins with a zxid that is no transaction's: then the last one applied counts. */
  #lastOf(tree: ObservedTree, pending: readonly Committed[]): Zxid {
    const { lastProcessedZxid } = tree;
    if (zxidCounter(lastProcessedZxid) > 0) return lastProcessedZxid;
    return pending.at(-1)?.zxid ?? this.#truth.lastWith(tree.digest(), lastProcessedZxid);
  }

  /** What replay begins with follows on what the snapshot holds, whatever that is; the rest must be without holes. */
  #comparePending(pending: readonly Committed[]): void {
    const truth = this.#truth;
    let after = pending[0] === undefined ? 0 : truth.before(pending[0].zxid);
    for (const txn of pending) {
      truth.applied(this.#name, txn, after);
      after = txn.zxid;
    }
  }

  /** It serves nobody any more; what it applies from now on is not committed for that reason. */
  pauses(): void {
    this.#serving = false;
  }
}
