/** A connection between leader and learner: order, silence, back-pressure, snapshots between packets, and how it ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, type Infer } from "@vivarium/jute";
import { QuorumPacket, QuorumPacketType, quorumPacket, quorumPacketName } from "@vivarium/protocol";
import { PacketReader } from "./packet-reader.ts";
import type { PacketStream } from "./packet-stream.ts";
import { snapshotStream } from "./snapshot-stream.ts";
import { capturedQuorums, joined, pieces, said } from "./testing/capture.ts";
import { PeerBed, type RawEnd } from "./testing/peer-bed.ts";
import { SmallState } from "./testing/small-state.ts";

type Packet = Infer<typeof QuorumPacket>;
const packet = (name: keyof typeof QuorumPacketType, zxid = 0, data: Uint8Array | null = null): Packet =>
  quorumPacket(QuorumPacketType[name], zxid, data);
const bytesOf = (...packets: Packet[]): Uint8Array => joined(packets.map((each) => encode(QuorumPacket, each)));

/** What a stream tells, in order, as short words. */
function heard(stream: PacketStream): string[] {
  const told: string[] = [];
  stream.onPacket = ({ type, zxid }) => told.push(`${quorumPacketName(type)} ${zxid}`);
  stream.onClose = (reason) => told.push(`closed: ${reason}`);
  return told;
}

/** The packets that a raw end has received. */
function received({ chunks }: RawEnd): string[] {
  const reader = new PacketReader(1 << 24);
  const names: string[] = [];
  for (const chunk of chunks) reader.append(chunk);
  for (let each = reader.next(); each !== undefined; each = reader.next()) {
    names.push(`${quorumPacketName(each.type)} ${each.zxid}`);
  }
  return names;
}

test("what is sent in one turn leaves in one write, in order", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  for (let zxid = 1; zxid <= 100; zxid++) stream.send(packet("PROPOSAL", zxid, new Uint8Array(10)));
  assert.equal(raw.chunks.length, 0);
  await bed.settle();
  assert.equal(raw.chunks.length, 1);
  stream.send(packet("COMMIT", 1));
  stream.flush();
  stream.send(packet("COMMIT", 2));
  await bed.settle();
  assert.equal(raw.chunks.length, 3);
  assert.deepEqual(received(raw).slice(99), ["PROPOSAL 100", "COMMIT 1", "COMMIT 2"]);
});

for (const size of [1, 1000]) {
  test(`a whole sync as Apache's leader sends it, snapshot included, in pieces of ${size}`, async () => {
    const scene = "SNAP: a follower lost its disk";
    const connection = capturedQuorums.find((each) => each.scene === scene);
    assert.ok(connection);
    const messages = said(connection, connection.acceptor);
    const bed = new PeerBed();
    const { stream, raw } = await bed.stream();
    const told = heard(stream);
    const state = new SmallState();
    const { onPacket } = stream;
    stream.onPacket = (each) => {
      onPacket(each);
      if (each.type !== QuorumPacketType.SNAP) return;
      stream.receiveSnapshot(state).then(() => told.push("snapshot"), assert.fail);
    };
    for (const piece of pieces(joined(messages.map(({ bytes }) => bytes)), size)) raw.connection.write(piece);
    await bed.settle();
    assert.deepEqual(
      told.map((each) => each.split(" ")[0]),
      messages.map(({ kind }) => kind),
    );
    assert.deepEqual(
      state.nodes.map(({ path }) => path),
      messages.find(({ kind }) => kind === "snapshot")?.value?.["paths"],
    );
  });
}

test("behind SNAP nothing is read until somebody takes the snapshot, however long that takes", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const told = heard(stream);
  stream.setReadTimeout(100);
  const state = SmallState.filled(3, 10);
  raw.connection.write(
    joined([bytesOf(packet("SNAP", 7)), ...snapshotStream(state.source()), bytesOf(packet("NEWLEADER", 8))]),
  );
  await bed.settle(5000);
  assert.deepEqual(told, ["SNAP 7"]);
  const copy = new SmallState();
  const done = stream.receiveSnapshot(copy).then(() => told.push("received"));
  await bed.settle();
  await done;
  assert.deepEqual(told, ["SNAP 7", "received", "NEWLEADER 8"]);
  assert.deepEqual(copy.nodes, state.nodes);
  await assert.rejects(stream.receiveSnapshot(copy), /no snapshot is expected/);
});

test("packets sent while a snapshot is on its way follow it; nothing is piled up on a slow learner", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const state = SmallState.filled(200, 10_000);
  raw.connection.pause();
  stream.send(packet("SNAP", 7));
  let isSent = false;
  const sent = stream.sendSnapshot(state.source(), 60_000).then(() => {
    isSent = true;
  });
  stream.send(packet("NEWLEADER", 8));
  await bed.settle(1000);
  assert.equal(isSent, false);
  assert.ok(stream.queuedBytes < 200_000, `${stream.queuedBytes} bytes wait`);
  raw.connection.resume();
  await bed.settle();
  await sent;
  assert.equal(state.isClosed, true);
  const expected = [bytesOf(packet("SNAP", 7)), ...snapshotStream(state.source()), bytesOf(packet("NEWLEADER", 8))];
  assert.deepEqual(joined(raw.chunks), joined(expected));
  assert.ok(raw.chunks.length > 20, "in slices");
});

test("a snapshot whose learner goes away is given up, and its source closed", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const told = heard(stream);
  const state = SmallState.filled(200, 10_000);
  raw.connection.pause();
  const sent = assert.rejects(stream.sendSnapshot(state.source(), 60_000), /ECONNRESET/);
  await bed.settle(10);
  await assert.rejects(stream.sendSnapshot(SmallState.filled(1, 1).source(), 60_000), /being sent already/);
  raw.connection.destroy();
  await bed.settle();
  await sent;
  assert.equal(state.isClosed, true);
  assert.equal(told.length, 1);
});

test("a learner that takes its snapshot slowly is waited for, one that takes nothing is given up", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const state = SmallState.filled(200, 10_000);
  const sent = assert.rejects(stream.sendSnapshot(state.source(), 1000), /took nothing of a snapshot for 1000 ms/);
  for (let i = 0; i < 10; i++) {
    raw.connection.pause();
    await bed.settle(900);
    assert.equal(stream.closeReason, null);
    raw.connection.onData = () => raw.connection.pause();
    raw.connection.resume();
    await bed.settle();
  }
  await bed.settle(2000);
  await sent;
  assert.equal(state.isClosed, true);
});

test("a snapshot that makes no sense closes the connection and is told to who reads it", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const told = heard(stream);
  raw.connection.write(joined([bytesOf(packet("SNAP", 7)), Uint8Array.of(255, 0, 0, 0)]));
  await bed.settle();
  const reading = assert.rejects(stream.receiveSnapshot(new SmallState()), /a count of -\d+ sessions/);
  await bed.settle();
  await reading;
  assert.match(told.at(-1) ?? "", /^closed: a count of/);
  assert.deepEqual(bed.warnings, ["closed the connection of a server"]);
});

test("nonsense closes with one line that names the peer; packets before it count, those behind it do not", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const told = heard(stream);
  stream.name = "server 2 at 10.0.0.2:40112";
  raw.connection.write(joined([bytesOf(packet("ACK", 1)), Uint8Array.of(0, 0, 1, 0), bytesOf(packet("ACK", 2))]));
  raw.connection.write(bytesOf(packet("ACK", 3)));
  await bed.settle();
  assert.deepEqual(told, ["ACK 1", "closed: packet type 256 does not exist"]);
  const warnings = bed.logs.records.filter(({ level }) => level === "warn");
  assert.deepEqual(
    warnings.map(({ fields }) => fields),
    [{ peer: "server 2 at 10.0.0.2:40112", problem: "packet type 256 does not exist" }],
  );
  assert.equal(raw.isClosed, true);
});

test("silence beyond the limit closes; packets, and time spent paused, put that off", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const told = heard(stream);
  stream.setReadTimeout(1000);
  for (let i = 0; i < 5; i++) {
    await bed.settle(900);
    raw.connection.write(bytesOf(packet("PING", i)));
    await bed.settle(0);
  }
  stream.pause();
  await bed.settle(5000);
  stream.resume();
  await bed.settle(999);
  assert.equal(told.length, 5);
  stream.setReadTimeout(300);
  await bed.settle(299);
  assert.equal(told.length, 5);
  await bed.settle(2);
  assert.deepEqual(told.slice(5), ["closed: nothing was received for 300 ms"]);
});

test("paused, nothing is handed on; resumed, everything is, in order", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const told: string[] = [];
  stream.onPacket = ({ zxid }) => {
    told.push(String(zxid));
    if (zxid === 2) stream.pause();
  };
  raw.connection.write(bytesOf(packet("ACK", 1), packet("ACK", 2), packet("ACK", 3)));
  raw.connection.write(bytesOf(packet("ACK", 4)));
  await bed.settle();
  assert.deepEqual(told, ["1", "2"]);
  stream.resume();
  await bed.settle();
  assert.deepEqual(told, ["1", "2", "3", "4"]);
});

test("who takes nothing is cut off when too much waits", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream({ maxQueuedBytes: 500_000 });
  const told = heard(stream);
  raw.connection.pause();
  for (let zxid = 1; zxid <= 100 && stream.closeReason === null; zxid++) {
    stream.send(packet("PROPOSAL", zxid, new Uint8Array(10_000)));
    await bed.settle();
  }
  assert.match(stream.closeReason ?? "", /^the peer does not take what is sent to it: 5\d{5} bytes wait$/);
  assert.deepEqual(told, []);
  await bed.settle(1000);
  assert.equal(told.length, 1);
  assert.equal(bed.warnings.length, 1);
});

test("close lets what was sent leave, then ends; who does not hang up in turn is hung up on", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const told = heard(stream);
  raw.connection.onEnd = () => {};
  stream.send(packet("UPTODATE", -1));
  stream.close("done");
  stream.close("again");
  stream.send(packet("PING"));
  assert.deepEqual(told, []);
  raw.connection.write(bytesOf(packet("ACK", 1)));
  await bed.settle(999);
  assert.deepEqual(received(raw), ["UPTODATE -1"]);
  assert.deepEqual(told, []);
  await bed.settle(1);
  assert.deepEqual(told, ["closed: done"]);
  await assert.rejects(stream.sendSnapshot(SmallState.filled(1, 1).source(), 60_000), /closed/);
  await assert.rejects(stream.receiveSnapshot(new SmallState()), /done/);
});

test("closing from within a packet's callback stops the packets behind it", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const told = heard(stream);
  const { onPacket } = stream;
  stream.onPacket = (each) => {
    onPacket(each);
    stream.close("enough");
  };
  raw.connection.write(bytesOf(packet("ACK", 1), packet("ACK", 2)));
  await bed.settle(2000);
  assert.deepEqual(told, ["ACK 1", "closed: enough"]);
});

test("a packet larger than a turn's worth of chunks arrives whole", async () => {
  const bed = new PeerBed();
  const { stream, raw } = await bed.stream();
  const data = new Uint8Array(1_000_000).fill(9);
  let got: Uint8Array | null = null;
  stream.onPacket = (each) => {
    got = each.data;
  };
  for (const piece of pieces(encode(QuorumPacket, packet("PROPOSAL", 1, data)), 1460)) raw.connection.write(piece);
  await bed.settle();
  assert.deepEqual(got, data);
});
