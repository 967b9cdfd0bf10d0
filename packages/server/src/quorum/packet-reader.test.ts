/** Packets out of a stream: the words of real servers however they are cut, and nonsense refused before it costs anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, Writer } from "@vivarium/jute";
import { QuorumPacket, QuorumPacketType, quorumPacket, quorumPacketName } from "@vivarium/protocol";
import { PacketReader } from "./packet-reader.ts";
import { capturedQuorums, joined, pieces, said } from "./testing/capture.ts";

const LIMIT = 4096;

for (const size of [1, 3, 17, 1_000_000]) {
  test(`what Apache's servers say, in pieces of ${size} bytes`, () => {
    let count = 0;
    for (const connection of capturedQuorums) {
      for (const from of [connection.dialer, connection.acceptor]) {
        const expected = said(connection, from).filter(({ kind }) => kind !== "snapshot");
        const reader = new PacketReader(LIMIT);
        const packets: { kind: string; zxid: string; hex: string }[] = [];
        for (const piece of pieces(joined(expected.map(({ bytes }) => bytes)), size)) {
          const lent = Uint8Array.from(piece);
          reader.append(lent);
          for (let packet = reader.next(); packet !== undefined; packet = reader.next()) {
            const hex = Buffer.from(encode(QuorumPacket, packet)).toString("hex");
            packets.push({ kind: quorumPacketName(packet.type), zxid: String(packet.zxid), hex });
          }
          reader.keep();
          lent.fill(0xa5);
        }
        assert.deepEqual(
          packets,
          expected.map(({ kind, hex, value }) => ({ kind, zxid: value?.["zxid"], hex })),
        );
        count += packets.length;
      }
    }
    assert.ok(count > 300, `only ${count} packets in the capture`);
  });
}

/** A packet's beginning: type, zxid, then ints as given. */
function beginning(type: number, ...ints: number[]): Uint8Array {
  const writer = new Writer();
  writer.int(type);
  writer.number(1);
  for (const each of ints) writer.int(each);
  return writer.copy();
}

const nonsense: [what: string, bytes: Uint8Array, problem: RegExp][] = [
  ["type 0", beginning(0), /^packet type 0 does not exist$/],
  ["a type after the last", beginning(20), /^packet type 20 does not exist$/],
  ["a client", Uint8Array.of(0, 0, 0, 45, 0, 0), /^packet type 45 does not exist$/],
  ["TLS", Uint8Array.of(0x16, 3, 1, 2, 0), /this is how TLS begins/],
  ["SASL", Uint8Array.of(0x5f, 0x24, 0x35, 0x01), /this is how quorum SASL begins/],
  ["a text", Buffer.from("GET / HTTP/1.1"), /^packet type 1195725856 does not exist$/],
  ["data of a negative length", beginning(5, -2), /the length -2 in it/],
  ["more data than accepted", beginning(2, LIMIT + 1), /a packet of 4097 bytes; 4096 are accepted/],
  ["the largest length there is", beginning(2, 0x7fff_ffff), /a packet of 2147483647 bytes/],
  ["a negative count of identities", beginning(1, -1, -2), /with -2 identities/],
  ["too many identities", beginning(1, -1, 1001), /with 1001 identities/],
  ["a scheme of a negative length", beginning(1, -1, 1, -5), /the length -5 in it/],
  ["identities that together are too long", beginning(1, -1, 2, -1, LIMIT), /a packet of \d+ bytes/],
  ["an epoch beyond what is exact", Uint8Array.of(0, 0, 0, 4, 0x40, ...Array(15).fill(0)), /beyond 2\^53/],
];
for (const [what, bytes, problem] of nonsense) {
  test(`${what} is refused`, () => {
    const reader = new PacketReader(LIMIT);
    reader.append(bytes);
    assert.throws(() => reader.next(), { name: "ProtocolError", message: problem });
  });
}

test("a packet of the largest size is accepted, and its memory grows with what has arrived", () => {
  const packet = quorumPacket(QuorumPacketType.PROPOSAL, 7, new Uint8Array(LIMIT - 20).fill(3));
  const reader = new PacketReader(LIMIT);
  const [first, ...rest] = pieces(encode(QuorumPacket, packet), 20);
  reader.append(first as Uint8Array);
  assert.equal(reader.next(), undefined);
  assert.equal(reader.reader.bytes.length, 20);
  for (const piece of rest) {
    reader.append(piece);
    const read = reader.next();
    if (piece === rest.at(-1)) assert.deepEqual(read, packet);
    else assert.equal(read, undefined);
  }
});
