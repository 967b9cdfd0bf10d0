// What the server says about itself: the Logger port, and the logger behind it.
//
// Place in the flow: whoever starts a server hands it a Logger; the command makes one that writes lines to standard error
// (line-format.ts), tests and the simulator one that collects records. The logger itself reads no clock and writes nowhere:
// both are injected. A record's message is a fixed sentence; what varies stands in its fields, so that lines can be counted.
//
// Levels say what an operator has to do:
//   error  needs a human now: data at risk, the server is stopping or cannot start
//   warn   will need one: slow disk, limits reached, a client or peer misbehaved, a setting without effect
//   info   the life of the server: started, recovered, snapshot written, stopping
//   debug  everything else, for finding a fault

export const LogLevel = { error: 0, warn: 1, info: 2, debug: 3 } as const;
export type LogLevel = keyof typeof LogLevel;

export const logLevels: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** Named values of one line. An Error may stand under any name; its message and stack are kept. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** Whether lines of this level go anywhere: ask before building costly fields. */
  enabled(level: LogLevel): boolean;
  /** The same logger with these fields on each line, before the line's own. */
  child(fields: LogFields): Logger;
}

export interface LogRecord {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export interface LoggerOptions {
  /** Lines above this level are dropped. Default `info`. */
  readonly level?: LogLevel;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Gets every record that is not dropped, synchronously: what was logged before an exit has been written. */
  readonly write: (record: LogRecord) => void;
}

export function createLogger(options: LoggerOptions): Logger {
  const { level: threshold = "info", now, write } = options;
  const most = LogLevel[threshold];
  const enabled = (level: LogLevel): boolean => LogLevel[level] <= most;

  const withFields = (own: LogFields): Logger => {
    const log = (level: LogLevel, message: string, fields: LogFields | undefined): void => {
      if (!enabled(level)) return;
      write({ timeMs: now(), level, message, fields: fields === undefined ? own : { ...own, ...fields } });
    };
    return {
      error: (message, fields) => log("error", message, fields),
      warn: (message, fields) => log("warn", message, fields),
      info: (message, fields) => log("info", message, fields),
      debug: (message, fields) => log("debug", message, fields),
      enabled,
      child: (fields) => withFields({ ...own, ...fields }),
    };
  };
  return withFields({});
}

/** A logger for those who want to hear nothing. */
export const silentLogger: Logger = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  enabled: () => false,
  child: () => silentLogger,
};
