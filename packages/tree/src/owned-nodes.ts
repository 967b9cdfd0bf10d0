/**
 * The nodes that somebody will delete one day: ephemerals by the session that owns them, containers and TTL nodes for
 * the reaper. @see ContainerManager
 */
import { ownerTtlMs } from "@vivarium/protocol";
import { Kind } from "./node-record.ts";
import type { NodeId, NodeStore } from "./node-store.ts";

const NO_NODES: ReadonlySet<NodeId> = new Set();

export class OwnedNodes {
  readonly containers = new Set<NodeId>();
  readonly ttls = new Set<NodeId>();
  readonly #nodes: NodeStore;
  readonly #bySession = new Map<bigint, Set<NodeId>>();
  #ephemeralCount = 0;

  constructor(nodes: NodeStore) {
    this.#nodes = nodes;
  }

  get ephemeralCount(): number {
    return this.#ephemeralCount;
  }

  /** Sessions that own at least one node. */
  sessions(): Iterable<bigint> {
    return this.#bySession.keys();
  }

  ephemerals(sessionId: bigint): ReadonlySet<NodeId> {
    return this.#bySession.get(sessionId) ?? NO_NODES;
  }

  /** After a node got its owner. */
  added(id: NodeId): void {
    switch (this.#nodes.kind(id)) {
      case Kind.ephemeral:
        this.#addEphemeral(id);
        break;
      case Kind.container:
        this.containers.add(id);
        break;
      case Kind.ttl:
        this.ttls.add(id);
        break;
    }
  }

  /** Before a node goes away. */
  removing(id: NodeId): void {
    switch (this.#nodes.kind(id)) {
      case Kind.ephemeral:
        this.#removeEphemeral(id);
        break;
      case Kind.container:
        this.containers.delete(id);
        break;
      case Kind.ttl:
        this.ttls.delete(id);
        break;
    }
  }

  /**
   * Paths of the nodes that have outlived their use: containers that had children and have none now, or never had any
   * for longer than `maxNeverUsedMs` (0: for ever), and TTL nodes without children that nobody changed for that long.
   */
  reapCandidates(nowMs: number, options: { maxNeverUsedMs: number }): string[] {
    const nodes = this.#nodes;
    const { maxNeverUsedMs } = options;
    const paths: string[] = [];
    for (const id of this.containers) {
      if (nodes.numChildren(id) > 0) continue;
      const neverUsedTooLong = maxNeverUsedMs > 0 && nowMs - nodes.mtime(id) > maxNeverUsedMs;
      if (nodes.cversion(id) > 0 || neverUsedTooLong) paths.push(nodes.path(id));
    }
    for (const id of this.ttls) {
      if (nodes.numChildren(id) > 0) continue;
      const ttlMs = ownerTtlMs(nodes.owner(id));
      if (ttlMs > 0 && nowMs - nodes.mtime(id) > ttlMs) paths.push(nodes.path(id));
    }
    return paths;
  }

  #addEphemeral(id: NodeId): void {
    const owner = this.#nodes.owner(id);
    let own = this.#bySession.get(owner);
    if (own === undefined) {
      own = new Set();
      this.#bySession.set(owner, own);
    }
    own.add(id);
    this.#ephemeralCount++;
  }

  #removeEphemeral(id: NodeId): void {
    const owner = this.#nodes.owner(id);
    const own = this.#bySession.get(owner);
    if (own === undefined) return;
    own.delete(id);
    this.#ephemeralCount--;
    if (own.size === 0) this.#bySession.delete(owner);
  }
}
