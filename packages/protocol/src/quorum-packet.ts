/**
 * What leader and learners say to each other: a stream of QuorumPackets without length prefix. Only SNAP is followed by
 * something else, the raw snapshot and the word that ends it.
 *
 * @see fact sheet "quorum-protocol", section 5; zookeeper.jute, package quorum
 */
import {
  bool,
  bufferView,
  type Codec,
  decode,
  encode,
  handWritten,
  type Infer,
  int,
  long,
  number,
  ProtocolError,
  Reader,
  record,
  vector,
} from "@vivarium/jute";
import { Id } from "./acl.ts";

/** Numbers on the wire. Beside each: what `zxid` carries, and what `data`. */
export const QuorumPacketType = {
  /** -1; ForwardedRequest. */
  REQUEST: 1,
  /** The transaction's; the log entry. */
  PROPOSAL: 2,
  /** The transaction's, or (epoch, 0) for NEWLEADER and UPTODATE; null. */
  ACK: 3,
  /** The transaction's; null. */
  COMMIT: 4,
  /** The leader's last proposal, echoed; null down, SessionTouch records up. */
  PING: 5,
  /** Echoed; RevalidateRequest up, RevalidateReply down. */
  REVALIDATE: 6,
  /** 0; null. */
  SYNC: 7,
  /** The transaction's; the log entry. What observers get in place of PROPOSAL and COMMIT. */
  INFORM: 8,
  /** The transaction's; the designated leader. */
  COMMITANDACTIVATE: 9,
  /** (epoch, 0); the membership's text. */
  NEWLEADER: 10,
  /** (accepted epoch, 0); LearnerInfo. */
  FOLLOWERINFO: 11,
  /** -1; null. */
  UPTODATE: 12,
  /** The leader's last committed; null. */
  DIFF: 13,
  /** What to truncate to; null. */
  TRUNC: 14,
  /** The snapshot's; null, then the snapshot. */
  SNAP: 15,
  /** As FOLLOWERINFO. */
  OBSERVERINFO: 16,
  /** (new epoch, 0); the protocol version. */
  LEADERINFO: 17,
  /** The learner's last logged; its current epoch or -1. */
  ACKEPOCH: 18,
  /** The transaction's; the designated leader, then the log entry. */
  INFORMANDACTIVATE: 19,
} as const;

const names = new Map<number, string>(Object.entries(QuorumPacketType).map(([name, type]) => [type, name]));

/** For messages and logs. */
export function quorumPacketName(type: number): string {
  return names.get(type) ?? `packet type ${type}`;
}

const identities: Codec<readonly Id[]> = vector(Id);
/** A null vector, which every packet but REQUEST has, is kept apart from an empty one: so are the bytes. */
const nullableIdentities: Codec<readonly Id[] | null> = {
  write(writer, value) {
    if (value === null) writer.int(-1);
    else identities.write(writer, value);
  },
  read(reader) {
    if (reader.remaining < 4 || reader.view.getInt32(reader.offset) !== -1) return identities.read(reader);
    reader.skip(4);
    return null;
  },
};

export const QuorumPacket = handWritten(
  {
    type: int,
    zxid: number,
    /** Read as a window on the memory that has arrived: copy it before keeping it. */
    data: bufferView,
    /** Who the client is; only with REQUEST. */
    authinfo: nullableIdentities,
  },
  {
    write(writer, { type, zxid, data, authinfo }) {
      writer.int(type);
      writer.number(zxid);
      writer.buffer(data);
      nullableIdentities.write(writer, authinfo);
    },
    read(reader) {
      const type = reader.int();
      const zxid = reader.number();
      const data = reader.bufferView();
      return { type, zxid, data, authinfo: nullableIdentities.read(reader) };
    },
  },
);
export type QuorumPacket = Infer<typeof QuorumPacket>;

export function quorumPacket(type: number, zxid: number, data: Uint8Array | null = null): QuorumPacket {
  return { type, zxid, data, authinfo: null };
}

/** What a learner and a leader of today speak. Older ones know neither LEADERINFO nor ACKEPOCH. */
export const QUORUM_PROTOCOL_VERSION = 0x10000;
/** The word after a snapshot that was streamed whole. */
export const SNAPSHOT_SIGNATURE = "BenWasHere";

export const LearnerInfo = record({
  serverid: number,
  protocolVersion: int,
  /** Version of the membership that the learner knows as committed. */
  configVersion: number,
});
export type LearnerInfo = Infer<typeof LearnerInfo>;

/** Reads also the forms of older learners: without configVersion, and the id alone. */
export function readLearnerInfo(data: Uint8Array): LearnerInfo {
  const reader = new Reader(data);
  const serverid = reader.number();
  const protocolVersion = reader.remaining >= 4 ? reader.int() : 1;
  const configVersion = reader.remaining >= 8 ? reader.number() : 0;
  return { serverid, protocolVersion, configVersion };
}

/** A request that a learner passes on: the data of REQUEST, in front of the request's own record. */
export const ForwardedRequestHeader = handWritten(
  { sessionId: long, cxid: int, type: int },
  {
    write(writer, { sessionId, cxid, type }) {
      writer.long(sessionId);
      writer.int(cxid);
      writer.int(type);
    },
    read(reader) {
      const sessionId = reader.long();
      const cxid = reader.int();
      return { sessionId, cxid, type: reader.int() };
    },
  },
);
export type ForwardedRequestHeader = Infer<typeof ForwardedRequestHeader>;

/** A learner's client showed signs of life: many of these are the data of a PING on its way up. */
export const SessionTouch = record({ sessionId: long, timeOut: int });
export type SessionTouch = Infer<typeof SessionTouch>;

export function readSessionTouches(data: Uint8Array | null): SessionTouch[] {
  const touches: SessionTouch[] = [];
  const reader = new Reader(data ?? new Uint8Array(0));
  while (reader.remaining > 0) touches.push(SessionTouch.read(reader));
  return touches;
}

export const RevalidateRequest = SessionTouch;
export type RevalidateRequest = SessionTouch;
export const RevalidateReply = record({ sessionId: long, valid: bool });
export type RevalidateReply = Infer<typeof RevalidateReply>;

/** The data of ACKEPOCH and of LEADERINFO: one int. */
export function encodeInt(value: number): Uint8Array {
  return encode(int, value);
}

/** One value that fills the data of a packet. @throws ProtocolError naming the packet. */
export function packetData<T>(codec: Codec<T>, { type, data }: QuorumPacket): T {
  if (data === null) throw new ProtocolError(`${quorumPacketName(type)} without data`);
  return decode(codec, data);
}
