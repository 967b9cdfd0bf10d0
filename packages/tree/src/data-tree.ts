/**
 * The replicated state. `apply` carries out transactions in zxid order, the same on every server and the same whether
 * they come from a client, a leader or the log: all that it needs is in the transaction, and it reads no clock.
 *
 * Invariants: after `apply`, the tree is what every other server's is at that zxid; `lastProcessedZxid` moves only
 * after the whole of a transaction, so that a snapshot is never named after one that it lacks.
 * @see disk-format 4; DataTree.processTxn
 */
import { utf8Length, utf8Write } from "@vivarium/jute";
import {
  CONFIG_PATH,
  CONTAINER_OWNER,
  ErrorCode,
  EventType,
  OpCode,
  type OwnerRules,
  PROC_PATH,
  QUOTA_PATH,
  READ_ACL_UNSAFE,
  SnapshotNode,
  type SnapshotSource,
  type StatPersisted,
  type Txn,
  type TxnBody,
  type TxnHeader,
  ttlOwner,
  ZERO_STAT,
  type Zxid,
  type ZxidDigest,
} from "@vivarium/protocol";
import { OPEN_ACL_ID } from "./acl-table.ts";
import type { Crc32 } from "./crc32.ts";
import { DigestHistory, type DigestMismatch } from "./digest-history.ts";
import { NONE, NodeStore, ROOT } from "./node-store.ts";
import { SnapshotWalk } from "./snapshot-walk.ts";
import { type TxnResult, Znodes } from "./znodes.ts";

export type { TxnResult } from "./znodes.ts";

export interface DataTreeOptions extends OwnerRules {
  /** Whether digests are kept and compared (`zookeeper.digest.enabled`). */
  digest: boolean;
  crc32?: Crc32 | undefined;
  /** A secret random integer, so that clients cannot choose paths that are slow to look up together. */
  hashSeed?: number | undefined;
  /** Told when the tree differs from what a transaction or snapshot says it should be. */
  onDigestMismatch?: DigestMismatch | undefined;
  /** Told of every transaction once it is carried out, replayed ones included: how the simulator's checkers watch. */
  onApplied?: ((txn: Txn, tree: DataTree) => void) | undefined;
}

const EMPTY = new Uint8Array(0);

export class DataTree extends Znodes {
  readonly digests: DigestHistory;
  readonly digestEnabled: boolean;
  /** Timeout in milliseconds by session id. */
  readonly sessions = new Map<bigint, number>();
  lastProcessedZxid: Zxid = 0;
  readonly #onApplied: DataTreeOptions["onApplied"];

  constructor(options: DataTreeOptions) {
    const { extendedTypes, emulate353Ttl, digest, crc32, hashSeed, onDigestMismatch } = options;
    const rules = { extendedTypes, emulate353Ttl };
    super(new NodeStore({ rules, digest, crc32, hashSeed }));
    this.digests = new DigestHistory(this.nodes.treeDigest, onDigestMismatch);
    this.#onApplied = options.onApplied;
    this.digestEnabled = digest;
    for (const path of ["", PROC_PATH, QUOTA_PATH]) this.#addInitial(path, OPEN_ACL_ID, ZERO_STAT);
    this.#addConfigNode();
  }

  /** The tree's digest (version 2) as a signed 64-bit integer; 0 when digests are off. */
  digest(): bigint {
    return this.nodes.treeDigest.toBigInt();
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
    if (this.#onApplied !== undefined) this.#onApplied(txn, this);
    return result;
  }

  #applyBody(body: TxnBody, header: TxnHeader): TxnResult {
    switch (body.type) {
      case OpCode.create:
      case OpCode.create2:
        return this.createNode(body, body.ephemeral ? header.clientId : 0n, header);
      case OpCode.createContainer:
        return this.createNode(body, CONTAINER_OWNER, header);
      case OpCode.createTTL:
        return this.createNode(body, ttlOwner(body.ttl), header);
      case OpCode.delete:
      case OpCode.deleteContainer:
        return { type: body.type, err: this.deleteNode(body.path, header.zxid), path: body.path, node: NONE };
      case OpCode.setData:
      case OpCode.reconfig:
        return this.setNodeData(body, header);
      case OpCode.setACL:
        return this.setNodeAcl(body);
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
      if (result.node !== NONE) result.stat ??= this.statOf(result.node);
      if (err === ErrorCode.OK) err = result.err;
      results.push(result);
    }
    return { type: OpCode.multi, err, node: NONE, results };
  }

  /** The list in the transaction decides; what this server finds beyond it can only be left over from replay. */
  #closeSession(sessionId: bigint, paths: readonly string[], zxid: Zxid): void {
    this.sessions.delete(sessionId);
    for (const path of paths) this.deleteNode(path, zxid);
    for (const path of this.ephemerals(sessionId)) this.deleteNode(path, zxid);
  }

  // What happens outside of transactions

  /**
   * Puts the configuration into its node, as each server does for itself.
   * @param version the configuration's version, a zxid
   */
  setConfig(data: Uint8Array, version: Zxid, timeMs: number): void {
    if (this.nodes.findPath(CONFIG_PATH) === NONE) this.#addConfigNode();
    const node = this.nodes.findPath(CONFIG_PATH);
    this.nodes.setData(node, { data }, -1, version, timeMs);
    this.watches.trigger(CONFIG_PATH, EventType.NodeDataChanged, version, this.nodes.aclId(node));
  }

  /** Deletes the nodes of sessions that do not exist any more: what a server does once it has loaded its state. */
  removeOrphanedEphemerals(): void {
    const orphaned = [...this.owned.sessions()].filter((sessionId) => !this.sessions.has(sessionId));
    for (const sessionId of orphaned) {
      for (const path of this.ephemerals(sessionId)) this.deleteNode(path, this.lastProcessedZxid);
    }
  }

  // Snapshots

  /** A view to write a snapshot from while transactions go on; it must be closed. */
  snapshotSource(): SnapshotSource {
    const walk = new SnapshotWalk(this);
    this.walks.add(walk);
    return walk;
  }

  /** For the walk that ends. */
  endWalk(walk: SnapshotWalk): void {
    this.walks.delete(walk);
  }

  /** For loading a snapshot: takes away what a new tree has, all but the root. */
  clear(): void {
    this.removeDescendants(ROOT);
  }

  /** For loading a snapshot: all nodes are there. @throws ProtocolError if one is there twice */
  finishLoading(digest: ZxidDigest | undefined): void {
    this.nodes.finishLoading();
    if (this.nodes.findPath(PROC_PATH) !== NONE && this.nodes.findPath(CONFIG_PATH) === NONE) this.#addConfigNode();
    this.quotas.reload();
    this.acls.dropUnused();
    if (digest === undefined) this.digests.unsettled();
    else if (this.digestEnabled) this.digests.expect(digest, this.lastProcessedZxid);
  }

  #addInitial(path: string, aclId: number, stat: StatPersisted): void {
    const bytes = new Uint8Array(utf8Length(path));
    utf8Write(path, bytes, 0);
    this.restoreNode(SnapshotNode.of(bytes, EMPTY, aclId, stat));
  }

  #addConfigNode(): void {
    const aclId = this.acls.acquire(READ_ACL_UNSAFE);
    this.#addInitial(CONFIG_PATH, aclId, { ...ZERO_STAT, aversion: -1 });
    this.acls.release(aclId);
  }
}

function notCarriedOut(err: number): TxnResult {
  return { type: OpCode.error, err, node: NONE };
}
