/**
 * A zxid orders all transactions: epoch × 2³² + counter. It is a JavaScript number, exact for epochs below 2²¹;
 * jute's `number` refuses a larger one. This is the one file that knows how to split it.
 */
export type Zxid = number;

const TWO_POW_32 = 0x1_0000_0000;
/** The largest counter: the leader must hand over to a new epoch before passing it. */
export const MAX_COUNTER = 0xffffffff;

export function makeZxid(epoch: number, counter: number): Zxid {
  return epoch * TWO_POW_32 + counter;
}

export function zxidEpoch(zxid: Zxid): number {
  return Math.floor(zxid / TWO_POW_32);
}

export function zxidCounter(zxid: Zxid): number {
  return zxid >>> 0;
}

/** Hexadecimal as in file names and in the answers of four-letter words; -1 is all ones. */
export function zxidHex(zxid: Zxid): string {
  return zxid < 0 ? BigInt.asUintN(64, BigInt(zxid)).toString(16) : zxid.toString(16);
}
