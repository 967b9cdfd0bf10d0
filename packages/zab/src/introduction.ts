/** The first packet of a learner: who it is, or why it cannot be led. @see LearnerHandler.run */
import { ProtocolError } from "@vivarium/jute";
import { QUORUM_PROTOCOL_VERSION, type QuorumPacket, readLearnerInfo } from "@vivarium/protocol";
import type { LeaderOptions } from "./leader-io.ts";

/** @returns its id. @throws ProtocolError that says what to do */
export function introducedServer({ data }: QuorumPacket, { id, quorums }: LeaderOptions): number {
  if (data === null) throw new ProtocolError("a learner without LearnerInfo: it is older than 3.4");
  const { serverid, protocolVersion, configVersion } = readLearnerInfo(data);
  if (protocolVersion < QUORUM_PROTOCOL_VERSION) {
    throw new ProtocolError(`server ${serverid} speaks protocol ${protocolVersion}: it is older than 3.4`);
  }
  if (serverid === id) throw new ProtocolError(`another server has my id ${id}: give it its own in its myid file`);
  if (configVersion > quorums.committed.version) {
    throw new ProtocolError(`server ${serverid} knows a later membership than this leader`);
  }
  return serverid;
}
