/**
 * Which subtrees have a quota, and the running count of what is in them. The limits node of a subtree registers it;
 * its stats node is rewritten in place at every change below, on every server alike and without a transaction.
 *
 * A change counts for the deepest registered prefix only. The root cannot have a quota.
 * @see client-protocol "Quota"; Quotas, DataTree.updateQuotaStat
 */
import { baseName, parentPath, QUOTA_PATH } from "@vivarium/protocol";
import { NONE, type NodeId, type NodeStore } from "./node-store.ts";
import { LIMITS_NODE, quotaStatsPath, STATS_NODE, StatsTrack } from "./quota.ts";

export class QuotaStats {
  readonly #nodes: NodeStore;
  readonly #prefixes = new Set<string>();

  constructor(nodes: NodeStore) {
    this.#nodes = nodes;
  }

  /** The deepest path at or above this one that has a quota. */
  prefixOf(path: string): string | undefined {
    if (this.#prefixes.size === 0) return undefined;
    for (let prefix = path; prefix !== ""; prefix = parentPath(prefix)) {
      if (this.#prefixes.has(prefix)) return prefix;
    }
    return undefined;
  }

  /** After a node was created. */
  created(path: string, dataLength: number): void {
    if (path.startsWith(QUOTA_PATH)) this.#quotaNodeCreated(path);
    this.#add(path, 1, dataLength);
  }

  /** After a node was deleted that had so much data. */
  deleted(path: string, dataLength: number): void {
    if (path.startsWith(QUOTA_PATH) && baseName(path) === LIMITS_NODE) this.#prefixes.delete(limitedPath(path));
    this.#add(path, -1, -dataLength);
  }

  /** After the data of a node grew by so many bytes. */
  resized(path: string, byteDiff: number): void {
    this.#add(path, 0, byteDiff);
  }

  /** Registers what a loaded tree has under /zookeeper/quota and counts it all anew. */
  reload(): void {
    this.#prefixes.clear();
    const quota = this.#nodes.findPath(QUOTA_PATH);
    if (quota === NONE) return;
    for (let id = quota; id !== NONE; id = this.#nodes.nextInSubtree(id, quota)) {
      if (this.#nodes.numChildren(id) > 0 || this.#nodes.name(id) !== LIMITS_NODE) continue;
      const path = limitedPath(this.#nodes.path(id));
      this.#register(path);
      this.#recount(path);
    }
  }

  #quotaNodeCreated(path: string): void {
    const name = baseName(path);
    if (name === LIMITS_NODE) this.#register(limitedPath(path));
    if (name === STATS_NODE) this.#recount(limitedPath(path));
  }

  #register(path: string): void {
    if (path !== "") this.#prefixes.add(path);
  }

  #add(path: string, countDiff: number, byteDiff: number): void {
    const prefix = this.prefixOf(path);
    if (prefix === undefined) return;
    const node = this.#nodes.findPath(quotaStatsPath(prefix));
    if (node === NONE) return;
    const stats = StatsTrack.parse(this.#nodes.data(node));
    stats.count += countDiff;
    stats.bytes += byteDiff;
    this.#nodes.replaceData(node, stats.encode());
  }

  #recount(path: string): void {
    const node = this.#nodes.findPath(quotaStatsPath(path));
    if (node === NONE) return;
    const stats = new StatsTrack();
    stats.count = 0;
    stats.bytes = 0;
    const top: NodeId = this.#nodes.findPath(path);
    for (let id = top; id !== NONE; id = this.#nodes.nextInSubtree(id, top)) {
      stats.count++;
      stats.bytes += Math.max(0, this.#nodes.dataLength(id));
    }
    this.#nodes.replaceData(node, stats.encode());
  }
}

/** The subtree that a quota node is about: "/a" for "/zookeeper/quota/a/zookeeper_limits". */
function limitedPath(quotaNodePath: string): string {
  return parentPath(quotaNodePath).slice(QUOTA_PATH.length);
}
