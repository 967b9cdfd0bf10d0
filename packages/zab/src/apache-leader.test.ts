/** Our learner under Apache's leader: fed with what a real one sent, it must say what Apache's learner said. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decode, int, Reader } from "@vivarium/jute";
import { QuorumPacket, QuorumPacketType, quorumPacketName, Role, readLearnerInfo, zxidEpoch } from "@vivarium/protocol";
import { CommittedLog } from "./committed-log.ts";
import { Learner } from "./learner.ts";
import type { LearnerInput } from "./learner-io.ts";

interface Connection {
  scene: string;
  port: string;
  dialer: number;
  acceptor: number;
  messages: { from: number; kind: string; hex?: string; scene?: string }[];
}

const file = new URL("../../protocol/src/testdata/quorum-3.9.5.json", import.meta.url);
const connections = (JSON.parse(readFileSync(file, "utf8")) as Connection[]).filter(({ port }) => port === "quorum");

const packetOf = (text: string): QuorumPacket =>
  QuorumPacket.read(new Reader(new Uint8Array(Buffer.from(text, "hex"))));

/** What a learner says of its own accord: requests and the like come from its clients. */
const ownWords: readonly number[] = [
  QuorumPacketType.FOLLOWERINFO,
  QuorumPacketType.OBSERVERINFO,
  QuorumPacketType.ACKEPOCH,
  QuorumPacketType.ACK,
];
const word = ({ type, zxid }: QuorumPacket): string => `${quorumPacketName(type)} ${zxid.toString(16)}`;

function learnerFor(connection: Connection): Learner {
  const own = connection.messages.filter(({ from, hex }) => from === connection.dialer && hex !== undefined);
  const info = packetOf(own[0]?.hex as string);
  const ack = packetOf(own[1]?.hex as string);
  const { serverid, configVersion } = readLearnerInfo(info.data as Uint8Array);
  const currentEpoch = decode(int, ack.data as Uint8Array);
  return new Learner({
    id: serverid,
    role: info.type === QuorumPacketType.OBSERVERINFO ? Role.observer : Role.participant,
    configVersion,
    tickTimeMs: 1000,
    initLimit: 10,
    syncLimit: 5,
    acceptedEpoch: zxidEpoch(info.zxid),
    currentEpoch,
    lastZxid: ack.zxid,
    committedLog: new CommittedLog(ack.zxid),
  });
}

/** Gives the learner all that the leader said; a disk that is never late answers it. */
function replay(connection: Connection): { said: string[]; served: boolean } {
  const learner = learnerFor(connection);
  const said: string[] = [];
  const step = (input: LearnerInput): void => {
    for (const output of learner.step(input, 0)) {
      switch (output.type) {
        case "send":
          if (ownWords.includes(output.packet.type)) said.push(word(output.packet));
          break;
        case "storeAcceptedEpoch":
          step({ type: "acceptedEpochStored", epoch: output.epoch });
          break;
        case "storeCurrentEpoch":
          step({ type: "currentEpochStored", epoch: output.epoch });
          break;
        case "truncate":
          step({ type: "truncated", zxid: output.zxid });
          break;
        case "storeSnapshot":
          step({ type: "snapshotStored", zxid: output.zxid });
          break;
        case "append":
          step({ type: "flushed", zxid: output.zxid });
          break;
        case "stepDown":
          assert.fail(output.reason);
      }
    }
  };
  step({ type: "start" });
  // A sync of a client is answered in order: the recording has the answers, so here are the questions.
  for (const { from, kind, hex } of connection.messages) {
    if (from !== connection.acceptor || hex === undefined) continue;
    if (kind === "SYNC") step({ type: "sync", id: 1, data: new Uint8Array(0), authinfo: [] });
    if (kind === "snapshot") step({ type: "snapshotReceived" });
    else step({ type: "packet", packet: packetOf(hex) });
  }
  return { said, served: learner.isServing };
}

for (const [index, connection] of connections.entries()) {
  const recorded = connection.messages
    .filter(({ from, hex, kind }) => from === connection.dialer && hex !== undefined && kind !== "snapshot")
    .map(({ hex }) => packetOf(hex as string))
    .filter(({ type }) => ownWords.includes(type));
  if (recorded.length < 2) continue;
  test(`connection ${index} of server ${connection.dialer}: ${connection.scene}`, () => {
    const { said, served } = replay(connection);
    assert.ok(served);
    // Whoever was killed at the end did not say its last words.
    assert.deepEqual(said.slice(0, recorded.length), recorded.map(word));
  });
}
