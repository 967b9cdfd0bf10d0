/** ZooKeeper's words: op codes, error codes, records, transactions, paths. */
export * from "./acl.ts";
export * from "./create-mode.ts";
export * from "./ephemeral-owner.ts";
export * from "./error-code.ts";
export * from "./multi.ts";
export * from "./op-code.ts";
export * from "./path.ts";
export * from "./records.ts";
export * from "./session-password.ts";
export * from "./snapshot.ts";
export * from "./stat.ts";
export * from "./txn.ts";
export * from "./watch.ts";
export * from "./zxid.ts";
