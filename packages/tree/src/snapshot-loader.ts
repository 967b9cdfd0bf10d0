/**
 * Builds a tree from a snapshot's records. Children, owners' lists, quotas and digest are not in the file; they follow
 * from the nodes. Make a fresh loader for every attempt: a half-read snapshot must leave nothing behind.
 * @see disk-format 3 and 4; DataTree.deserialize
 */
import { ProtocolError } from "@vivarium/jute";
import type { ACL, SnapshotNode, SnapshotSink, Zxid, ZxidDigest } from "@vivarium/protocol";
import { DataTree, type DataTreeOptions } from "./data-tree.ts";

export class SnapshotLoader implements SnapshotSink {
  readonly #tree: DataTree;
  #digest: ZxidDigest | undefined;
  #hasRoot = false;

  /** @param zxid the snapshot's own, from its name or from the leader that sent it */
  constructor(options: DataTreeOptions, zxid: Zxid) {
    this.#tree = new DataTree(options);
    this.#tree.clear();
    this.#tree.lastProcessedZxid = zxid;
  }

  expect(nodeCount: number): void {
    this.#tree.nodes.expect(nodeCount);
  }

  session(sessionId: bigint, timeoutMs: number): void {
    this.#tree.sessions.set(sessionId, timeoutMs);
  }

  acl(aclId: number, acl: ACL[]): void {
    this.#tree.acls.load(aclId, acl);
  }

  /** @throws ProtocolError when the node's parent was not before it */
  node(node: SnapshotNode): void {
    if (node.pathAt === node.pathEnd) this.#hasRoot = true;
    this.#tree.restoreNode(node);
  }

  digest(digest: ZxidDigest): void {
    this.#digest = digest;
  }

  /** The tree, once every record has been given. */
  finish(): DataTree {
    if (!this.#hasRoot) throw new ProtocolError("the snapshot has no root node: it is not a whole snapshot");
    this.#tree.finishLoading(this.#digest);
    return this.#tree;
  }
}
