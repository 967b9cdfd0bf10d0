/** Requests as values, ready to be sent: an op code and the bytes of its record. */
import { type Codec, encode } from "@vivarium/jute";
import {
  type ACL,
  AddWatchRequest,
  AuthPacket,
  CheckVersionRequest,
  CreateMode,
  CreateRequest,
  CreateTTLRequest,
  DeleteRequest,
  type MultiOp,
  MultiRequest,
  OPEN_ACL_UNSAFE,
  OpCode,
  PathRequest,
  SetDataRequest,
  SetWatches,
  SpecialXid,
  WatchedPathRequest,
} from "@vivarium/protocol";

export interface Request {
  readonly type: number;
  readonly record: Uint8Array;
  /** For what has no number of its own, such as ping. */
  readonly xid?: number;
}

export interface CreateOptions {
  readonly data?: string | Uint8Array;
  readonly mode?: number;
  readonly acl?: ACL[];
}

function of<T>(type: number, codec: Codec<T>, body: T): Request {
  return { type, record: encode(codec, body) };
}

export function raw(type: number, record: Uint8Array = new Uint8Array(0)): Request {
  return { type, record };
}

export function createBody(path: string, options: CreateOptions = {}): CreateRequest {
  const { data = "", mode = CreateMode.PERSISTENT, acl = OPEN_ACL_UNSAFE } = options;
  return { path, data: bytesOf(data), acl, flags: mode };
}

export const create = (path: string, options?: CreateOptions) =>
  of(OpCode.create, CreateRequest, createBody(path, options));

export const createContainer = (path: string) =>
  of(OpCode.createContainer, CreateRequest, createBody(path, { mode: CreateMode.CONTAINER }));

export const createTTL = (path: string, ttlMs: number) =>
  of(OpCode.createTTL, CreateTTLRequest, {
    ...createBody(path, { mode: CreateMode.PERSISTENT_WITH_TTL }),
    ttl: BigInt(ttlMs),
  });

export const remove = (path: string) => of(OpCode.delete, DeleteRequest, { path, version: -1 });
export const exists = (path: string, watch = false) => of(OpCode.exists, WatchedPathRequest, { path, watch });
export const getData = (path: string, watch = false) => of(OpCode.getData, WatchedPathRequest, { path, watch });
export const getChildren = (path: string, watch = false) => of(OpCode.getChildren, WatchedPathRequest, { path, watch });
export const setData = (path: string, data: string | Uint8Array, version = -1) =>
  of(OpCode.setData, SetDataRequest, { path, data: bytesOf(data), version });
export const check = (path: string) => of(OpCode.check, CheckVersionRequest, { path, version: -1 });
export const deleteContainer = (path: string) => of(OpCode.deleteContainer, PathRequest, { path });
export const sync = (path: string) => of(OpCode.sync, PathRequest, { path });
export const addWatch = (path: string, mode: number) => of(OpCode.addWatch, AddWatchRequest, { path, mode });
/** Watches for the creation of each of these. */
export const watchAll = (paths: string[]): Request => ({
  ...of(OpCode.setWatches, SetWatches, { relativeZxid: 0, dataWatches: [], existWatches: paths, childWatches: [] }),
  xid: SpecialXid.setWatches,
});

export const multi = (...ops: MultiOp[]) => of(OpCode.multi, MultiRequest, ops);
export const closeSession = raw(OpCode.closeSession);
export const ping: Request = { ...raw(OpCode.ping), xid: SpecialXid.ping };

export const auth = (scheme: string, data: string): Request => ({
  ...of(OpCode.auth, AuthPacket, { type: 0, scheme, auth: bytesOf(data) }),
  xid: SpecialXid.auth,
});

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}
