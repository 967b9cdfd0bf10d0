/**
 * The replicated state. `apply` carries out transactions in zxid order, the same on every server and the same whether
 * they come from a client, a leader or the log: all that it needs is in the transaction, and it reads no clock.
 *
 * A snapshot is read while transactions go on, so replay from its zxid meets nodes that are already there or already
 * gone. Those are not errors of the tree: the result says what was found, and what is left is what the transactions
 * say. `lastProcessedZxid` moves only after the whole of a transaction.
 * @see disk-format 4; DataTree.processTxn
 */
import { ProtocolError, utf8Length, utf8Read, utf8Write } from "@vivarium/jute";
import {
  type ACL,
  CONFIG_PATH,
  CONTAINER_OWNER,
  ErrorCode,
  EventType,
  OpCode,
  type OwnerRules,
  PROC_PATH,
  parentPath,
  QUOTA_PATH,
  READ_ACL_UNSAFE,
  type SnapshotSource,
  STAT_BYTES,
  type StatPersisted,
  type Txn,
  type TxnBody,
  type TxnHeader,
  ttlOwner,
  type Zxid,
  type ZxidDigest,
} from "@vivarium/protocol";
import { AclTable, OPEN_ACL_ID } from "./acl-table.ts";
import type { Crc32 } from "./crc32.ts";
import { DigestHistory, type DigestMismatch } from "./digest-history.ts";
import { NONE, type NodeId, NodeStore, ROOT } from "./node-store.ts";
import { OwnedNodes } from "./owned-nodes.ts";
import { QuotaStats } from "./quota-stats.ts";
import { SnapshotWalk } from "./snapshot-walk.ts";
import { WatchTable } from "./watch-table.ts";

export interface DataTreeOptions extends OwnerRules {
  /** Whether digests are kept and compared (`zookeeper.digest.enabled`). */
  digest: boolean;
  crc32?: Crc32;
  /** Told when the tree differs from what a transaction or snapshot says it should be. */
  onDigestMismatch?: DigestMismatch;
}

export interface TxnResult {
  /** One of ErrorCode: of a live transaction only what it carries itself, in replay also NONODE and NODEEXISTS. */
  err: number;
  /** The transaction's type; of the parts of a failed multi always `error`. */
  type: number;
  path?: string;
  /** The node that was created or changed, otherwise NONE. Good until the next transaction. */
  node: NodeId;
  /** The 68 bytes of its Stat at this step; only for the parts of a multi, because later parts may change it. */
  stat?: Uint8Array;
  /** What became of the parts of a multi. */
  results?: TxnResult[];
}

const EMPTY = new Uint8Array(0);
const SLASH = 0x2f;
/** Of the nodes that every tree has from the beginning. */
const ZERO_STAT: StatPersisted = {
  czxid: 0,
  mzxid: 0,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  pzxid: 0,
};

export class DataTree {
  readonly nodes: NodeStore;
  readonly acls = new AclTable();
  readonly watches = new WatchTable();
  readonly owned: OwnedNodes;
  readonly quotas: QuotaStats;
  readonly digests: DigestHistory;
  readonly digestEnabled: boolean;
  /** Timeout in milliseconds by session id. */
  readonly sessions = new Map<bigint, number>();
  lastProcessedZxid: Zxid = 0;
  readonly #walks = new Set<SnapshotWalk>();
  #path = new Uint8Array(1024);

  constructor(options: DataTreeOptions) {
    const { extendedTypes, emulate353Ttl, digest, crc32, onDigestMismatch } = options;
    const rules = { extendedTypes, emulate353Ttl };
    this.nodes = new NodeStore(crc32 === undefined ? { rules, digest } : { rules, digest, crc32 });
    this.owned = new OwnedNodes(this.nodes);
    this.quotas = new QuotaStats(this.nodes);
    this.digests = new DigestHistory(this.nodes.treeDigest, onDigestMismatch);
    this.digestEnabled = digest;
    for (const path of ["", PROC_PATH, QUOTA_PATH]) this.#addInitial(path, OPEN_ACL_ID, ZERO_STAT);
    this.#addConfigNode();
  }

  /** The tree's digest (version 2) as a signed 64-bit integer; 0 when digests are off. */
  digest(): bigint {
    return this.nodes.treeDigest.toBigInt();
  }

  /** Paths of the nodes that a session owns. */
  ephemerals(sessionId: bigint): string[] {
    return Array.from(this.owned.ephemerals(sessionId), (id) => this.nodes.path(id));
  }

  /** Paths that the reaper may delete now. */
  reapCandidates(nowMs: number, options: { maxNeverUsedMs: number }): string[] {
    return this.owned.reapCandidates(nowMs, options);
  }

  // Transactions

  apply(txn: Txn): TxnResult {
    const { header } = txn;
    const result = this.#applyBody(txn.body, header);
    if (header.zxid > this.lastProcessedZxid) this.lastProcessedZxid = header.zxid;
    if (this.digestEnabled) this.digests.applied(header.zxid, txn.digest);
    return result;
  }

  #applyBody(body: TxnBody, header: TxnHeader): TxnResult {
    switch (body.type) {
      case OpCode.create:
      case OpCode.create2:
        return this.#create(body, body.ephemeral ? header.clientId : 0n, header);
      case OpCode.createContainer:
        return this.#create(body, CONTAINER_OWNER, header);
      case OpCode.createTTL:
        return this.#create(body, ttlOwner(body.ttl), header);
      case OpCode.delete:
      case OpCode.deleteContainer:
        return { type: body.type, err: this.#delete(body.path, header.zxid), path: body.path, node: NONE };
      case OpCode.setData:
      case OpCode.reconfig:
        return this.#setData(body, header);
      case OpCode.setACL:
        return this.#setAcl(body);
      case OpCode.createSession:
        this.sessions.set(header.clientId, body.timeOut);
        return { type: body.type, err: ErrorCode.OK, node: NONE };
      case OpCode.closeSession:
        this.#closeSession(header.clientId, body.paths2Delete, header.zxid);
        return { type: body.type, err: ErrorCode.OK, node: NONE };
      case OpCode.check:
        return { type: body.type, err: ErrorCode.OK, path: body.path, node: NONE };
      case OpCode.error:
        return { type: body.type, err: body.err, node: NONE };
      case OpCode.multi:
        return this.#multi(body.txns, header);
    }
  }

  /** All or nothing: one error among the parts, and none of them is carried out. */
  #multi(txns: readonly TxnBody[], header: TxnHeader): TxnResult {
    const results: TxnResult[] = [];
    const failedAt = txns.findIndex((txn) => txn.type === OpCode.error);
    let err: number = ErrorCode.OK;
    for (let i = 0; i < txns.length; i++) {
      const body = txns[i] as TxnBody;
      const result =
        failedAt === -1 || body.type === OpCode.error
          ? this.#applyBody(body, header)
          : notCarriedOut(i < failedAt ? ErrorCode.OK : ErrorCode.RUNTIMEINCONSISTENCY);
      if (result.node !== NONE) result.stat = this.#statOf(result.node);
      if (err === ErrorCode.OK) err = result.err;
      results.push(result);
    }
    return { type: OpCode.multi, err, node: NONE, results };
  }

  #statOf(id: NodeId): Uint8Array {
    const stat = new Uint8Array(STAT_BYTES);
    this.nodes.copyStat(id, stat, 0);
    return stat;
  }

  #create(
    body: { type: number; path: string; data: Uint8Array | null; acl: ACL[]; parentCVersion: number },
    owner: bigint,
    header: TxnHeader,
  ): TxnResult {
    const { nodes, acls } = this;
    const { type, path, data } = body;
    const { zxid } = header;
    const pathEnd = this.#writePath(path);
    const nameStart = this.#path.lastIndexOf(SLASH, pathEnd - 1) + 1;
    const parent = nodes.find(this.#path, 0, Math.max(0, nameStart - 1));
    if (parent === NONE) return { type, err: ErrorCode.NONODE, path, node: NONE };
    const aclId = acls.acquire(body.acl);
    const existing = nodes.find(this.#path, 0, pathEnd);
    if (existing !== NONE) {
      this.#replaceAcl(existing, aclId, nodes.aversion(existing));
      this.#childCreated(parent, body.parentCVersion, zxid);
      return { type, err: ErrorCode.NODEEXISTS, path, node: existing };
    }
    const node = nodes.insert(parent, this.#path, nameStart, pathEnd);
    nodes.born(node, data, aclId, owner, zxid, header.time);
    this.#childCreated(parent, body.parentCVersion, zxid);
    if (owner !== 0n) this.owned.added(node);
    this.quotas.created(path, data === null ? 0 : data.length);
    if (!this.watches.isEmpty) {
      this.watches.trigger(path, EventType.NodeCreated, zxid, aclId);
      this.watches.trigger(parentPath(path), EventType.NodeChildrenChanged, zxid, nodes.aclId(parent));
    }
    return { type, err: ErrorCode.OK, path, node };
  }

  /** The parent's counts only ever grow: in replay it may already know of creates later than this one. */
  #childCreated(parent: NodeId, parentCVersion: number, zxid: Zxid): void {
    const before = this.nodes.cversion(parent);
    const cversion = parentCVersion === -1 ? (before + 1) | 0 : parentCVersion;
    if (cversion > before) this.nodes.setChildrenChanged(parent, cversion, zxid);
  }

  #delete(path: string, zxid: Zxid): number {
    const { nodes } = this;
    const pathEnd = this.#writePath(path);
    const nameStart = this.#path.lastIndexOf(SLASH, pathEnd - 1) + 1;
    const parent = nodes.find(this.#path, 0, Math.max(0, nameStart - 1));
    if (parent === NONE || pathEnd < 2) return ErrorCode.NONODE;
    const node = nodes.find(this.#path, 0, pathEnd);
    // Even of a child that is gone already: the deletion may have come into a snapshot and this not.
    if (zxid > nodes.pzxid(parent)) nodes.setChildrenChanged(parent, nodes.cversion(parent), zxid);
    if (node === NONE) return ErrorCode.NONODE;
    const aclId = nodes.aclId(node);
    const dataLength = Math.max(0, nodes.dataLength(node));
    this.#removeDescendants(node);
    this.#removeNode(node);
    this.quotas.deleted(path, dataLength);
    if (!this.watches.isEmpty) {
      this.watches.trigger(path, EventType.NodeDeleted, zxid, aclId);
      this.watches.trigger(parentPath(path), EventType.NodeChildrenChanged, zxid, nodes.aclId(parent));
    }
    // Only now, so that watchers could still be judged by it.
    this.acls.release(aclId);
    return ErrorCode.OK;
  }

  /**
   * Only in replay can a node be deleted that still has children: they were created again later, and the transactions
   * that do so are still to come.
   */
  #removeDescendants(node: NodeId): void {
    const { nodes } = this;
    for (let child = nodes.firstChild(node); child !== NONE; child = nodes.firstChild(node)) {
      let leaf = child;
      while (nodes.firstChild(leaf) !== NONE) leaf = nodes.firstChild(leaf);
      const path = nodes.path(leaf);
      const dataLength = Math.max(0, nodes.dataLength(leaf));
      const aclId = nodes.aclId(leaf);
      this.#removeNode(leaf);
      this.acls.release(aclId);
      this.quotas.deleted(path, dataLength);
    }
  }

  #removeNode(node: NodeId): void {
    for (const walk of this.#walks) walk.removing(node);
    this.owned.removing(node);
    this.nodes.remove(node);
  }

  #setData(
    body: { type: number; path: string; data: Uint8Array | null; version: number },
    header: TxnHeader,
  ): TxnResult {
    const { nodes } = this;
    const { type, path, data, version } = body;
    const node = nodes.find(this.#path, 0, this.#writePath(path));
    if (node === NONE) return { type, err: ErrorCode.NONODE, path, node };
    const before = Math.max(0, nodes.dataLength(node));
    nodes.setData(node, data, version, header.zxid, header.time);
    this.quotas.resized(path, (data === null ? 0 : data.length) - before);
    this.watches.trigger(path, EventType.NodeDataChanged, header.zxid, nodes.aclId(node));
    return { type, err: ErrorCode.OK, path, node };
  }

  #setAcl(body: { type: number; path: string; acl: ACL[]; version: number }): TxnResult {
    const { type, path, acl, version } = body;
    const node = this.nodes.find(this.#path, 0, this.#writePath(path));
    if (node === NONE) return { type, err: ErrorCode.NONODE, path, node };
    this.#replaceAcl(node, this.acls.acquire(acl), version);
    return { type, err: ErrorCode.OK, path, node };
  }

  #replaceAcl(node: NodeId, aclId: number, aversion: number): void {
    for (const walk of this.#walks) walk.changingAcl(node);
    const before = this.nodes.aclId(node);
    this.nodes.setAcl(node, aclId, aversion);
    this.acls.release(before);
  }

  /** The list in the transaction decides; what this server finds beyond it can only be left over from replay. */
  #closeSession(sessionId: bigint, paths: readonly string[], zxid: Zxid): void {
    this.sessions.delete(sessionId);
    for (const path of paths) this.#delete(path, zxid);
    for (const path of this.ephemerals(sessionId)) this.#delete(path, zxid);
  }

  // What happens outside of transactions

  /**
   * Puts the configuration into its node, as each server does for itself.
   * @param version the configuration's version, a zxid
   */
  setConfig(data: Uint8Array, version: Zxid, timeMs: number): void {
    if (this.nodes.findPath(CONFIG_PATH) === NONE) this.#addConfigNode();
    const node = this.nodes.findPath(CONFIG_PATH);
    this.nodes.setData(node, data, -1, version, timeMs);
    this.watches.trigger(CONFIG_PATH, EventType.NodeDataChanged, version, this.nodes.aclId(node));
  }

  /** Deletes the nodes of sessions that do not exist any more: what a server does once it has loaded its state. */
  removeOrphanedEphemerals(): void {
    const orphaned = [...this.owned.sessions()].filter((sessionId) => !this.sessions.has(sessionId));
    for (const sessionId of orphaned) {
      for (const path of this.ephemerals(sessionId)) this.#delete(path, this.lastProcessedZxid);
    }
  }

  // Snapshots

  /** A view to write a snapshot from while transactions go on; it must be closed. */
  snapshotSource(): SnapshotSource {
    const walk = new SnapshotWalk(this);
    this.#walks.add(walk);
    return walk;
  }

  /** For the walk that ends. */
  endWalk(walk: SnapshotWalk): void {
    this.#walks.delete(walk);
  }

  /** For loading a snapshot: takes away what a new tree has, all but the root. */
  clear(): void {
    this.#removeDescendants(ROOT);
  }

  /**
   * For loading a snapshot: a node as it was written, parents first.
   * @throws ProtocolError when its parent is not there
   */
  restoreNode(path: Uint8Array, data: Uint8Array | null, aclId: number, stat: StatPersisted): void {
    const { nodes } = this;
    let node = nodes.find(path, 0, path.length);
    if (node === NONE) {
      const nameStart = path.lastIndexOf(SLASH) + 1;
      const parent = nodes.find(path, 0, Math.max(0, nameStart - 1));
      if (parent === NONE || nameStart === 0 || nameStart === path.length) {
        const name = utf8Read(path, 0, path.length);
        throw new ProtocolError(`the snapshot has ${name} but not its parent before it: the file is damaged`);
      }
      node = nodes.insert(parent, path, nameStart, path.length);
    }
    nodes.restore(node, data, aclId, stat);
    this.acls.use(aclId);
    this.owned.added(node);
  }

  /** For loading a snapshot: all nodes are there. */
  finishLoading(digest: ZxidDigest | undefined): void {
    if (this.nodes.findPath(PROC_PATH) !== NONE && this.nodes.findPath(CONFIG_PATH) === NONE) this.#addConfigNode();
    this.quotas.reload();
    this.acls.dropUnused();
    if (digest !== undefined && this.digestEnabled) this.digests.expect(digest, this.lastProcessedZxid);
  }

  #addInitial(path: string, aclId: number, stat: StatPersisted): void {
    this.restoreNode(this.#path.slice(0, this.#writePath(path)), EMPTY, aclId, stat);
  }

  #addConfigNode(): void {
    const aclId = this.acls.acquire(READ_ACL_UNSAFE);
    this.#addInitial(CONFIG_PATH, aclId, { ...ZERO_STAT, aversion: -1 });
    this.acls.release(aclId);
  }

  /** Puts a path into this tree's scratch memory and returns its length. */
  #writePath(path: string): number {
    const length = utf8Length(path);
    if (length > this.#path.length) this.#path = new Uint8Array(2 * length);
    return utf8Write(path, this.#path, 0);
  }
}

function notCarriedOut(err: number): TxnResult {
  return { type: OpCode.error, err, node: NONE };
}
