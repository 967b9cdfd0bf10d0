/** What servers say to each other, against all that real Apache ZooKeeper 3.9.5 servers said. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { encode, ProtocolError, Reader } from "@vivarium/jute";
import * as p from "./index.ts";

interface Message {
  from: number;
  kind: string;
  hex?: string;
  value?: Record<string, string | number | null>;
}
interface Connection {
  scene: string;
  port: "election" | "quorum";
  dialer: number;
  messages: Message[];
}

const file = new URL("../src/testdata/quorum-3.9.5.json", import.meta.url);
const connections = JSON.parse(readFileSync(file, "utf8")) as Connection[];
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex");
const MIN_LONG = "-9223372036854775808";
const long = (text: unknown): number => (text === MIN_LONG ? p.NO_VOTE : Number(text));

/** All recorded messages for which `wanted` is true; at least one, or the test tests nothing. */
function recorded(wanted: (message: Message, connection: Connection) => boolean): Required<Message>[] {
  const found = connections.flatMap((connection) =>
    connection.messages.filter((message) => message.hex !== undefined && wanted(message, connection)),
  );
  assert.ok(found.length > 0, "nothing of that kind was recorded");
  return found as Required<Message>[];
}

test("election greetings: read as recorded, written to the same bytes", () => {
  for (const message of recorded(({ kind }) => kind === "initial")) {
    const input = bytes(message.hex);
    const reader = new Reader(input);
    const greeting = p.readElectionGreeting(reader);
    assert.ok(greeting !== undefined && reader.remaining === 0);
    assert.equal(greeting.serverId, Number(message.value["sid"]));
    assert.equal(greeting.addresses.map(p.formatHostAndPort).join("|"), message.value["addresses"]);
    // With multiAddress.enabled Apache says version 2 even of one address; we then say 1, which everyone reads.
    assert.equal(hex(p.encodeElectionGreeting(greeting).subarray(8)), message.hex.slice(16));
    const version = greeting.addresses.length > 1 ? p.ELECTION_PROTOCOL_V2 : p.ELECTION_PROTOCOL_V1;
    assert.equal(new Reader(p.encodeElectionGreeting(greeting)).number(), version);
    for (let size = 0; size < input.length; size++) {
      assert.equal(p.readElectionGreeting(new Reader(input, 0, size)), undefined, `${size} bytes are not all of it`);
    }
  }
});

test("election greetings: nonsense closes the connection", () => {
  for (const text of [
    "fffffffffffefffe000000000000000100000001ff",
    "ffffffffffff0000000000000000000100000000",
    "ffffffffffff0000000000000000000100000801",
    "ffffffffffff000000000000000000010000000161",
    "ffffffffffff0000000000000000000100000007613a3939393939",
  ]) {
    assert.throws(() => p.readElectionGreeting(new Reader(bytes(text))), ProtocolError, text);
  }
});

test("notifications: read as recorded, written to the same bytes", () => {
  for (const message of recorded(({ kind }) => kind === "notification")) {
    const payload = bytes(message.hex).subarray(4);
    const notification = p.decodeNotification(payload);
    const { state, leader, zxid, electionEpoch, peerEpoch, version } = message.value;
    const { config, ...fields } = notification;
    assert.deepEqual(fields, {
      state: p.ServerState[state as keyof typeof p.ServerState],
      leader: long(leader),
      zxid: long(zxid),
      electionEpoch: long(electionEpoch),
      peerEpoch: long(peerEpoch),
      version,
    });
    assert.equal(hex(p.encodeNotification(notification)), hex(payload));
    assert.equal(p.notificationBytes(notification), payload.length);
    const membership = p.parseMembership(config as string);
    assert.ok(!("problem" in membership));
    assert.equal(p.formatMembership(membership), config);
  }
});

test("notifications: the shorter ones of older servers", () => {
  const whole = "00000000" + "0000000000000003" + "0000000200000005" + "0000000000000007" + "0000000000000009";
  const older = { state: 0, leader: 3, zxid: p.makeZxid(2, 5), electionEpoch: 7, config: null };
  assert.deepEqual(p.decodeNotification(bytes(whole).subarray(0, 28)), { ...older, peerEpoch: 2, version: 0 });
  assert.deepEqual(p.decodeNotification(bytes(`${whole}00000002`)), { ...older, peerEpoch: 9, version: 0 });
  const versionOne = p.decodeNotification(bytes(`${whole}0000000100000000`));
  assert.deepEqual(versionOne, { ...older, peerEpoch: 9, version: 1 });
});

test("notifications: too short, of an unknown state or with an impossible length, they are refused", () => {
  const whole = "00000000" + "0000000000000003" + "0000000200000005" + "0000000000000007" + "0000000000000009";
  const wrong = [
    whole.slice(0, 54),
    `00000004${whole.slice(8)}`,
    `${whole}00000002ffffffff`,
    `${whole}0000000200000001`,
    `${whole}000000027fffffff00`,
  ];
  for (const text of wrong) assert.throws(() => p.decodeNotification(bytes(text)), ProtocolError, text);
});

test("quorum packets: read as recorded, written to the same bytes", () => {
  const packets = recorded(({ kind }, { port }) => port === "quorum" && kind !== "snapshot");
  for (const message of packets) {
    const reader = new Reader(bytes(message.hex));
    const packet = p.QuorumPacket.read(reader);
    assert.equal(reader.remaining, 0, message.kind);
    assert.equal(p.quorumPacketName(packet.type), message.kind);
    assert.equal(packet.zxid, Number(message.value["zxid"]));
    assert.equal(packet.data?.length ?? null, message.value["dataSize"]);
    assert.equal(hex(encode(p.QuorumPacket, packet)), message.hex);
  }
});

/** What is in the packets' data: read, and written to the same bytes. */
test("the data of quorum packets: all of it is understood", () => {
  const seen = new Map<string, number>();
  for (const connection of connections.filter(({ port }) => port === "quorum")) {
    for (const { kind, from, hex: text } of connection.messages) {
      if (text === undefined || kind === "snapshot") continue;
      const packet = p.QuorumPacket.read(new Reader(bytes(text)));
      const { data } = packet;
      if (data === null) continue;
      const rewritten = rewrite(kind, from === connection.dialer, data);
      assert.equal(rewritten === undefined ? undefined : hex(rewritten), hex(data), `data of ${kind}`);
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
  }
  for (const kind of ["FOLLOWERINFO", "OBSERVERINFO", "LEADERINFO", "ACKEPOCH", "NEWLEADER", "REQUEST", "PROPOSAL"]) {
    assert.ok((seen.get(kind) ?? 0) > 0, `no ${kind}`);
  }
});

function rewrite(kind: string, up: boolean, data: Uint8Array): Uint8Array | undefined {
  const reader = new Reader(data);
  switch (kind) {
    case "FOLLOWERINFO":
    case "OBSERVERINFO":
      return encode(p.LearnerInfo, p.readLearnerInfo(data));
    case "LEADERINFO":
    case "ACKEPOCH":
      return p.encodeInt(reader.int());
    case "NEWLEADER": {
      const membership = p.parseMembership(Buffer.from(data).toString());
      return "problem" in membership ? undefined : new Uint8Array(Buffer.from(p.formatMembership(membership)));
    }
    case "REQUEST": {
      const header = p.ForwardedRequestHeader.read(reader);
      return new Uint8Array([...encode(p.ForwardedRequestHeader, header), ...data.subarray(reader.offset)]);
    }
    case "PING": {
      const touches = p.readSessionTouches(data);
      return new Uint8Array(touches.flatMap((touch) => [...encode(p.SessionTouch, touch)]));
    }
    case "REVALIDATE":
      return up
        ? encode(p.RevalidateRequest, p.RevalidateRequest.read(reader))
        : encode(p.RevalidateReply, p.RevalidateReply.read(reader));
    case "PROPOSAL":
    case "INFORM": {
      const { header } = p.readTxn(reader);
      return reader.remaining === 0 && header.zxid > 0 ? data : undefined;
    }
    case "COMMITANDACTIVATE":
      return data.length === 8 ? data : undefined;
    case "INFORMANDACTIVATE":
      reader.skip(8);
      p.readTxn(reader);
      return data;
    default:
      return undefined;
  }
}
