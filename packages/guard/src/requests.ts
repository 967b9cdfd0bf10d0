/** Requests as the bytes that a client sends. */
import { type Codec, Writer } from "@vivarium/jute";
import {
  ConnectRequest,
  CreateMode,
  CreateRequest,
  MultiRequest,
  OPEN_ACL_UNSAFE,
  OpCode,
  SetDataRequest,
  SpecialXid,
  WatchedPathRequest,
} from "@vivarium/protocol";

const SESSION_TIMEOUT_MS = 40_000;
const PASSWORD_BYTES = 16;

/** Writes one request, length and all. */
export type Request = (writer: Writer) => void;

const request =
  <T>(type: number, codec: Codec<T>, value: T): Request =>
  (writer) =>
    frame(writer, () => {
      writer.int(1);
      writer.int(type);
      codec.write(writer, value);
    });

/** `size` bytes that nobody looks at. */
const dataOf = (size: number): Uint8Array => new Uint8Array(size).fill(120);
const set = (path: string, size: number) => ({ path, data: dataOf(size), version: -1 });

export const requests = {
  create: (path: string, size: number) =>
    request(OpCode.create, CreateRequest, {
      path,
      data: dataOf(size),
      acl: OPEN_ACL_UNSAFE,
      flags: CreateMode.PERSISTENT,
    }),
  getData: (path: string, watch = false) => request(OpCode.getData, WatchedPathRequest, { path, watch }),
  exists: (path: string) => request(OpCode.exists, WatchedPathRequest, { path, watch: false }),
  getChildren: (path: string) => request(OpCode.getChildren, WatchedPathRequest, { path, watch: false }),
  setData: (path: string, size: number) => request(OpCode.setData, SetDataRequest, set(path, size)),
  multiSet: (paths: readonly string[], size: number) =>
    request(
      OpCode.multi,
      MultiRequest,
      paths.map((path) => ({ type: OpCode.setData, ...set(path, size) })),
    ),
  ping: (): Request => (writer) =>
    frame(writer, () => {
      writer.int(SpecialXid.ping);
      writer.int(OpCode.ping);
    }),
};

export function connectFrame(): Uint8Array {
  const write: Request = (writer) =>
    frame(writer, () => {
      ConnectRequest.write(writer, {
        protocolVersion: 0,
        lastZxidSeen: 0,
        timeOut: SESSION_TIMEOUT_MS,
        sessionId: 0n,
        passwd: new Uint8Array(PASSWORD_BYTES),
      });
      writer.bool(false);
    });
  return chunkOf([write]);
}

/** Requests as one piece, in memory outside the heap, as a socket has it: V8 keeps small arrays of bytes elsewhere. */
export function chunkOf(list: readonly Request[]): Uint8Array {
  const writer = new Writer();
  for (const write of list) write(writer);
  return writer.written();
}

function frame(writer: Writer, body: () => void): void {
  const at = writer.length;
  writer.int(0);
  body();
  writer.view.setInt32(at, writer.length - at - 4);
}
