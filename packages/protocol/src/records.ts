/** Records of the client wire, in ZooKeeper's own names and order. @see zookeeper.jute, package proto */
import {
  bool,
  buffer,
  type Codec,
  type Infer,
  int,
  long,
  nullableUstring,
  number,
  record,
  requiredVector,
  ustring,
  vector,
} from "@vivarium/jute";
import { ACL } from "./acl.ts";
import { Stat } from "./stat.ts";

/** A zxid to compare with and nothing else: one beyond 2^53 may be rounded. */
const comparedZxid: Codec<number> = { write: (w, v) => w.number(v), read: (r) => Number(r.long()) };

/** The first packet of a connection. The `readOnly` byte after it may be missing (clients up to 3.3). */
export const ConnectRequest = record({
  protocolVersion: int,
  lastZxidSeen: number,
  /** Session timeout asked for, in milliseconds. */
  timeOut: int,
  /** 0 for a new session. */
  sessionId: long,
  passwd: buffer,
});
export type ConnectRequest = Infer<typeof ConnectRequest>;

/** The server's first packet. `readOnly` follows only when the request carried that byte. */
export const ConnectResponse = record({
  protocolVersion: int,
  /** Session timeout granted, in milliseconds; 0 tells that the session has expired. */
  timeOut: int,
  sessionId: long,
  passwd: buffer,
});
export type ConnectResponse = Infer<typeof ConnectResponse>;

export const RequestHeader = record({
  /** The client's own counter, from 1; the special ones are in SpecialXid. */
  xid: int,
  type: int,
});
export type RequestHeader = Infer<typeof RequestHeader>;

export const ReplyHeader = record({ xid: int, zxid: number, err: int });
export type ReplyHeader = Infer<typeof ReplyHeader>;
export const REPLY_HEADER_BYTES = 16;

export const CreateRequest = record({ path: ustring, data: buffer, acl: vector(ACL), flags: int });
export type CreateRequest = Infer<typeof CreateRequest>;
export const CreateTTLRequest = record({
  path: ustring,
  data: buffer,
  acl: vector(ACL),
  flags: int,
  /** Milliseconds without children or change after which the node goes. */
  ttl: long,
});
export type CreateTTLRequest = Infer<typeof CreateTTLRequest>;
export const CreateResponse = record({ path: ustring });
export type CreateResponse = Infer<typeof CreateResponse>;
export const Create2Response = record({ path: ustring, stat: Stat });
export type Create2Response = Infer<typeof Create2Response>;

export const DeleteRequest = record({ path: ustring, version: int });
export type DeleteRequest = Infer<typeof DeleteRequest>;
export const CheckVersionRequest = DeleteRequest;
export type CheckVersionRequest = DeleteRequest;

/** exists, getData, getChildren and getChildren2 all ask this. */
export const WatchedPathRequest = record({ path: ustring, watch: bool });
export type WatchedPathRequest = Infer<typeof WatchedPathRequest>;
export const StatResponse = record({ stat: Stat });
export type StatResponse = Infer<typeof StatResponse>;
export const GetDataResponse = record({ data: buffer, stat: Stat });
export type GetDataResponse = Infer<typeof GetDataResponse>;
export const GetChildrenResponse = record({ children: vector(ustring) });
export type GetChildrenResponse = Infer<typeof GetChildrenResponse>;
export const GetChildren2Response = record({ children: vector(ustring), stat: Stat });
export type GetChildren2Response = Infer<typeof GetChildren2Response>;

export const SetDataRequest = record({ path: ustring, data: buffer, version: int });
export type SetDataRequest = Infer<typeof SetDataRequest>;

/** getACL, sync, getAllChildrenNumber. */
export const PathRequest = record({ path: ustring });
export type PathRequest = Infer<typeof PathRequest>;
export const GetACLResponse = record({ acl: vector(ACL), stat: Stat });
export type GetACLResponse = Infer<typeof GetACLResponse>;
export const SetACLRequest = record({ path: ustring, acl: vector(ACL), version: int });
export type SetACLRequest = Infer<typeof SetACLRequest>;
export const SyncResponse = record({ path: ustring });
export type SyncResponse = Infer<typeof SyncResponse>;

/** Either `newMembers`, or who joins and leaves; what is not meant is null. */
export const ReconfigRequest = record({
  joiningServers: nullableUstring,
  leavingServers: nullableUstring,
  newMembers: nullableUstring,
  curConfigId: comparedZxid,
});
export type ReconfigRequest = Infer<typeof ReconfigRequest>;

export const AuthPacket = record({ type: int, scheme: nullableUstring, auth: buffer });
export type AuthPacket = Infer<typeof AuthPacket>;

/** sasl, both ways. */
export const SaslToken = record({ token: buffer });
export type SaslToken = Infer<typeof SaslToken>;

export const SetWatches = record({
  /** The last zxid the client has seen: what changed after it fires at once. */
  relativeZxid: comparedZxid,
  dataWatches: requiredVector(ustring),
  existWatches: requiredVector(ustring),
  childWatches: requiredVector(ustring),
});
export type SetWatches = Infer<typeof SetWatches>;
export const SetWatches2 = record({
  ...SetWatches.fields,
  persistentWatches: requiredVector(ustring),
  persistentRecursiveWatches: requiredVector(ustring),
});
export type SetWatches2 = Infer<typeof SetWatches2>;

/** checkWatches and removeWatches; `type` is one of WatcherType. */
export const WatcherRequest = record({ path: ustring, type: int });
export type WatcherRequest = Infer<typeof WatcherRequest>;
/** `mode` is one of AddWatchMode. */
export const AddWatchRequest = record({ path: ustring, mode: int });
export type AddWatchRequest = Infer<typeof AddWatchRequest>;
export const ErrorResponse = record({ err: int });
export type ErrorResponse = Infer<typeof ErrorResponse>;

export const GetEphemeralsRequest = record({ prefixPath: ustring });
export type GetEphemeralsRequest = Infer<typeof GetEphemeralsRequest>;
export const GetEphemeralsResponse = record({ ephemerals: vector(ustring) });
export type GetEphemeralsResponse = Infer<typeof GetEphemeralsResponse>;
export const GetAllChildrenNumberResponse = record({ totalNumber: int });
export type GetAllChildrenNumberResponse = Infer<typeof GetAllChildrenNumberResponse>;

export const ClientInfo = record({ authScheme: ustring, user: ustring });
export type ClientInfo = Infer<typeof ClientInfo>;
export const WhoAmIResponse = record({ clientInfo: vector(ClientInfo) });
export type WhoAmIResponse = Infer<typeof WhoAmIResponse>;

/** A notification's body, after a ReplyHeader with xid -1. */
export const WatcherEvent = record({ type: int, state: int, path: ustring });
export type WatcherEvent = Infer<typeof WatcherEvent>;

/** A body that has no bytes. */
export const Nothing: Codec<undefined> = { write: () => undefined, read: () => undefined };
