/** Which settings bound the work that clients can cause. */
import type { ServerConfig } from "./config/index.ts";
import type { ConnectionThrottleOptions } from "./connection-throttle.ts";
import type { RequestLimits } from "./request-dispatcher.ts";

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
