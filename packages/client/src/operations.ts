/**
 * Each operation of the client wire: how a request's arguments are written after the RequestHeader, and what a good
 * reply becomes. Bad replies never reach `decode`.
 */
import { type Reader, vector, type Writer } from "@vivarium/jute";
import {
  ACL,
  type ACL as Acl,
  type ClientInfo,
  CreateMode,
  isTtl,
  type MultiOp,
  MultiRequest,
  MultiResponse,
  type MultiResult,
  OpCode,
  type Stat,
  WhoAmIResponse,
} from "@vivarium/protocol";
import type { Data, Request } from "./request.ts";
import { readStat } from "./stat.ts";

export interface Operation {
  readonly code: number;
  /** ZooKeeper's word for it. */
  readonly name: string;
  /** Whether it changes the tree: then it is not sent twice without being told to. */
  readonly writes: boolean;
  encode(writer: Writer, request: Request): void;
  decode(reader: Reader, request: Request): unknown;
}

export interface CreateResult {
  /** The path of the new node, with its sequence number if it has one. */
  path: string;
  stat: Stat;
}
export interface GetDataResult {
  /** Null is not the same as empty. */
  data: Buffer | null;
  stat: Stat;
}
export interface GetChildrenResult {
  /** Names, not paths; in no particular order. */
  children: string[];
  stat: Stat;
}
export interface GetAclResult {
  acl: Acl[];
  stat: Stat;
}

/** The arguments of a create beside path and data. */
export interface CreateDetail {
  acl: Acl[];
  ttlMs: number;
}

/** The arguments of a reconfig. */
export interface ReconfigDetail {
  joining: string;
  leaving: string;
  newMembers: string;
  fromConfig: number;
}

const Acls = vector(ACL);
const nothing = (): undefined => undefined;

function writeData(writer: Writer, data: Data): void {
  if (typeof data === "string") writer.ustring(data);
  else writer.buffer(data);
}

function writePath(writer: Writer, request: Request): void {
  writer.ustring(request.path);
}

function writeWatchedPath(writer: Writer, request: Request): void {
  writer.ustring(request.path);
  writer.bool(request.watch);
}

function writeCreate(writer: Writer, request: Request): void {
  const { acl, ttlMs } = request.detail as CreateDetail;
  writer.ustring(request.path);
  writeData(writer, request.data);
  Acls.write(writer, acl);
  writer.int(request.number);
  if (isTtl(request.number)) writer.number(ttlMs);
}

function writePathAndNumber(writer: Writer, request: Request): void {
  writer.ustring(request.path);
  writer.int(request.number);
}

/** A copy: a view would keep the whole chunk alive that the network delivered. */
export function readData(reader: Reader): Buffer | null {
  const size = reader.size();
  if (size === -1) return null;
  const at = reader.skip(size);
  const copy = Buffer.allocUnsafe(size);
  copy.set(reader.bytes.subarray(at, at + size));
  return copy;
}

export function readNames(reader: Reader): string[] {
  const names: string[] = [];
  for (let left = reader.count(); left > 0; left--) names.push(reader.ustring());
  return names;
}

/** A path of the server as the caller knows it. */
export function withoutChroot(path: string, chrootLength: number): string {
  return chrootLength === 0 ? path : path.slice(chrootLength) || "/";
}

/** The prefix is text, not a path: below the chroot /x the server also finds what begins with /xy. */
function readEphemerals(reader: Reader, { path, chrootLength }: Request): string[] {
  const paths = readNames(reader);
  if (chrootLength === 0) return paths;
  const below = `${path.slice(0, chrootLength)}/`;
  return paths.filter((each) => each.startsWith(below)).map((each) => withoutChroot(each, chrootLength));
}

function readCreated(reader: Reader, request: Request): CreateResult {
  const path = withoutChroot(reader.ustring(), request.chrootLength);
  return { path, stat: readStat(reader) };
}

function createOperation(code: number, name: string): Operation {
  return { code, name, writes: true, encode: writeCreate, decode: readCreated };
}

const create = createOperation(OpCode.create2, "create");
const createContainer = createOperation(OpCode.createContainer, "createContainer");
const createTTL = createOperation(OpCode.createTTL, "createTTL");

export const operations = {
  create,
  createContainer,
  createTTL,
  delete: { code: OpCode.delete, name: "delete", writes: true, encode: writePathAndNumber, decode: nothing },
  exists: { code: OpCode.exists, name: "exists", writes: false, encode: writeWatchedPath, decode: readStat },
  getData: {
    code: OpCode.getData,
    name: "getData",
    writes: false,
    encode: writeWatchedPath,
    decode: (reader): GetDataResult => {
      const data = readData(reader);
      return { data, stat: readStat(reader) };
    },
  },
  setData: {
    code: OpCode.setData,
    name: "setData",
    writes: true,
    encode: (writer, request) => {
      writer.ustring(request.path);
      writeData(writer, request.data);
      writer.int(request.number);
    },
    decode: readStat,
  },
  getACL: {
    code: OpCode.getACL,
    name: "getACL",
    writes: false,
    encode: writePath,
    decode: (reader): GetAclResult => {
      const acl = Acls.read(reader);
      return { acl, stat: readStat(reader) };
    },
  },
  setACL: {
    code: OpCode.setACL,
    name: "setACL",
    writes: true,
    encode: (writer, request) => {
      writer.ustring(request.path);
      Acls.write(writer, request.detail as Acl[]);
      writer.int(request.number);
    },
    decode: readStat,
  },
  getChildren: {
    code: OpCode.getChildren2,
    name: "getChildren",
    writes: false,
    encode: writeWatchedPath,
    decode: (reader): GetChildrenResult => {
      const children = readNames(reader);
      return { children, stat: readStat(reader) };
    },
  },
  sync: { code: OpCode.sync, name: "sync", writes: false, encode: writePath, decode: nothing },
  multi: {
    code: OpCode.multi,
    name: "multi",
    writes: true,
    encode: (writer, request) => MultiRequest.write(writer, request.detail as MultiOp[]),
    decode: (reader): MultiResult[] => MultiResponse.read(reader),
  },
  multiRead: {
    code: OpCode.multiRead,
    name: "multiRead",
    writes: false,
    encode: (writer, request) => MultiRequest.write(writer, request.detail as MultiOp[]),
    decode: (reader): MultiResult[] => MultiResponse.read(reader),
  },
  reconfig: {
    code: OpCode.reconfig,
    name: "reconfig",
    writes: true,
    encode: (writer, request) => {
      const { joining, leaving, newMembers, fromConfig } = request.detail as ReconfigDetail;
      // Java reads an empty string as an empty list, and only null as "not given".
      writer.ustring(joining === "" ? null : joining);
      writer.ustring(leaving === "" ? null : leaving);
      writer.ustring(newMembers === "" ? null : newMembers);
      writer.number(fromConfig);
    },
    decode: (reader): GetDataResult => {
      const data = readData(reader);
      return { data, stat: readStat(reader) };
    },
  },
  addWatch: { code: OpCode.addWatch, name: "addWatch", writes: false, encode: writePathAndNumber, decode: nothing },
  checkWatches: {
    code: OpCode.checkWatches,
    name: "checkWatches",
    writes: false,
    encode: writePathAndNumber,
    decode: nothing,
  },
  removeWatches: {
    code: OpCode.removeWatches,
    name: "removeWatches",
    writes: false,
    encode: writePathAndNumber,
    decode: nothing,
  },
  getEphemerals: {
    code: OpCode.getEphemerals,
    name: "getEphemerals",
    writes: false,
    encode: writePath,
    decode: readEphemerals,
  },
  getAllChildrenNumber: {
    code: OpCode.getAllChildrenNumber,
    name: "getAllChildrenNumber",
    writes: false,
    encode: writePath,
    decode: (reader): number => reader.int(),
  },
  whoAmI: {
    code: OpCode.whoAmI,
    name: "whoAmI",
    writes: false,
    encode: nothing,
    decode: (reader): ClientInfo[] => WhoAmIResponse.read(reader).clientInfo,
  },
  closeSession: { code: OpCode.closeSession, name: "closeSession", writes: true, encode: nothing, decode: nothing },
} as const satisfies Record<string, Operation>;

/** Which create a mode needs: containers and TTL nodes have requests of their own. */
export function createOperationOf(mode: CreateMode): Operation {
  if (mode === CreateMode.CONTAINER) return createContainer;
  return isTtl(mode) ? createTTL : create;
}
