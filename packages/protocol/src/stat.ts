/** What is known of a znode beside its data: as clients get it, and as it is stored. @see Stat and StatPersisted in zookeeper.jute */
import { type Infer, int, long, number, record } from "@vivarium/jute";

/** What a client is told about a node: 68 bytes on the wire. @see zookeeper.jute Stat */
export const Stat = record({
  /** zxid of the transaction that created the node. */
  czxid: number,
  /** zxid of the last setData. */
  mzxid: number,
  /** Creation time in milliseconds, by the leader's clock. */
  ctime: number,
  mtime: number,
  /** Number of setData since creation. */
  version: int,
  /** Number of creates and deletes of children. */
  cversion: int,
  aversion: int,
  /** Session id for an ephemeral node, 0 for every other kind. */
  ephemeralOwner: long,
  dataLength: int,
  numChildren: int,
  /** zxid of the last create or delete of a child. */
  pzxid: number,
});
export type Stat = Infer<typeof Stat>;
export const STAT_BYTES = 68;

/** A node's facts as snapshots hold them: 60 bytes. */
export const StatPersisted = record({
  czxid: number,
  mzxid: number,
  ctime: number,
  mtime: number,
  version: int,
  /** Counts creates of children only. Stat.cversion = 2 × this − numChildren. */
  cversion: int,
  aversion: int,
  /** Session id, or the marks of containers and TTL nodes (see ephemeral-owner.ts). */
  ephemeralOwner: long,
  pzxid: number,
});
export type StatPersisted = Infer<typeof StatPersisted>;
export const STAT_PERSISTED_BYTES = 60;
/** Of the nodes that every tree has from the beginning. */
export const ZERO_STAT: StatPersisted = {
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
