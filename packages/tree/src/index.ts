/** The replicated state: nodes, ACLs, quotas, digest, watches; a request becomes a transaction, a transaction a change. */
export { type Crc32, crc32 } from "./crc32.ts";
export { Kind } from "./node-record.ts";
export { NONE, type NodeId, NodeStore, type NodeStoreOptions, OPEN_ACL_ID, ROOT } from "./node-store.ts";
export { TreeDigest } from "./tree-digest.ts";
