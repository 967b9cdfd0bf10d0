// SIGTERM and SIGINT: the first asks the server to stop, a second one ends the process at once.
//
// While the server is still starting nothing has been acknowledged to anybody, so that the process may simply end.

import type { Logger } from "@vivarium/server";
import { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** One Ctrl-C arrives several times when npm or a script stands between: what comes this soon after is the same one. */
export const sameSignalMs = 1000;

export class StopSignals {
  /** Leaves signals to Node.js again. */
  readonly forget: () => void;
  readonly #terminal: Terminal;
  readonly #logger: Logger;
  #stop: (() => void) | undefined;
  #askedMs: number | undefined;

  constructor(terminal: Terminal, logger: Logger) {
    this.#terminal = terminal;
    this.#logger = logger;
    this.forget = terminal.onStopSignal((signal) => this.#received(signal));
  }

  /** The server has started: from now on `stop` stops it. */
  started(stop: () => void): void {
    this.#stop = stop;
    if (this.#askedMs !== undefined) stop();
  }

  #received(signal: string): void {
    const nowMs = this.#terminal.nowMs();
    if (this.#askedMs === undefined) {
      this.#askedMs = nowMs;
      this.#logger.info("stopping", { signal });
      if (this.#stop === undefined) this.#terminal.exit(ExitCode.ok);
      else this.#stop();
    } else if (nowMs - this.#askedMs >= sameSignalMs) {
      this.#logger.warn("stopped at once by a second signal", { signal });
      this.#terminal.exit(ExitCode.unexpected);
    }
  }
}
