/**
 * What servers tell each other while they elect a leader. Every message is framed: int length, payload.
 *
 *   state | leader | zxid | electionEpoch | peerEpoch | version | configLen | config
 *
 * Older servers stop after electionEpoch (28 bytes) or send no version (40 bytes).
 * @see fact sheet "quorum-protocol", section 3; FastLeaderElection
 */
import { type Codec, ProtocolError, Reader, utf8Length, utf8Read, Writer } from "@vivarium/jute";
import { zxidEpoch } from "./zxid.ts";

/** A server's state as the election tells it. */
export const ServerState = { LOOKING: 0, FOLLOWING: 1, LEADING: 2, OBSERVING: 3 } as const;
export type ServerState = (typeof ServerState)[keyof typeof ServerState];

export interface Notification {
  state: ServerState;
  /** Id of the server voted for; NO_VOTE from one that does not stand itself. */
  leader: number;
  /** Last logged zxid of that server when the vote was made. */
  zxid: number;
  /** The round of the election, counted by each server for itself. */
  electionEpoch: number;
  /** Current epoch of the server voted for. */
  peerEpoch: number;
  /** 2 today; 0 from servers that compare votes by leader only. */
  version: number;
  /** The sender's committed membership as text, or null. */
  config: string | null;
}

export const NOTIFICATION_VERSION = 2;
/** Java's smallest long, which is below every vote, is minus infinity here. */
export const NO_VOTE = Number.NEGATIVE_INFINITY;
/** The longest payload on an election connection. */
export const MAX_NOTIFICATION_BYTES = 524_288;

const MIN_LONG_HIGH = -0x8000_0000;
const WITHOUT_PEER_EPOCH = 28;
const WITHOUT_VERSION = 40;

/** A long of a vote: exact as a number, or NO_VOTE. */
const voteLong: Codec<number> = {
  write(writer, value) {
    if (value !== NO_VOTE) return writer.number(value);
    writer.int(MIN_LONG_HIGH);
    writer.int(0);
  },
  read(reader) {
    const at = reader.offset;
    if (reader.remaining >= 8 && reader.view.getInt32(at) === MIN_LONG_HIGH && reader.view.getInt32(at + 4) === 0) {
      reader.skip(8);
      return NO_VOTE;
    }
    return reader.number();
  },
};

/** The payload, without its length. */
export function encodeNotification(notification: Notification): Uint8Array {
  const { config } = notification;
  const writer = new Writer(48 + (config?.length ?? 0));
  writer.int(notification.state);
  voteLong.write(writer, notification.leader);
  voteLong.write(writer, notification.zxid);
  voteLong.write(writer, notification.electionEpoch);
  voteLong.write(writer, notification.peerEpoch);
  writer.int(notification.version);
  if (config === null) writer.int(0);
  else writer.ustring(config);
  return writer.copy();
}

/** @throws ProtocolError; such a message is skipped, the connection stays. */
export function decodeNotification(payload: Uint8Array): Notification {
  const reader = new Reader(payload);
  if (payload.length < WITHOUT_PEER_EPOCH) throw new ProtocolError(`a notification of only ${payload.length} bytes`);
  const state = reader.int();
  if (state < ServerState.LOOKING || state > ServerState.OBSERVING) {
    throw new ProtocolError(`a notification with the unknown state ${state}`);
  }
  const leader = voteLong.read(reader);
  const zxid = voteLong.read(reader);
  const electionEpoch = voteLong.read(reader);
  const peerEpoch = payload.length === WITHOUT_PEER_EPOCH ? zxidEpoch(zxid) : voteLong.read(reader);
  // Exactly 40 bytes are a state, four longs and four bytes of no meaning: such a server has no version.
  const version = payload.length <= WITHOUT_VERSION ? 0 : reader.int();
  const config = version > 1 ? readConfig(reader) : null;
  return { state: state as ServerState, leader, zxid, electionEpoch, peerEpoch, version, config };
}

function readConfig(reader: Reader): string | null {
  const size = reader.int();
  const at = reader.skip(size);
  return size === 0 ? null : utf8Read(reader.bytes, at, at + size);
}

/** Bytes that a notification takes on the wire, without its length. */
export function notificationBytes({ config }: Notification): number {
  return 44 + (config === null ? 0 : utf8Length(config));
}
