/** Somebody who speaks to a leader as a learner does, and can be made to say anything. */
import { encode, Writer } from "@vivarium/jute";
import { encodeInt, LearnerInfo, makeZxid, QuorumPacket, QuorumPacketType, quorumPacket } from "@vivarium/protocol";
import type { Connection } from "@vivarium/runtime";
import { PacketReader } from "../../quorum/packet-reader.ts";

export interface ImpostorOptions {
  readonly id: number;
  readonly lastZxid: number;
  readonly currentEpoch: number;
  readonly acceptedEpoch?: number;
}

/** A learner that does everything right until it is in service. */
export class Impostor {
  readonly connection: Connection;
  readonly #reader = new PacketReader(1 << 20);
  isActive = false;

  constructor(connection: Connection, options: ImpostorOptions) {
    const { id, lastZxid, currentEpoch, acceptedEpoch = 0 } = options;
    this.connection = connection;
    const info = encode(LearnerInfo, { serverid: id, protocolVersion: 0x10000, configVersion: 0 });
    const hello = quorumPacket(QuorumPacketType.FOLLOWERINFO, makeZxid(acceptedEpoch, 0), info);
    connection.onConnect = () => this.send(hello);
    connection.onData = (chunk) => {
      this.#reader.append(chunk);
      for (let packet = this.#reader.next(); packet !== undefined; packet = this.#reader.next()) {
        if (packet.type === QuorumPacketType.LEADERINFO) {
          this.send(quorumPacket(QuorumPacketType.ACKEPOCH, lastZxid, encodeInt(currentEpoch)));
        } else if (packet.type === QuorumPacketType.NEWLEADER) {
          this.send(quorumPacket(QuorumPacketType.ACK, packet.zxid));
        } else if (packet.type === QuorumPacketType.UPTODATE) this.isActive = true;
      }
    };
  }

  send(packet: QuorumPacket): void {
    const writer = new Writer();
    QuorumPacket.write(writer, packet);
    this.connection.write(writer.copy());
  }
}
