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

export class Truth {
  /** In order. */
  readonly history: Committed[] = [];
  readonly model: Model;
  readonly report: Report;
  readonly #at = new Map<Zxid, number>();
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

  compareDigest(server: string, zxid: Zxid, digest: bigint): void {
    const expected = this.get(zxid)?.digest;
    if (expected === undefined || expected === digest) return;
    const what = `at 0x${zxidHex(zxid)} ${server} has the digest ${digest}, and others had ${expected}`;
    this.report(violation("equal zxid, equal digest", what, server));
  }
}

function describe({ sessionId, cxid, type }: Committed): string {
  return `type ${type} of session 0x${hex(sessionId)}, cxid ${cxid}`;
}
