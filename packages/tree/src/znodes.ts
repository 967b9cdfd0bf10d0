/**
 * The nodes and all that must change along with one: the parent's counts, uses of ACLs, lists of owners, quotas,
 * snapshots being read, watches. Every change is one that a transaction asks for; DataTree is what reads transactions.
 *
 * Replay from a fuzzy snapshot meets nodes that are already there or already gone. Those are not errors of the tree:
 * the result says what was found, and what is left is what the transactions say.
 * @see disk-format 4, idempotence rules
 */
import { asciiWrite, utf8Length, utf8Write } from "@vivarium/jute";
import {
  type ACL,
  ErrorCode,
  EventType,
  parentPath,
  QUOTA_PATH,
  type SnapshotNode,
  STAT_BYTES,
  type TxnHeader,
  type Zxid,
} from "@vivarium/protocol";
import { AclTable, OPEN_ACL_ID } from "./acl-table.ts";
import { Kind } from "./node-record.ts";
import { NONE, type NodeId, type NodeStore, ROOT } from "./node-store.ts";
import { OwnedNodes } from "./owned-nodes.ts";
import { QuotaStats } from "./quota-stats.ts";
import { WatchTable } from "./watch-table.ts";

export interface TxnResult {
  /** One of ErrorCode: of a live transaction only what it carries itself, in replay also NONODE and NODEEXISTS. */
  err: number;
  /** The transaction's type; of the parts of a failed multi always `error`. */
  type: number;
  path?: string;
  /** The node that was created or changed, otherwise NONE. Good until the next transaction. */
  node: NodeId;
  /** The 68 bytes of its Stat at this step, of nodes that change again: in a multi, and when a quota counts anew. */
  stat?: Uint8Array;
  /** What became of the parts of a multi. */
  results?: TxnResult[];
}

/** Someone who reads all nodes in turn while they change. */
export interface NodeWalk {
  /** Before a node without children goes away. */
  removing(id: NodeId): void;
  /** Before a node gets another ACL. */
  changingAcl(id: NodeId): void;
}

const SLASH = 0x2f;

export class Znodes {
  readonly nodes: NodeStore;
  readonly acls = new AclTable();
  readonly watches = new WatchTable();
  readonly owned: OwnedNodes;
  readonly quotas: QuotaStats;
  protected readonly walks = new Set<NodeWalk>();
  readonly #stat = new Uint8Array(STAT_BYTES);
  readonly #statView = new DataView(this.#stat.buffer);
  #path = new Uint8Array(1024);

  constructor(nodes: NodeStore) {
    this.nodes = nodes;
    this.owned = new OwnedNodes(nodes);
    this.quotas = new QuotaStats(nodes);
  }

  /** Paths of the nodes that a session owns. */
  ephemerals(sessionId: bigint): string[] {
    return Array.from(this.owned.ephemerals(sessionId), (id) => this.nodes.path(id));
  }

  /** Sessions that own at least one node. */
  ephemeralSessions(): Iterable<bigint> {
    return this.owned.sessions();
  }

  protected createNode(
    body: {
      type: number;
      path: string;
      data: Uint8Array | null;
      acl: ACL[];
      parentCVersion: number;
      prefixCrc?: number;
      digest?: number;
      parentDigest?: number;
      node?: number;
      removals?: number;
    },
    owner: bigint,
    header: TxnHeader,
  ): TxnResult {
    const { nodes, acls } = this;
    const { type, path, data } = body;
    const { zxid } = header;
    const pathEnd = this.#writePath(path);
    const nameStart = this.#path.lastIndexOf(SLASH, pathEnd - 1) + 1;
    const known = this.#known(body);
    const parent = known === NONE ? nodes.find(this.#path, 0, Math.max(0, nameStart - 1)) : known;
    if (parent === NONE) return { type, err: ErrorCode.NONODE, path, node: NONE };
    const aclId = acls.acquire(body.acl);
    // Where it was decided, it was decided that there is none.
    const existing = body.digest === undefined ? nodes.find(this.#path, 0, pathEnd) : NONE;
    if (existing !== NONE) {
      this.#replaceAcl(existing, aclId, nodes.aversion(existing));
      this.#childCreated(parent, body.parentCVersion, zxid);
      return { type, err: ErrorCode.NODEEXISTS, path, node: existing };
    }
    body.prefixCrc ??= nodes.prefixCrcOf(this.#path, pathEnd, data);
    const node = nodes.insert(parent, this.#path, nameStart, pathEnd, data);
    nodes.born(node, body, aclId, owner, header);
    this.#childCreated(parent, body.parentCVersion, zxid, body.parentDigest);
    if (owner !== 0n) this.owned.added(node);
    const result: TxnResult = { type, err: ErrorCode.OK, path, node };
    if (path.startsWith(QUOTA_PATH)) result.stat = this.statOf(node);
    this.quotas.created(path, data === null ? 0 : data.length);
    if (!this.watches.isEmpty) {
      this.watches.trigger(path, EventType.NodeCreated, zxid, aclId);
      this.watches.trigger(parentPath(path), EventType.NodeChildrenChanged, zxid, nodes.aclId(parent));
    }
    return result;
  }

  /** The node whose id whoever decided the transaction has found, if that still names it. */
  #known({ node, removals }: { node?: number; removals?: number }): NodeId {
    return removals === this.nodes.removals ? (node ?? NONE) : NONE;
  }

  protected statOf(id: NodeId): Uint8Array {
    this.nodes.copyStat(id, this.#statView, 0);
    const stat = new Uint8Array(STAT_BYTES);
    for (let i = 0; i < STAT_BYTES; i++) stat[i] = this.#stat[i] as number;
    return stat;
  }

  /** The parent's counts only ever grow: in replay it may already know of creates later than this one. */
  #childCreated(parent: NodeId, parentCVersion: number, zxid: Zxid, digest?: number): void {
    const before = this.nodes.cversion(parent);
    const cversion = parentCVersion === -1 ? (before + 1) | 0 : parentCVersion;
    if (cversion > before) this.nodes.setChildrenChanged(parent, cversion, zxid, digest);
  }

  /** Returns an ErrorCode. */
  protected deleteNode(path: string, zxid: Zxid): number {
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
    this.removeDescendants(node);
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
  protected removeDescendants(node: NodeId): void {
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
    for (const walk of this.walks) walk.removing(node);
    this.owned.removing(node);
    this.nodes.remove(node);
  }

  protected setNodeData(
    body: {
      type: number;
      path: string;
      data: Uint8Array | null;
      version: number;
      prefixCrc?: number;
      digest?: number;
      node?: number;
      removals?: number;
    },
    header: TxnHeader,
  ): TxnResult {
    const { nodes } = this;
    const { type, path, data, version } = body;
    const known = this.#known(body);
    const node = known === NONE ? nodes.find(this.#path, 0, this.#writePath(path)) : known;
    if (node === NONE) return { type, err: ErrorCode.NONODE, path, node };
    const before = Math.max(0, nodes.dataLength(node));
    nodes.setData(node, body, version, header.zxid, header.time);
    this.quotas.resized(path, (data === null ? 0 : data.length) - before);
    this.watches.trigger(path, EventType.NodeDataChanged, header.zxid, nodes.aclId(node));
    return { type, err: ErrorCode.OK, path, node };
  }

  protected setNodeAcl(body: { type: number; path: string; acl: ACL[]; version: number }): TxnResult {
    const { type, path, acl, version } = body;
    const node = this.nodes.find(this.#path, 0, this.#writePath(path));
    if (node === NONE) return { type, err: ErrorCode.NONODE, path, node };
    this.#replaceAcl(node, this.acls.acquire(acl), version);
    return { type, err: ErrorCode.OK, path, node };
  }

  #replaceAcl(node: NodeId, aclId: number, aversion: number): void {
    for (const walk of this.walks) walk.changingAcl(node);
    const before = this.nodes.aclId(node);
    this.nodes.setAcl(node, aclId, aversion);
    this.acls.release(before);
  }

  /**
   * For loading a snapshot: a node as it was written, parents first.
   * @throws ProtocolError when its parent is not there, or when it is there already
   */
  restoreNode(given: SnapshotNode): void {
    const { nodes, acls } = this;
    const { aclId } = given;
    if (given.pathAt === given.pathEnd) {
      acls.release(nodes.aclId(ROOT));
      nodes.restoreRoot(given);
    } else {
      const node = nodes.load(given);
      if (nodes.kind(node) !== Kind.normal) this.owned.added(node);
    }
    if (aclId !== OPEN_ACL_ID) acls.use(aclId);
  }

  /** Puts a path into this tree's scratch memory and returns its length. */
  #writePath(path: string): number {
    if (asciiWrite(path, this.#path, 0)) return path.length;
    const length = utf8Length(path);
    if (length > this.#path.length) this.#path = new Uint8Array(2 * length);
    return utf8Write(path, this.#path, 0);
  }
}
