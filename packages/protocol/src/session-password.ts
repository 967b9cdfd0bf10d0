/**
 * The password of a session: 16 bytes that any server can compute from the session id, so that a client can move its
 * session between servers. It is java.util.Random's sequence, seeded with the id and a constant.
 */
const SECRET = 0xb3415c00n;
const MULTIPLIER = 0x5deece66dn;
const MASK_48 = (1n << 48n) - 1n;

export const PASSWORD_BYTES = 16;

export function sessionPassword(sessionId: bigint): Uint8Array {
  const password = new Uint8Array(PASSWORD_BYTES);
  const view = new DataView(password.buffer);
  let seed = (sessionId ^ SECRET ^ MULTIPLIER) & MASK_48;
  for (let at = 0; at < PASSWORD_BYTES; at += 4) {
    seed = (seed * MULTIPLIER + 0xbn) & MASK_48;
    view.setUint32(at, Number(seed >> 16n), true);
  }
  return password;
}

/** The first session id that server `serverId` (1 to 255) gives out, when its monotonic clock shows `nowMs`. */
export function firstSessionId(serverId: number, nowMs: number): bigint {
  const time = BigInt.asUintN(64, BigInt(Math.floor(nowMs)) << 24n) >> 8n;
  const id = BigInt.asIntN(64, time | (BigInt(serverId) << 56n));
  // That one value is the mark of container nodes.
  return id === -0x8000000000000000n ? id + 1n : id;
}
