// What a command sees of the process it runs in; tests put their own in its place.

export interface Terminal {
  /** What the command was asked for: help, versions, the greeting. */
  print(text: string): void;
  /** Log lines and complaints. */
  complain(text: string): void;
  /** Whether complaints go to a terminal that shows colours. */
  readonly colours: boolean;
  /** Whether complaints go to a terminal, on which a line can be written over. */
  readonly isInteractive: boolean;
  /** Calls back for each SIGTERM and SIGINT until the returned function is called. */
  onStopSignal(callback: (signal: string) => void): () => void;
  /** Milliseconds on a clock that never goes back. */
  nowMs(): number;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** The process this runs in. */
export function processTerminal(): Terminal {
  // A reader that went away must not take the server with it: what it would have read is lost, nothing else.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  const { NO_COLOR } = process.env;
  return {
    print: (text) => void process.stdout.write(text),
    complain: (text) => void process.stderr.write(text),
    isInteractive: process.stderr.isTTY === true,
    colours: process.stderr.isTTY === true && NO_COLOR === undefined,
    onStopSignal(callback) {
      const signals = ["SIGTERM", "SIGINT"] as const;
      for (const signal of signals) process.on(signal, callback);
      return () => {
        for (const signal of signals) process.off(signal, callback);
      };
    },
    nowMs: () => performance.now(),
    exit: (code) => process.exit(code),
  };
}
