// The 16 bytes that a server gives out with a session id: java.util.Random seeded with id XOR 0xB3415C00.

const mask48 = (1n << 48n) - 1n;
const multiplier = 0x5deece66dn;

export function passwordOf(sessionId) {
  const password = Buffer.alloc(16);
  let state = (BigInt.asUintN(64, sessionId) ^ 0xb3415c00n ^ multiplier) & mask48;
  for (let at = 0; at < 16; at += 4) {
    state = (state * multiplier + 0xbn) & mask48;
    password.writeUInt32LE(Number((state >> 16n) & 0xffffffffn), at);
  }
  return password;
}
