/**
 * Compares the tree with the digests that transactions and snapshots carry, and remembers some of its own for the
 * four-letter word `hash`. A mismatch is reported, never fatal.
 *
 * A snapshot is fuzzy: until replay reaches the zxid at which its own digest was taken, the tree is in no state that
 * any transaction's digest describes, and nothing is compared. One that came without a digest, as a leader sends it,
 * does not say where that ends: there the first transaction whose digest fits ends it, or who knows better does.
 * @see disk-format 4; DataTree.compareDigest
 */
import {
  DIGEST_VERSION,
  digestFromBigInt,
  digestToBigInt,
  type TxnDigest,
  type Zxid,
  type ZxidDigest,
} from "@vivarium/protocol";
import type { TreeDigest } from "./tree-digest.ts";

/** How many digests are remembered, and at which zxids: multiples of the interval. */
const HISTORY_LIMIT = 1024;
const HISTORY_INTERVAL = 128;

export type DigestMismatch = (zxid: Zxid, expected: bigint, actual: bigint) => void;

export class DigestHistory {
  readonly #tree: TreeDigest;
  readonly #onMismatch: DigestMismatch | undefined;
  readonly #history: ZxidDigest[] = [];
  #ofSnapshot: ZxidDigest | undefined;
  #isUnsettled = false;

  constructor(tree: TreeDigest, onMismatch: DigestMismatch | undefined) {
    this.#tree = tree;
    this.#onMismatch = onMismatch;
  }

  /** The latest digests, oldest first. */
  get history(): readonly ZxidDigest[] {
    return this.#history;
  }

  /** The state may be one that never was: a snapshot was just loaded, without a digest. */
  get isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  /**
   * The digest that replay is still to arrive at: until then the tree is ahead of what was replayed, and a snapshot taken
   * of it is as fuzzy, up to the same zxid.
   */
  get awaited(): ZxidDigest | undefined {
    return this.#ofSnapshot;
  }

  unsettled(): void {
    this.#isUnsettled = true;
  }

  /** All that could be in the snapshot beforehand has been applied. */
  settled(): void {
    this.#isUnsettled = false;
  }

  /** The digest of a snapshot just loaded, that replay is to arrive at, or has already. */
  expect(ofSnapshot: ZxidDigest, lastProcessedZxid: Zxid): void {
    // No zxid means that the writer had none; one before the snapshot's own belongs to another state.
    if (ofSnapshot.zxid <= 0 || ofSnapshot.zxid < lastProcessedZxid) return;
    this.#ofSnapshot = ofSnapshot;
    this.#compareSnapshot(lastProcessedZxid);
  }

  /** After a transaction has been applied. */
  applied(zxid: Zxid, digest: TxnDigest | null): void {
    if (this.#ofSnapshot !== undefined) {
      this.#compareSnapshot(zxid);
      return;
    }
    const given = digest !== null && digest.version === DIGEST_VERSION ? digest : undefined;
    if (this.#isUnsettled) {
      if (given === undefined || !this.#tree.equals(given)) return;
      this.#isUnsettled = false;
    }
    if (zxid % HISTORY_INTERVAL === 0) {
      this.#history.push({ zxid, treeDigest: this.#tree.toBigInt() });
      if (this.#history.length > HISTORY_LIMIT) this.#history.shift();
    }
    if (given !== undefined) this.#compare(zxid, given);
  }

  #compareSnapshot(zxid: Zxid): void {
    const expected = this.#ofSnapshot;
    if (expected === undefined || zxid < expected.zxid) return;
    this.#ofSnapshot = undefined;
    if (zxid === expected.zxid) this.#compare(zxid, digestFromBigInt(expected.treeDigest));
  }

  #compare(zxid: Zxid, expected: TxnDigest): void {
    if (this.#onMismatch === undefined || this.#tree.equals(expected)) return;
    this.#onMismatch(zxid, digestToBigInt(expected), this.#tree.toBigInt());
  }
}
