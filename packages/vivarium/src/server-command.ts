// `vivarium server`: configuration, logger, one server, until a signal or a fault ends it.

import {
  createLogger,
  formatProblem,
  jsonFormat,
  type Logger,
  type LogLevel,
  loadConfig,
  logLevels,
  type Override,
  type ParsedConfig,
  type RunningServer,
  type ServerConfig,
  settingsHelp,
  textFormat,
} from "@vivarium/server";
import { type CommandLine, type OptionSpec, optionsHelp, readCommandLine, UsageError } from "./command-line.ts";
import { ExitCode } from "./exit-code.ts";
import { greeting } from "./greeting.ts";
import { describeFailure } from "./start-failure.ts";
import { StopSignals } from "./stop-signals.ts";
import type { Terminal } from "./terminal.ts";

/** What the command needs of a server; `stopped` rejects if a fault ended it. */
export type ServerHandle = Pick<RunningServer, "address" | "stop" | "stopped">;

export type StartServer = (options: {
  readonly config: ServerConfig;
  readonly logger: Logger;
}) => Promise<ServerHandle>;

const options: readonly OptionSpec[] = [
  { name: "port", value: "N", doc: "Port for clients (clientPort); 0 takes any free one" },
  { name: "host", value: "H", doc: "Address to listen on (clientPortAddress)" },
  { name: "data-dir", value: "D", doc: "Where the data is kept (dataDir)" },
  { name: "set", value: "name=value", multiple: true, doc: "Any setting of zoo.cfg, or zookeeper.* property" },
  { name: "log-level", value: "L", doc: "error, warn, info (default) or debug" },
  { name: "log-format", value: "F", doc: "text (default) or json" },
  { name: "help", short: "h", doc: "This text" },
  { name: "help-settings", doc: "All settings, their defaults and what they do" },
];

const help = `Runs a ZooKeeper server.

  vivarium server [zoo.cfg] [options]

Without a zoo.cfg it listens on 127.0.0.1:2181 and keeps its data in ./data.
What stands on the command line comes before the file, the file before the defaults.

${optionsHelp(options)}

Log lines go to standard error. SIGTERM and SIGINT stop the server cleanly; a second one, at once.
Exit codes: 0 stopped, 1 unexpected error, 2 wrong invocation or configuration, 3 data directory, 10 log or snapshot.
`;

export interface ServerCommandOptions {
  readonly words: readonly string[];
  readonly terminal: Terminal;
  readonly version: string;
  readonly startServer: StartServer;
}

/** Runs a server to its end; returns the exit code of the process. */
export async function serverCommand({
  words,
  terminal,
  version,
  startServer,
}: ServerCommandOptions): Promise<ExitCode> {
  let line: CommandLine;
  let logging: Logging;
  try {
    line = readCommandLine(words, options);
    logging = readLogging(line);
  } catch (error) {
    return complain(error, plainReport(terminal));
  }
  if (line.has("help")) {
    terminal.print(help);
    return ExitCode.ok;
  }
  if (line.has("help-settings")) {
    terminal.print(`${settingsHelp()}\n`);
    return ExitCode.ok;
  }

  const logger = loggerFor(terminal, logging);
  const report = logging.format === "json" ? logReport(logger) : plainReport(terminal);
  const signals = new StopSignals(terminal, logger);
  try {
    const { config, warnings } = await readConfig(line);
    for (const problem of warnings) logger.warn(formatProblem(problem));
    const server = await startServer({ config, logger });
    if (logging.format === "text") terminal.print(greeting({ version, config, address: server.address }));
    await untilStopped(server, signals);
    logger.info("stopped");
    return ExitCode.ok;
  } catch (error) {
    return complain(error, report);
  } finally {
    signals.forget();
  }
}

interface Logging {
  readonly format: "text" | "json";
  readonly level: LogLevel;
}

function readLogging(line: CommandLine): Logging {
  return {
    format: oneOf("--log-format", line.value("log-format") ?? "text", ["text", "json"]),
    level: oneOf("--log-level", line.value("log-level") ?? "info", logLevels),
  };
}

function oneOf<Word extends string>(option: string, word: string, words: readonly Word[]): Word {
  const found = words.find((one) => one === word);
  if (found !== undefined) return found;
  throw new UsageError(`${option} ${word} is not one of: ${words.join(", ")}.`);
}

function loggerFor(terminal: Terminal, { format, level }: Logging): Logger {
  const line = format === "json" ? jsonFormat : textFormat({ colour: terminal.colours, stacks: level === "debug" });
  return createLogger({ level, now: Date.now, write: (record) => terminal.complain(line(record)) });
}

async function readConfig(line: CommandLine): Promise<ParsedConfig> {
  const [file, ...others] = line.operands;
  if (file !== undefined && /^[0-9]+$/.test(file)) {
    throw new UsageError(
      `${file} is taken for a configuration file. For a port and a directory write --port N --data-dir D.`,
    );
  }
  if (others.length > 0) throw new UsageError(`one configuration file is enough: what is ${others.join(" ")}?`);
  const overrides = readOverrides(line);
  return loadConfig(file, overrides);
}

function readOverrides(line: CommandLine): Override[] {
  const overrides: Override[] = line.values("set").map((assignment) => {
    const equals = assignment.indexOf("=");
    if (equals < 1) throw new UsageError(`--set ${assignment}: write --set name=value.`);
    return { name: assignment.slice(0, equals).trim(), value: assignment.slice(equals + 1) };
  });
  for (const [option, name] of [
    ["port", "clientPort"],
    ["host", "clientPortAddress"],
    ["data-dir", "dataDir"],
  ] as const) {
    const value = line.value(option);
    if (value !== undefined) overrides.push({ name, value, option: `--${option}` });
  }
  return overrides;
}

async function untilStopped(server: ServerHandle, signals: StopSignals): Promise<void> {
  // A failure of stop() is a failure of the server, and `stopped` alone may never settle then.
  const failure = new Promise<never>((_, reject) => {
    signals.started(() => void server.stop().catch(reject));
  });
  await Promise.race([server.stopped, failure]);
}

type Report = (lines: readonly string[], error: unknown) => void;

/** One line per problem; in text, after the name of the command. */
function plainReport(terminal: Terminal): Report {
  return (lines, error) => {
    for (const line of lines) terminal.complain(`vivarium server: ${line}\n`);
    if (error instanceof Error)
      terminal.complain(`This is a fault of Vivarium itself:\n${error.stack ?? error.message}\n`);
  };
}

function logReport(logger: Logger): Report {
  return (lines, error) => {
    for (const line of lines) logger.error(line, error === undefined ? {} : { error });
  };
}

function complain(error: unknown, report: Report): ExitCode {
  const { exitCode, lines, expected } = describeFailure(error);
  report(lines, expected ? undefined : error);
  return exitCode;
}
