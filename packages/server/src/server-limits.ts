/** Which settings each part of the server takes: the limits on clients, the connection throttle, storage. */
import type { StorageConfig } from "@vivarium/storage";
import type { ServerConfig } from "./config/index.ts";
import type { ConnectionThrottleOptions } from "./connection-throttle.ts";

const KIB = 1024;

export interface RequestLimits {
  /** Unanswered requests of all connections above which those that have some are not read. 0: no limit. */
  globalOutstandingLimit: number;
  /** Requests larger than this count as large, in bytes; -1: none do. */
  largeRequestThresholdBytes: number;
  /** Large requests on the way, in bytes altogether; one that would exceed this closes its connection. */
  largeRequestMaxBytes: number;
  /** Requests being carried out above which no more are taken up; 0 or less: no limit. */
  requestThrottleMaxRequests: number;
  /** A request that had to wait longer than this is answered THROTTLEDOP; 0: never. */
  throttledOpWaitTimeMs: number;
  /** Whether a request that waited longer than its session's timeout is dropped, with its connection. */
  dropStaleRequests: boolean;
  /** Schemes of which a connection must have proven one before it may ask for anything; null: none needed. */
  enforcedSchemes: ReadonlySet<string> | null;
}

export function requestLimits(config: ServerConfig): RequestLimits {
  return {
    globalOutstandingLimit: config.globalOutstandingLimit,
    largeRequestThresholdBytes: config.largeRequestThresholdBytes,
    largeRequestMaxBytes: config.largeRequestMaxBytes,
    requestThrottleMaxRequests: config.requestThrottleMaxRequests,
    throttledOpWaitTimeMs: config.throttledOpWaitTimeMs,
    dropStaleRequests: config.requestThrottleDropStale && config.requestStaleLatencyCheck,
    enforcedSchemes: config.enforceAuthEnabled ? new Set(config.enforceAuthSchemes) : null,
  };
}

export function throttleOptions(config: ServerConfig): ConnectionThrottleOptions {
  return {
    tokens: Math.max(config.connectionThrottleTokens, 0),
    fillTimeMs: config.connectionThrottleFillTimeMs,
    fillCount: config.connectionThrottleFillCount,
    freezeTimeMs: config.connectionThrottleFreezeTimeMs,
    dropIncrease: config.connectionThrottleDropIncrease,
    dropDecrease: config.connectionThrottleDropDecrease,
    decreaseRatio: config.connectionThrottleDecreaseRatio,
    weightEnabled: config.connectionThrottleWeightEnabled,
    globalSessionWeight: config.connectionThrottleGlobalSessionWeight,
    renewSessionWeight: config.connectionThrottleRenewSessionWeight,
    localSessionWeight: config.connectionThrottleLocalSessionWeight,
  };
}

/** What storage takes of the configuration. */
export function storageConfig(config: ServerConfig): StorageConfig {
  return {
    preAllocSizeKb: config.preAllocBytes / KIB,
    snapCount: config.snapCount,
    snapSizeLimitInKb: Math.max(config.snapSizeLimitBytes, 0) / KIB,
    txnLogSizeLimitInKb: Math.max(config.txnLogSizeLimitBytes, 0) / KIB,
    forceSync: config.forceSync,
    fsyncWarningThresholdMs: config.fsyncWarningThresholdMs,
    flushDelayMs: config.flushDelayMs,
    maxBatchSize: config.maxBatchSize,
    snapshotCompression: config.snapshotCompression,
    serializeLastProcessedZxid: config.serializeLastProcessedZxid,
    trustEmptySnapshot: config.snapshotTrustEmpty,
    dbAutoCreate: config.dbAutocreate,
    dataDirAutoCreate: config.datadirAutocreate,
    snapRetainCount: config.autopurgeSnapRetainCount,
    purgeIntervalHours: config.autopurgePurgeIntervalHours,
  };
}
