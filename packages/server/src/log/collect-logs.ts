// A logger that keeps its records in memory, for tests and the simulator.

import { createLogger, type Logger, type LogLevel, type LogRecord } from "./logger.ts";

export interface CollectedLogs {
  readonly logger: Logger;
  /** In the order they were logged. */
  readonly records: readonly LogRecord[];
}

export function collectLogs(options: { readonly level?: LogLevel; readonly now?: () => number } = {}): CollectedLogs {
  const { level = "debug", now = () => 0 } = options;
  const records: LogRecord[] = [];
  return { logger: createLogger({ level, now, write: (record) => records.push(record) }), records };
}
