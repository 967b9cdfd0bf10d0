/** The replicated state: znodes, watches, ACLs, quotas, digest. Pure: no I/O, no clock. */
export type { AuthContext, AuthProvider } from "./auth/auth-provider.ts";
export { AuthRegistry, maskDigests, withIds } from "./auth/auth-registry.ts";
export { DigestProvider, type DigestProviderOptions } from "./auth/digest-provider.ts";
export { IpProvider, ipId } from "./auth/ip-provider.ts";
export { NO_ACL, type WatchEvent, type Watcher, WatchIndex, WatchMode } from "./watch-index.ts";
export { WatchTable } from "./watch-table.ts";
