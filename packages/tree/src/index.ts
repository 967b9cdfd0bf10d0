/** The replicated state: znodes, watches, ACLs, quotas, digest. Pure: no I/O, no clock. */
export { AclTable, OPEN_ACL_ID } from "./acl-table.ts";
export type { AuthContext, AuthProvider } from "./auth/auth-provider.ts";
export { AuthRegistry, maskDigests, withIds } from "./auth/auth-registry.ts";
export { DigestProvider, type DigestProviderOptions } from "./auth/digest-provider.ts";
export { IpProvider, ipId } from "./auth/ip-provider.ts";
export { type Crc32, crc32 } from "./crc32.ts";
export { DataTree, type DataTreeOptions, type TxnResult } from "./data-tree.ts";
export { EntryMemory } from "./entry-memory.ts";
export { Kind } from "./node-record.ts";
export { NONE, type NodeId, NodeStore, type NodeStoreOptions, ROOT } from "./node-store.ts";
export { Prepare, type Prepared, type PrepareOptions } from "./prepare.ts";
export {
  LIMITS_NODE,
  type QuotaChange,
  quotaExceeded,
  quotaLimitsPath,
  quotaStatsPath,
  STATS_NODE,
  StatsTrack,
} from "./quota.ts";
export { type Caller, type ReadableTree, Reads } from "./reads.ts";
export { SnapshotLoader } from "./snapshot-loader.ts";
export { TreeDigest } from "./tree-digest.ts";
export { type WatchEvent, type Watcher, WatchIndex, WatchMode } from "./watch-index.ts";
export { WatchTable } from "./watch-table.ts";
export type { WriteRules } from "./write-judge.ts";
export type { WriteRequest } from "./write-request.ts";
export { type AppliedTxn, writeResult } from "./write-result.ts";
