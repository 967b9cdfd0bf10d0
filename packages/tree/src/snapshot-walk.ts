/**
 * Reads the tree into a snapshot, a slice at a time, while transactions go on being applied. One cursor walks depth
 * first: a node is written as it is when the cursor comes by, and new nodes may be missed, because the log after the
 * snapshot's zxid brings them.
 *
 * Invariants: a node is written only after its parent, and with an ACL that is in the table, which was copied when the
 * walk began. For that, a node whose ACL changes meanwhile keeps its old one here, and a new node with a new ACL is
 * left to the log.
 * @see disk-format 3; DataTree.serializeNode
 */
import type { Writer } from "@vivarium/jute";
import type { ACL, SnapshotSource, Zxid, ZxidDigest } from "@vivarium/protocol";
import type { DataTree } from "./data-tree.ts";
import { NONE, type NodeId, ROOT } from "./node-store.ts";

const PERSISTED_STAT_BYTES = 60;
const LONG_BYTES = 8;

export class SnapshotWalk implements SnapshotSource {
  readonly zxid: Zxid;
  readonly sessions: readonly (readonly [sessionId: bigint, timeoutMs: number])[];
  readonly acls: readonly (readonly [aclId: number, acl: ACL[]])[];
  readonly #tree: DataTree;
  readonly #lastAclId: number;
  readonly #formerAcls = new Map<NodeId, number>();
  #cursor: NodeId = ROOT;
  /** The parent of the node that was written last, and where in the writer its path lies, with the slash behind it. */
  #parent: NodeId = NONE;
  #prefixAt = 0;
  #prefixLength = 0;

  constructor(tree: DataTree) {
    this.#tree = tree;
    this.zxid = tree.lastProcessedZxid;
    this.sessions = [...tree.sessions];
    this.acls = tree.acls.entries();
    this.#lastAclId = tree.acls.lastId;
  }

  get sessionCount(): number {
    return this.sessions.length;
  }

  get aclCount(): number {
    return this.acls.length;
  }

  writeNodes(writer: Writer, untilBytes: number): boolean {
    const { nodes } = this.#tree;
    // Between two calls the tree changes, and the id may be another's.
    this.#parent = NONE;
    while (this.#cursor !== NONE) {
      if (writer.length >= untilBytes) return true;
      const id = this.#cursor;
      const aclId = this.#formerAcls.get(id) ?? nodes.aclId(id);
      if (aclId > this.#lastAclId) {
        this.#cursor = nodes.nextBeside(id, ROOT);
      } else {
        this.#writeNode(writer, id, aclId);
        this.#cursor = nodes.nextInSubtree(id, ROOT);
      }
    }
    return false;
  }

  #writeNode(writer: Writer, id: NodeId, aclId: number): void {
    const { nodes } = this.#tree;
    this.#writePath(writer, id);
    const dataLength = nodes.dataLength(id);
    writer.int(dataLength);
    if (dataLength > 0) {
      const dataAt = writer.reserve(dataLength);
      nodes.copyData(id, writer.bytes, writer.view, dataAt);
      writer.length += dataLength;
    }
    const at = writer.reserve(LONG_BYTES + PERSISTED_STAT_BYTES);
    writer.number(aclId);
    nodes.copyPersistedStat(id, writer.view, at + LONG_BYTES);
    writer.length += PERSISTED_STAT_BYTES;
  }

  /** Siblings mostly follow each other, and what is before their names is the same. */
  #writePath(writer: Writer, id: NodeId): void {
    const { nodes } = this.#tree;
    const parent = id === ROOT ? NONE : nodes.parent(id);
    if (parent === NONE || parent !== this.#parent) {
      const pathLength = nodes.pathLength(id);
      writer.int(pathLength);
      const at = writer.reserve(pathLength);
      nodes.copyPath(id, writer.bytes, at);
      writer.length += pathLength;
      this.#prefixLength = pathLength - (id === ROOT ? 0 : nodes.nameLength(id));
      this.#prefixAt = at;
      this.#parent = parent;
      return;
    }
    const prefixLength = this.#prefixLength;
    const nameLength = nodes.nameLength(id);
    writer.int(prefixLength + nameLength);
    const at = writer.reserve(prefixLength + nameLength);
    const { bytes } = writer;
    for (let i = 0; i < prefixLength; i++) bytes[at + i] = bytes[this.#prefixAt + i] as number;
    nodes.copyName(id, bytes, at + prefixLength);
    writer.length += prefixLength + nameLength;
  }

  digest(): ZxidDigest | null {
    if (!this.#tree.digestEnabled) return null;
    // Zeros are for "none": the digest of a state that never was would be missed later.
    if (this.#tree.digests.isUnsettled) return { zxid: 0, treeDigest: 0n };
    const { awaited } = this.#tree.digests;
    return awaited ?? { zxid: this.#tree.lastProcessedZxid, treeDigest: this.#tree.digest() };
  }

  lastProcessedZxid(): Zxid {
    return this.#tree.lastProcessedZxid;
  }

  close(): void {
    this.#cursor = NONE;
    this.#tree.endWalk(this);
  }

  /** For the tree: before a node without children goes away. */
  removing(id: NodeId): void {
    if (id === this.#cursor) this.#cursor = this.#tree.nodes.nextBeside(id, ROOT);
    this.#formerAcls.delete(id);
  }

  /** For the tree: before a node gets another ACL. */
  changingAcl(id: NodeId): void {
    if (!this.#formerAcls.has(id)) this.#formerAcls.set(id, this.#tree.nodes.aclId(id));
  }
}
