/**
 * Judges one write operation by the tree as it will be: either it is refused with an ErrorCode and leaves no trace, or
 * its transaction body is appended to the entry and the records show the change. The order of the checks is part of
 * the protocol: a client with several mistakes must hear of the same one as from Apache.
 *
 * Source: client protocol facts, section 10. @see PrepRequestProcessor.pRequest2Txn
 */
import type { Writer } from "@vivarium/jute";
import {
  CONTAINER_OWNER,
  ErrorCode,
  isCreateMode,
  isEphemeral,
  isSequential,
  isSpecialPath,
  isTtl,
  MAX_TTL_MS,
  nodeKind,
  OPEN_ACL_UNSAFE,
  OpCode,
  type OwnerRules,
  ownerTtlMs,
  Perms,
  pathProblem,
  sequenceSuffix,
  type TxnBody,
  type TxnHeader,
  ttlOwner,
  writeTxnBody,
} from "@vivarium/protocol";
import type { AuthRegistry } from "./auth/auth-registry.ts";
import type { ChangeRecord, ChangeRecords } from "./change-records.ts";
import type { DataTree } from "./data-tree.ts";
import { Kind } from "./node-record.ts";
import { NONE } from "./node-store.ts";
import { quotaExceeded, quotaLimitsPath, quotaStatsPath, StatsTrack } from "./quota.ts";
import type { WriteOp, WriteRequest } from "./write-request.ts";

export interface WriteRules extends OwnerRules {
  /** Whether hard quotas refuse writes: `zookeeper.enforceQuota`. */
  enforceQuota: boolean;
  /** Told of a write beyond a quota of the subtree at `prefix`: "soft" lets it pass, "hard" refuses it. */
  onQuotaExceeded?: (prefix: string, kind: "soft" | "hard") => void;
  /**
   * Whether the session may write: OK, SESSIONEXPIRED or SESSIONMOVED. With `ephemeral` the session must be a global
   * one, and EPHEMERALONLOCALSESSION is possible too.
   */
  checkSession(request: WriteRequest, ephemeral: boolean): number;
}

export interface WriteJudgeOptions {
  tree: DataTree;
  records: ChangeRecords;
  auth: AuthRegistry;
  rules: WriteRules;
}

export class WriteJudge {
  readonly #tree: DataTree;
  readonly #records: ChangeRecords;
  readonly #auth: AuthRegistry;
  readonly #rules: WriteRules;

  constructor(options: WriteJudgeOptions) {
    this.#tree = options.tree;
    this.#records = options.records;
    this.#auth = options.auth;
    this.#rules = options.rules;
  }

  /** The body of the transaction, or the ErrorCode with which the operation is refused. */
  perform(op: WriteOp, request: WriteRequest, header: TxnHeader, writer: Writer): TxnBody | number {
    switch (op.type) {
      case OpCode.setData:
        return this.#setData(op, request, header, writer);
      case OpCode.delete:
        return this.#delete(op, request, header, writer);
      case OpCode.setACL:
        return this.#setACL(op, request, header, writer);
      case OpCode.check:
        return this.#check(op, request, writer);
      case OpCode.deleteContainer:
        return this.#deleteContainer(op, header, writer);
      default:
        return this.#create(op, request, header, writer);
    }
  }

  #create(op: WriteOp, request: WriteRequest, header: TxnHeader, writer: Writer): TxnBody | number {
    const refused = this.#refuseMode(op) || this.#rules.checkSession(request, isEphemeral(op.flags));
    if (refused !== ErrorCode.OK) return refused;
    if (op.nullPath) return ErrorCode.MARSHALLINGERROR;
    if (!hasParent(op.path)) return ErrorCode.BADARGUMENTS;
    const acl = op.acl === OPEN_ACL_UNSAFE ? op.acl : this.#auth.fixupACL(op.acl, request.authInfo);
    if (typeof acl === "number") return acl;
    const parent = this.#records.parentOf(op.path);
    if (parent === undefined) return ErrorCode.NONODE;
    if (!this.#may(parent, Perms.CREATE, request)) return ErrorCode.NOAUTH;
    const path = isSequential(op.flags) ? op.path + sequenceSuffix(parent.cversion) : op.path;
    if (pathProblem(path) !== undefined) return ErrorCode.BADARGUMENTS;
    const node = this.#records.absent(path, isSequential(op.flags) ? undefined : op);
    if (node === undefined) return ErrorCode.NODEEXISTS;
    if (parent.kind === Kind.ephemeral) return ErrorCode.NOCHILDRENFOREPHEMERALS;
    const dataLength = op.data === null ? 0 : op.data.length;
    if (this.#isOverQuota(path, 1, dataLength)) return ErrorCode.QUOTAEXCEEDED;

    const start = writer.length;
    const body = createBody(op, path, acl, parent);
    writeTxnBody(writer, body);
    this.#records.touch(parent, header.zxid);
    parent.numChildren++;
    this.#growCVersion(parent, body.parentCVersion, header);
    this.#records.touch(node, header.zxid);
    const owner = ownerOf(op, request);
    node.born(header.zxid, header.time, Kind[nodeKind(owner, this.#rules)], owner, acl, dataLength);
    this.#takeData(body, node, writer, start);
    this.#records.changed(node);
    body.digest = node.digest;
    body.parentDigest = parent.digest;
    return body;
  }

  /** As the tree does it: after 2147483647 creates the count starts over and the tree no longer follows. */
  #growCVersion(parent: ChangeRecord, cversion: number, header: TxnHeader): void {
    if (cversion > parent.cversion) {
      parent.cversion = cversion;
      parent.pzxid = header.zxid;
    }
    this.#records.changed(parent);
  }

  #refuseMode(op: WriteOp): number {
    if (!isCreateMode(op.flags)) return ErrorCode.BADARGUMENTS;
    const ttl = isTtl(op.flags);
    if (ttl && !this.#rules.extendedTypes) return ErrorCode.UNIMPLEMENTED;
    const valid = ttl ? op.ttlMs > 0 && op.ttlMs <= MAX_TTL_MS : op.ttlMs < 0 && op.type !== OpCode.createTTL;
    return valid ? ErrorCode.OK : ErrorCode.BADARGUMENTS;
  }

  #delete(op: WriteOp, request: WriteRequest, header: TxnHeader, writer: Writer): TxnBody | number {
    const refused = this.#rules.checkSession(request, false);
    if (refused !== ErrorCode.OK) return refused;
    if (op.nullPath) return ErrorCode.MARSHALLINGERROR;
    if (!hasParent(op.path) || isSpecialPath(op.path)) return ErrorCode.BADARGUMENTS;
    const parent = this.#records.parentOf(op.path);
    if (parent === undefined) return ErrorCode.NONODE;
    if (!this.#may(parent, Perms.DELETE, request)) return ErrorCode.NOAUTH;
    const node = this.#records.find(op.path);
    if (node === undefined) return ErrorCode.NONODE;
    if (!isExpected(node.version, op.version)) return ErrorCode.BADVERSION;
    if (node.numChildren > 0) return ErrorCode.NOTEMPTY;
    return this.#remove(OpCode.delete, node, parent, header, writer);
  }

  /**
   * The reaper's delete. It chose its candidate a while ago, so the node may be another one by now, or have been
   * touched: then it stays.
   */
  #deleteContainer(op: WriteOp, header: TxnHeader, writer: Writer): TxnBody | number {
    if (!hasParent(op.path) || isSpecialPath(op.path)) return ErrorCode.BADARGUMENTS;
    const node = this.#records.find(op.path);
    if (node === undefined) return ErrorCode.NONODE;
    if (node.numChildren > 0) return ErrorCode.NOTEMPTY;
    if (!this.#isReapable(node, header.time)) return ErrorCode.BADVERSION;
    const parent = this.#records.parentOf(op.path);
    if (parent === undefined) return ErrorCode.NONODE;
    return this.#remove(OpCode.deleteContainer, node, parent, header, writer);
  }

  #isReapable(node: ChangeRecord, nowMs: number): boolean {
    if (node.kind === Kind.container) return true;
    return node.kind === Kind.ttl && nowMs - node.mtime > ownerTtlMs(node.owner);
  }

  #remove(
    type: typeof OpCode.delete | typeof OpCode.deleteContainer,
    node: ChangeRecord,
    parent: ChangeRecord,
    header: TxnHeader,
    writer: Writer,
  ): TxnBody {
    const body: TxnBody = { type, path: node.path };
    writeTxnBody(writer, body);
    this.removeNode(node, parent, header);
    return body;
  }

  /** Shows a node as gone: also for the ephemerals of a session that closes. */
  removeNode(node: ChangeRecord, parent: ChangeRecord, header: TxnHeader): void {
    this.#records.touch(parent, header.zxid);
    parent.numChildren--;
    parent.pzxid = header.zxid;
    this.#records.changed(parent);
    this.#records.touch(node, header.zxid);
    node.exists = false;
    this.#records.changed(node);
  }

  #setData(op: WriteOp, request: WriteRequest, header: TxnHeader, writer: Writer): TxnBody | number {
    const refused = this.#rules.checkSession(request, false);
    if (refused !== ErrorCode.OK) return refused;
    const node = this.#records.find(op.path, op);
    // The path of a node that exists is well formed, but for the root's other name.
    if (node === undefined || op.path === "") {
      return pathProblem(op.path) === undefined ? ErrorCode.NONODE : ErrorCode.BADARGUMENTS;
    }
    if (!this.#may(node, Perms.WRITE, request)) return ErrorCode.NOAUTH;
    const dataLength = op.data === null ? 0 : op.data.length;
    if (this.#isOverQuota(op.path, 0, dataLength - node.dataLength)) return ErrorCode.QUOTAEXCEEDED;
    if (!isExpected(node.version, op.version)) return ErrorCode.BADVERSION;
    const version = (node.version + 1) | 0;
    return this.writeData(OpCode.setData, node, { data: op.data, version }, header, writer);
  }

  /** The change of setData, and of reconfig, which gives the version itself. */
  writeData(
    type: typeof OpCode.setData | typeof OpCode.reconfig,
    node: ChangeRecord,
    to: { data: Uint8Array | null; version: number },
    header: TxnHeader,
    writer: Writer,
  ): TxnBody {
    const { path, removals } = node;
    const { data, version } = to;
    const body = { type, path, data, version, prefixCrc: 0, digest: 0, node: node.node, removals };
    const start = writer.length;
    writeTxnBody(writer, body);
    this.#records.touch(node, header.zxid);
    node.version = version;
    node.mtime = header.time;
    node.mzxid = header.zxid;
    node.dataLength = data === null ? 0 : data.length;
    this.#takeData(body, node, writer, start);
    this.#records.changed(node);
    body.digest = node.digest;
    return body;
  }

  #setACL(op: WriteOp, request: WriteRequest, header: TxnHeader, writer: Writer): TxnBody | number {
    const refused = this.#rules.checkSession(request, false);
    if (refused !== ErrorCode.OK) return refused;
    if (pathProblem(op.path) !== undefined) return ErrorCode.BADARGUMENTS;
    const acl = this.#auth.fixupACL(op.acl, request.authInfo);
    if (typeof acl === "number") return acl;
    const node = this.#records.find(op.path);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#may(node, Perms.ADMIN, request)) return ErrorCode.NOAUTH;
    if (!isExpected(node.aversion, op.version)) return ErrorCode.BADVERSION;
    const body: TxnBody = { type: OpCode.setACL, path: node.path, acl, version: (node.aversion + 1) | 0 };
    writeTxnBody(writer, body);
    this.#records.touch(node, header.zxid);
    node.acl = acl;
    node.aversion = body.version;
    this.#records.changed(node);
    return body;
  }

  #check(op: WriteOp, request: WriteRequest, writer: Writer): TxnBody | number {
    const refused = this.#rules.checkSession(request, false);
    if (refused !== ErrorCode.OK) return refused;
    if (pathProblem(op.path) !== undefined) return ErrorCode.BADARGUMENTS;
    const node = this.#records.find(op.path);
    if (node === undefined) return ErrorCode.NONODE;
    if (!this.#may(node, Perms.READ, request)) return ErrorCode.NOAUTH;
    if (!isExpected(node.version, op.version)) return ErrorCode.BADVERSION;
    const body: TxnBody = { type: OpCode.check, path: node.path, version: (node.version + 1) | 0 };
    writeTxnBody(writer, body);
    return body;
  }

  #may(node: ChangeRecord, perms: number, request: WriteRequest): boolean {
    return this.#auth.checkACL(node.acl, perms, request.authInfo);
  }

  /** Judged by what is committed, as in Apache: a burst of writes may pass a limit by what is still under way. */
  #isOverQuota(path: string, count: number, bytes: number): boolean {
    if (!this.#rules.enforceQuota) return false;
    const prefix = this.#tree.quotas.prefixOf(path);
    if (prefix === undefined) return false;
    const { nodes } = this.#tree;
    const limits = nodes.findPath(quotaLimitsPath(prefix));
    const stats = nodes.findPath(quotaStatsPath(prefix));
    if (limits === NONE || stats === NONE) return false;
    const [limit, now] = [StatsTrack.parse(nodes.data(limits)), StatsTrack.parse(nodes.data(stats))];
    const exceeded = quotaExceeded(limit, now, { count, bytes });
    if (exceeded !== undefined) this.#rules.onQuotaExceeded?.(prefix, exceeded);
    return exceeded === "hard";
  }

  /** The body's data becomes a window on the entry, in which it was written at `start`; the checksum is brought up to it. */
  #takeData(body: DataBody, node: ChangeRecord, writer: Writer, start: number): void {
    const { bytes, view } = writer;
    const pathAt = start + 4;
    const pathEnd = pathAt + view.getInt32(start);
    // The root's path is "" to the digest.
    const pathCrc = node.path === "/" ? 0 : this.#records.crc(bytes, pathAt, pathEnd, 0);
    const size = view.getInt32(pathEnd);
    const data = size === -1 ? null : bytes.subarray(pathEnd + 4, pathEnd + 4 + size);
    node.prefixCrc = data === null ? pathCrc : this.#records.crc(data, 0, size, pathCrc);
    body.data = data;
    body.prefixCrc = node.prefixCrc;
  }
}

interface DataBody {
  data: Uint8Array | null;
  prefixCrc?: number;
  digest?: number;
}

type CreateBody = TxnBody &
  DataBody & { path: string; parentCVersion: number; parentDigest?: number; node?: number; removals?: number };

/** The digests are filled in when they are known. */
function createBody(op: WriteOp, path: string, acl: WriteOp["acl"], parent: ChangeRecord): CreateBody {
  const plain = {
    type: op.type === OpCode.create2 ? OpCode.create2 : OpCode.create,
    path,
    data: op.data,
    acl,
    ephemeral: isEphemeral(op.flags),
    parentCVersion: (parent.cversion + 1) | 0,
    prefixCrc: 0,
    digest: 0,
    parentDigest: 0,
    node: parent.node,
    removals: parent.removals,
  };
  if (op.type === OpCode.createContainer) return { ...plain, type: OpCode.createContainer };
  if (op.type === OpCode.createTTL) return { ...plain, type: OpCode.createTTL, ttl: op.ttlMs };
  return plain;
}

/** What applying the body will make of it, which follows the op and not the flags. */
function ownerOf(op: WriteOp, request: WriteRequest): bigint {
  if (op.type === OpCode.createContainer) return CONTAINER_OWNER;
  if (op.type === OpCode.createTTL) return ttlOwner(op.ttlMs);
  return isEphemeral(op.flags) ? request.sessionId : 0n;
}

function isExpected(version: number, expected: number): boolean {
  return expected === -1 || expected === version;
}

/** The cheap check of creates and deletes: there is a slash, and no NUL. */
function hasParent(path: string): boolean {
  return path.includes("/") && !path.includes("\0");
}
