/** Randomness: for ids, tie-breaking and jitter. The form decides whether it can be guessed or repeated. */
export interface Random {
  /** `size` random bytes in memory of their own. */
  bytes(size: number): Uint8Array;
  /** A whole number, 0 <= n < `below`; `below` from 1 to 2^32. */
  int(below: number): number;
}
