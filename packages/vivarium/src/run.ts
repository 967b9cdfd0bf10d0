// The command's first word picks what it does. Only `server` is there from the beginning: the others bring rooms along
// that a server would load for nothing.

import { nearestName } from "@vivarium/server";
import { ExitCode } from "./exit-code.ts";
import { type StartServer, serverCommand } from "./server-command.ts";
import type { Terminal } from "./terminal.ts";

export interface RunOptions {
  /** The words after `vivarium`. */
  readonly words: readonly string[];
  readonly terminal: Terminal;
  readonly version: string;
  readonly startServer: StartServer;
  /** The file that Node.js runs for `vivarium`. */
  readonly program: string;
}

const commands = ["server", "ensemble", "bench", "help", "version"] as const;

const help = `Vivarium: ZooKeeper on Node.js.

  vivarium server [zoo.cfg] [options]   run a server
  vivarium ensemble [options]           run a whole ensemble on this machine, to try one
  vivarium bench HOSTS [options]        load a ZooKeeper and measure it
  vivarium help [command]               this text, or the help of a command
  vivarium --version                    the version

vivarium server --help, vivarium ensemble --help and vivarium bench --help tell the rest.
`;

/** Runs one command to its end; returns the exit code of the process. */
export async function run(options: RunOptions): Promise<ExitCode> {
  const { words, terminal, version } = options;
  const [command, ...rest] = words;
  switch (command) {
    case "server":
      return serverCommand({ ...options, words: rest });
    case "ensemble":
      return ensemble(options, rest);
    case "bench":
      return bench(options, rest);
    case "version":
    case "--version":
    case "-V":
      terminal.print(`${version}\n`);
      return ExitCode.ok;
    case "help":
      if (rest[0] === "server") return serverCommand({ ...options, words: ["--help"] });
      if (rest[0] === "ensemble") return ensemble(options, ["--help"]);
      if (rest[0] === "bench") return bench(options, ["--help"]);
      terminal.print(help);
      return ExitCode.ok;
    case "--help":
    case "-h":
      terminal.print(help);
      return ExitCode.ok;
    case undefined:
      terminal.complain(help);
      return ExitCode.invalidInvocation;
    default: {
      const nearest = nearestName(command, commands);
      const hint =
        nearest === undefined
          ? "The commands are: server, ensemble, bench, help, version."
          : `Did you mean ${nearest}?`;
      terminal.complain(`vivarium: there is no command ${command}. ${hint}\n`);
      return ExitCode.invalidInvocation;
    }
  }
}

async function ensemble(options: RunOptions, words: readonly string[]): Promise<ExitCode> {
  const { ensembleCommand } = await import("./ensemble-command.ts");
  return ensembleCommand({ ...options, words });
}

async function bench({ terminal }: RunOptions, words: readonly string[]): Promise<ExitCode> {
  const { benchCommand } = await import("./bench-command.ts");
  return benchCommand({ words, terminal });
}
