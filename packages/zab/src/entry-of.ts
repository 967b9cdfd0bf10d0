import { ProtocolError } from "@vivarium/jute";
import { type QuorumPacket, quorumPacketName } from "@vivarium/protocol";

/** What a packet carries, which must be something. */
export function entryOf({ type, data }: QuorumPacket): Uint8Array {
  if (data === null) throw new ProtocolError(`${quorumPacketName(type)} without data`);
  return data;
}
