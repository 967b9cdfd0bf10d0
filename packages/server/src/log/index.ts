// Logging: the port the server speaks through, its formats, and the throttle for repeated lines.

export { type CollectedLogs, collectLogs } from "./collect-logs.ts";
export { jsonFormat, type LineFormat, type TextFormatOptions, textFormat } from "./line-format.ts";
export { LogThrottle, type LogThrottleOptions } from "./log-throttle.ts";
export {
  createLogger,
  type LogFields,
  type Logger,
  type LoggerOptions,
  LogLevel,
  type LogRecord,
  logLevels,
  silentLogger,
} from "./logger.ts";
