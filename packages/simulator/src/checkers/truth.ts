/**
 * What is committed: the one history that all servers must show parts of, and the model of the tree that follows from it.
 *
 * - Committed prefixes agree: every server applies the same transactions in the same order, without holes.
 * - Equal zxid, equal digest.
 *
 * @see ServerView for when a server's transactions count as committed.
 */
import { type Zxid, zxidHex } from "@vivarium/protocol";
import { type Committed, isSame } from "./committed.ts";
import { hex, Model } from "./model.ts";
import { type Report, violation } from "./violation.ts";

interface Seen {
  readonly txn: Committed;
  readonly after: Zxid | null;
}

export class Truth {
  /** In order. */
  readonly history: Committed[] = [];
  readonly model: Model;
  readonly report: Report;
  readonly #at = new Map<Zxid, number>();
  /** What any server has applied, committed or not: what another one may have got as part of a snapshot. */
  readonly #seen = new Map<Zxid, Seen>();
  readonly #onCommitted: (txn: Committed, server: string) => void;

  constructor(report: Report, onCommitted: (txn: Committed, server: string) => void = () => {}) {
    this.report = report;
    this.#onCommitted = onCommitted;
    this.model = new Model(report);
  }

  get lastZxid(): Zxid {
    return this.history.at(-1)?.zxid ?? 0;
  }

  /** Undefined if nothing is committed under this zxid. */
  get(zxid: Zxid): Committed | undefined {
    return this.history[this.#at.get(zxid) ?? -1];
  }

  /** The last committed zxid up to this one. */
  last(zxid: Zxid): Zxid {
    const { history } = this;
    let at = history.length;
    while (at > 0 && (history[at - 1] as Committed).zxid > zxid) at--;
    return history[at - 1]?.zxid ?? 0;
  }

  /** The zxid before a committed one; the last of all for one that is not committed yet. */
  before(zxid: Zxid): Zxid {
    const index = this.#at.get(zxid);
    return index === undefined ? this.lastZxid : (this.history[index - 1]?.zxid ?? 0);
  }

  /** Some server that serves nobody yet has applied `txn` after another one; null: after the rest of a snapshot. */
  saw(txn: Committed, after: Zxid | null): void {
    const known = this.#seen.get(txn.zxid);
    if (known === undefined || known.after === null) this.#seen.set(txn.zxid, { txn, after });
  }

  /** A server shows `last` and all before it, so that they count as committed from now on. */
  adopt(server: string, last: Zxid): void {
    const chain: Committed[] = [];
    for (let at = last; at > this.lastZxid; ) {
      const seen = this.#seen.get(at);
      if (seen === undefined) {
        const what = `${server} serves from 0x${zxidHex(last)} on, and nobody has ever applied 0x${zxidHex(at)}`;
        return this.report(violation("committed prefixes agree", what, server));
      }
      chain.push(seen.txn);
      at = seen.after ?? (this.#seen.has(at - 1) ? at - 1 : this.lastZxid);
    }
    for (const txn of chain.reverse()) this.applied(server, txn, this.lastZxid);
  }

  /** The last transaction after which a tree had this digest, up to a zxid. */
  lastWith(digest: bigint, upTo: Zxid): Zxid {
    const committed = this.last(upTo);
    if (this.get(committed)?.digest === digest) return committed;
    let found = committed;
    for (const [zxid, { txn }] of this.#seen) if (zxid <= upTo && zxid > found && txn.digest === digest) found = zxid;
    return found;
  }

  /** A serving server has applied `txn` directly after the transaction `after`. */
  applied(server: string, txn: Committed, after: Zxid): void {
    const known = this.get(txn.zxid);
    const expectedAfter = this.before(txn.zxid);
    if (known !== undefined && !isSame(known, txn)) {
      const what = `at 0x${zxidHex(txn.zxid)} ${server} has ${describe(txn)}, and others had ${describe(known)}`;
      this.report(violation("committed prefixes agree", what, server));
    } else if (after !== expectedAfter) {
      const what = `${server} applied 0x${zxidHex(txn.zxid)} after 0x${zxidHex(after)}, but it comes after 0x${zxidHex(expectedAfter)}`;
      this.report(violation("committed prefixes agree", what, server));
    } else if (known === undefined) this.#append(server, txn);
    else this.compareDigest(server, txn.zxid, txn.digest);
  }

  #append(server: string, txn: Committed): void {
    this.#at.set(txn.zxid, this.history.length);
    this.history.push(txn);
    this.model.apply(txn);
    this.#onCommitted(txn, server);
  }

  compareDigest(server: string, zxid: Zxid, digest: bigint | null): void {
    const txn = this.get(zxid);
    if (txn === undefined || digest === null) return;
    txn.digest ??= digest;
    const expected = txn.digest;
    if (expected === digest) return;
    const what = `at 0x${zxidHex(zxid)} ${server} has the digest ${digest}, and others had ${expected}`;
    this.report(violation("equal zxid, equal digest", what, server));
  }
}

function describe({ sessionId, cxid, type }: Committed): string {
  return `type ${type} of session 0x${hex(sessionId)}, cxid ${cxid}`;
}
