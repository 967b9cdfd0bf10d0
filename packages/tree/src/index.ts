/** The replicated state: znodes, watches, ACLs, quotas, digest. Pure: no I/O, no clock. */
export { NO_ACL, type WatchEvent, type Watcher, WatchIndex, WatchMode } from "./watch-index.ts";
export { WatchTable } from "./watch-table.ts";
