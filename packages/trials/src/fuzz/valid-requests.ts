/** Whole requests as a good client sends them, all below /bad: what the malformed ones are made of. */
import { type Codec, Writer } from "@vivarium/jute";
import {
  AddWatchRequest,
  AuthPacket,
  ConnectRequest,
  CreateRequest,
  CreateTTLRequest,
  DeleteRequest,
  GetEphemeralsRequest,
  MultiRequest,
  OPEN_ACL_UNSAFE,
  OpCode,
  PathRequest,
  ReconfigRequest,
  RequestHeader,
  SaslToken,
  SetACLRequest,
  SetDataRequest,
  SetWatches,
  SetWatches2,
  WatchedPathRequest,
  WatcherRequest,
} from "@vivarium/protocol";
import type { SeededRandom } from "@vivarium/runtime";
import type { Session } from "../raw-client.ts";

export const BAD_ROOT = "/bad";
const XIDS = 1000;
const NODES = 50;
const OPEN = OPEN_ACL_UNSAFE;

type Body = (path: string, data: Uint8Array) => [codec: Codec<unknown>, value: unknown];
const body = <T>(codec: Codec<T>, value: (path: string, data: Uint8Array) => T): Body => {
  return (path, data) => [codec as Codec<unknown>, value(path, data)];
};
const watched = body(WatchedPathRequest, (path) => ({ path, watch: true }));
const created = body(CreateRequest, (path, data) => ({ path, data, acl: OPEN, flags: 0 }));
const onlyPath = body(PathRequest, (path) => ({ path }));
const watcher = body(WatcherRequest, (path) => ({ path, type: 3 }));
const watches = (path: string) => ({
  relativeZxid: 0,
  dataWatches: [path],
  existWatches: [path, path],
  childWatches: [path],
});
const multi = body(MultiRequest, (path, data) => [
  { type: OpCode.create, path, data, acl: OPEN, flags: 0 },
  { type: OpCode.setData, path, data, version: -1 },
  { type: OpCode.check, path, version: -1 },
  { type: OpCode.delete, path, version: -1 },
]);
const multiRead = body(MultiRequest, (path) => [
  { type: OpCode.getData, path, watch: false },
  { type: OpCode.getChildren, path, watch: false },
]);

const requests: readonly [type: number, body: Body][] = [
  [OpCode.create, created],
  [OpCode.create2, created],
  [OpCode.createContainer, body(CreateRequest, (path, data) => ({ path, data, acl: OPEN, flags: 4 }))],
  [OpCode.createTTL, body(CreateTTLRequest, (path, data) => ({ path, data, acl: OPEN, flags: 5, ttl: 1000n }))],
  [OpCode.delete, body(DeleteRequest, (path) => ({ path, version: -1 }))],
  [OpCode.setData, body(SetDataRequest, (path, data) => ({ path, data, version: -1 }))],
  [OpCode.setACL, body(SetACLRequest, (path) => ({ path, acl: OPEN, version: -1 }))],
  [OpCode.exists, watched],
  [OpCode.getData, watched],
  [OpCode.getChildren, watched],
  [OpCode.getChildren2, watched],
  [OpCode.getACL, onlyPath],
  [OpCode.sync, onlyPath],
  [OpCode.getAllChildrenNumber, onlyPath],
  [OpCode.getEphemerals, body(GetEphemeralsRequest, (prefixPath) => ({ prefixPath }))],
  [OpCode.multi, multi],
  [OpCode.multiRead, multiRead],
  [OpCode.setWatches, body(SetWatches, watches)],
  [
    OpCode.setWatches2,
    body(SetWatches2, (path) => ({ ...watches(path), persistentWatches: [path], persistentRecursiveWatches: [path] })),
  ],
  [OpCode.addWatch, body(AddWatchRequest, (path) => ({ path, mode: 1 }))],
  [OpCode.checkWatches, watcher],
  [OpCode.removeWatches, watcher],
  [OpCode.auth, body(AuthPacket, (path, auth) => ({ type: 0, scheme: path.slice(1), auth }))],
  [OpCode.sasl, body(SaslToken, (_path, token) => ({ token }))],
  [
    OpCode.reconfig,
    body(ReconfigRequest, (path) => ({
      joiningServers: path,
      leavingServers: path,
      newMembers: path,
      curConfigId: -1,
    })),
  ],
];

/** The payload of a valid request: header and body. */
export function validRequest(random: SeededRandom): Uint8Array {
  const [type, make] = requests[random.int(requests.length)] as [number, Body];
  const [codec, value] = make(`${BAD_ROOT}/n${random.int(NODES)}`, random.bytes(random.int(100)));
  const writer = new Writer();
  RequestHeader.write(writer, { xid: random.int(XIDS), type });
  codec.write(writer, value);
  return writer.copy();
}

/** The payload of a ConnectRequest, for a new session or for one to resume. */
export function connectRequest({ id: sessionId, password: passwd }: Session): Uint8Array {
  const writer = new Writer();
  ConnectRequest.write(writer, { protocolVersion: 0, lastZxidSeen: 0, timeOut: 20_000, sessionId, passwd });
  writer.bool(false);
  return writer.copy();
}
