// Settings of listeners, connections, time and load limits. The field is the name in ServerConfig, units last.
// Facts: reference/zookeeper-features.md 4.5; NIOServerCnxnFactory, BlueThrottle, RequestThrottler, ZooKeeperServer.

import { decimal, flag, integer, port, word } from "./kinds.ts";
import { built, optional } from "./setting.ts";

export const listenerSettings = {
  clientPort: optional("clientPort", {
    form: "zoo.cfg",
    kind: port,
    doc: "The port clients connect to. Without a zoo.cfg: 2181. 0 lets the system choose.",
  }),
  clientPortAddress: optional("clientPortAddress", {
    form: "zoo.cfg",
    kind: word("host name or address"),
    doc: "The address to listen on for clients. Left out: every address of the machine (without a zoo.cfg: 127.0.0.1).",
  }),
  clientPortListenBacklog: built("clientPortListenBacklog", {
    form: "zoo.cfg",
    kind: integer({ min: -1 }),
    default: "-1",
    doc: "Connections the system may hold before the server accepts them. -1: the default of the platform.",
  }),
  clientTcpKeepAlive: built("clientTcpKeepAlive", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "Turns on TCP keep-alive for client connections.",
  }),
  busyPollMicros: built("busyPollMicros", {
    form: "property",
    kind: integer({ min: 0, unit: "µs" }),
    default: "150",
    doc: "While requests come this quickly one after another, the server looks for the next for so long before it sleeps: no waking, quicker answers, a busy processor. 0: never. Vivarium's own.",
  }),
  maxClientCnxns: built("maxClientCnxns", {
    form: "zoo.cfg",
    kind: integer({ min: -1 }),
    default: "60",
    doc: "Connections one client address may hold at a time; further ones are closed. 0 or less: no limit.",
  }),
  maxCnxns: built("maxCnxns", {
    form: "property",
    kind: integer({ min: -1 }),
    default: "0",
    doc: "Connections all clients together may hold. 0 or less: no limit.",
  }),
  sessionlessCnxnTimeoutMs: built("nio.sessionlessCnxnTimeout", {
    form: "property",
    kind: integer({ min: 1, unit: "ms" }),
    default: "10000",
    doc: "A connection that has not asked for a session after this time is closed.",
  }),
};

export const timeSettings = {
  tickTimeMs: built("tickTime", {
    form: "zoo.cfg",
    kind: integer({ min: 1, unit: "ms" }),
    default: "3000",
    doc: "The basic unit of time: sessions expire on its multiples, and other limits count in it.",
  }),
  minSessionTimeoutMs: built("minSessionTimeout", {
    form: "zoo.cfg",
    kind: integer({ min: -1, unit: "ms" }),
    default: "-1",
    doc: "The shortest session timeout a client can get. -1: twice the tickTime.",
  }),
  maxSessionTimeoutMs: built("maxSessionTimeout", {
    form: "zoo.cfg",
    kind: integer({ min: -1, unit: "ms" }),
    default: "-1",
    doc: "The longest session timeout a client can get. -1: twenty times the tickTime.",
  }),
};

export const requestSettings = {
  maxBufferBytes: built("jute.maxbuffer", {
    form: "unprefixed",
    kind: integer({ min: 1024, unit: "bytes" }),
    default: "1048575",
    doc: "The largest request a client may send, and so the largest znode. Clients need the same value.",
  }),
  globalOutstandingLimit: built("globalOutstandingLimit", {
    form: "property",
    kind: integer({ min: 1 }),
    default: "1000",
    doc: "Requests that may be in work at a time; above it the server stops reading from its connections.",
  }),
  largeRequestThresholdBytes: built("largeRequestThreshold", {
    form: "property",
    kind: integer({ min: -1, unit: "bytes" }),
    default: "-1",
    doc: "Requests above this size count as large. -1: none does.",
  }),
  largeRequestMaxBytes: built("largeRequestMaxBytes", {
    form: "property",
    kind: integer({ min: 0, unit: "bytes" }),
    default: "104857600",
    doc: "What all large requests in work may add up to; a request beyond it closes its connection.",
  }),
  requestThrottleMaxRequests: built("request_throttle_max_requests", {
    form: "property",
    kind: integer({ min: -1 }),
    default: "0",
    doc: "Requests that may be in work before new ones are held back. 0 or less: never hold back.",
  }),
  requestThrottleDropStale: built("request_throttle_drop_stale", {
    form: "property",
    kind: flag,
    default: "true",
    doc: "Drops requests that turned stale while they were held back, and closes their connection.",
  }),
  requestStaleLatencyCheck: built("request_stale_latency_check", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "A request that waited longer than its session's timeout is stale.",
  }),
  throttledOpWaitTimeMs: built("throttled_op_wait_time", {
    form: "property",
    kind: integer({ min: 0, unit: "ms" }),
    default: "0",
    doc: "A request held back longer than this is answered THROTTLEDOP instead of being done. 0: never.",
  }),
};

export const connectionThrottleSettings = {
  connectionThrottleTokens: built("connection_throttle_tokens", {
    form: "property",
    kind: integer({ min: -1 }),
    default: "0",
    doc: "Size of the token bucket new sessions draw from; without tokens a connection is refused. 0 or less: off.",
  }),
  connectionThrottleFillTimeMs: built("connection_throttle_fill_time", {
    form: "property",
    kind: integer({ min: 1, unit: "ms" }),
    default: "1",
    doc: "Time after which the bucket gets new tokens.",
  }),
  connectionThrottleFillCount: built("connection_throttle_fill_count", {
    form: "property",
    kind: integer({ min: 0 }),
    default: "1",
    doc: "Tokens the bucket gets each connection_throttle_fill_time.",
  }),
  connectionThrottleFreezeTimeMs: built("connection_throttle_freeze_time", {
    form: "property",
    kind: integer({ min: -1, unit: "ms" }),
    default: "-1",
    doc: "How often the probability of refusing a connection is adjusted. -1: no random refusing.",
  }),
  connectionThrottleDropIncrease: built("connection_throttle_drop_increase", {
    form: "property",
    kind: decimal({ min: 0, max: 1 }),
    default: "0.02",
    doc: "What the probability of refusing rises by when the bucket is empty.",
  }),
  connectionThrottleDropDecrease: built("connection_throttle_drop_decrease", {
    form: "property",
    kind: decimal({ min: 0, max: 1 }),
    default: "0.002",
    doc: "What the probability of refusing falls by when the bucket is full enough.",
  }),
  connectionThrottleDecreaseRatio: built("connection_throttle_decrease_ratio", {
    form: "property",
    kind: decimal({ min: 0, max: 1 }),
    default: "0",
    doc: "The share of the bucket that counts as full enough.",
  }),
  connectionThrottleWeightEnabled: built("connection_throttle_weight_enabled", {
    form: "property",
    kind: flag,
    default: "false",
    doc: "Makes a connection cost as many tokens as its kind of session weighs.",
  }),
  connectionThrottleGlobalSessionWeight: built("connection_throttle_global_session_weight", {
    form: "property",
    kind: integer({ min: 1 }),
    default: "3",
    doc: "Tokens a new session costs.",
  }),
  connectionThrottleRenewSessionWeight: built("connection_throttle_renew_session_weight", {
    form: "property",
    kind: integer({ min: 1 }),
    default: "2",
    doc: "Tokens a reconnecting session costs.",
  }),
  connectionThrottleLocalSessionWeight: built("connection_throttle_local_session_weight", {
    form: "property",
    kind: integer({ min: 1 }),
    default: "1",
    doc: "Tokens a new local session costs.",
  }),
};
