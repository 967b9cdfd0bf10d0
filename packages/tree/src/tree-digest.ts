/**
 * The digest of a tree: the sum of its nodes' digests modulo 2^64, so that a change costs one subtraction and one
 * addition. Kept as two halves, because a bigint per write would be an allocation per write.
 * @see disk-format 4.1; AdHash, DigestCalculator
 */
const TWO_POW_32 = 0x1_0000_0000;

/** Bytes of the fixed part of what a node's digest is made of, after path and data. */
export const DIGEST_STAT_BYTES = 60;

export class TreeDigest {
  /** Upper and lower half, unsigned. */
  high = 0;
  low = 0;

  /** @param nodeDigest unsigned 32-bit */
  add(nodeDigest: number): void {
    this.low += nodeDigest;
    if (this.low < TWO_POW_32) return;
    this.low -= TWO_POW_32;
    this.high = (this.high + 1) >>> 0;
  }

  /** @param nodeDigest unsigned 32-bit */
  subtract(nodeDigest: number): void {
    this.low -= nodeDigest;
    if (this.low >= 0) return;
    this.low += TWO_POW_32;
    this.high = (this.high - 1) >>> 0;
  }

  /** Whether a transaction's digest says the same. */
  equals(digest: { high: number; low: number }): boolean {
    return (this.high | 0) === digest.high && (this.low | 0) === digest.low;
  }

  assign(other: TreeDigest): void {
    this.high = other.high;
    this.low = other.low;
  }

  /** As the signed 64-bit integer that transactions and snapshots carry. */
  toBigInt(): bigint {
    // Nearly every tree's digest fits one exact number, which spares the wide arithmetic.
    if (this.high < 0x20_0000) return BigInt(this.high * TWO_POW_32 + this.low);
    return BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low));
  }
}
