/** The TypeScript client for ZooKeeper. */
export {
  type ACL,
  ANYONE,
  type ClientInfo,
  CREATOR_ALL_ACL,
  CreateMode,
  ErrorCode,
  type Id,
  OPEN_ACL_UNSAFE,
  Perms,
  READ_ACL_UNSAFE,
  type Stat,
  ZooKeeperError,
} from "@vivarium/protocol";
export { acl, digestAcl, digestId, ipAcl, parsePerms, worldAcl } from "./acl.ts";
export type { BackoffOptions } from "./backoff.ts";
export type * from "./call-options.ts";
export {
  CodecError,
  type DataCodec,
  gzip,
  json,
  type SchemaIssue,
  type StandardSchema,
  schema,
  text,
} from "./codec.ts";
export { type ConnectTarget, type Host, parseConnectString } from "./connect-string.ts";
export type { CallOptions } from "./core.ts";
export type { Counters } from "./counters.ts";
export { REQUEST_CHANNEL, type RequestTrace } from "./diagnostics.ts";
export * from "./errors.ts";
export { type FourLetterWordOptions, fourLetterWord } from "./four-letter-word.ts";
export type { EnsurePathOptions } from "./helpers.ts";
export type { TlsOptions } from "./node-tls-network.ts";
export type { CreateResult, GetAclResult, GetChildrenResult, GetDataResult } from "./operations.ts";
export type { ClientLogger, ClientOptions } from "./options.ts";
export type { Data } from "./request.ts";
export type { SrvResolver } from "./server-list.ts";
export type { SessionEvent, SessionInfo, SessionState } from "./session-event.ts";
export type { MultiCreateOptions, ReadResult, ReadTransaction, Transaction } from "./transaction.ts";
export type { Watch } from "./watch.ts";
export type { GapEvent, LostEvent, NodeEvent, WatchEvent, WatchListener } from "./watch-event.ts";
export { connect, ZooKeeper } from "./zookeeper.ts";
