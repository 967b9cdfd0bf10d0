// Keeps a flood of equal lines from filling the log: of each kind, the first few in an interval are written, the rest counted.
//
// A client that sends nonsense gets one line, but nothing stops ten thousand clients, or one that reconnects forever. The
// count is not lost: the next line of that kind, or flush(), tells how many were left out.
// Invariant: at most `burst` lines per kind and interval, and at most `maxKinds` kinds remembered.

import type { LogFields, Logger } from "./logger.ts";

export interface LogThrottleOptions {
  readonly logger: Logger;
  /** Milliseconds on any clock that does not jump back. */
  readonly now: () => number;
  /** Lines of one kind written per interval. Default 10. */
  readonly burst?: number;
  /** Default 10 000. */
  readonly intervalMs?: number;
  /** Kinds told apart; beyond it, all further ones share one allowance. Default 100. */
  readonly maxKinds?: number;
}

interface Allowance {
  startedMs: number;
  written: number;
  suppressed: number;
}

export class LogThrottle {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #burst: number;
  readonly #intervalMs: number;
  readonly #maxKinds: number;
  readonly #kinds = new Map<string, Allowance>();

  constructor(options: LogThrottleOptions) {
    this.#logger = options.logger;
    this.#now = options.now;
    this.#burst = options.burst ?? 10;
    this.#intervalMs = options.intervalMs ?? 10_000;
    this.#maxKinds = options.maxKinds ?? 100;
  }

  /** Writes a warning, unless its kind has had enough; the message is the kind. */
  warn(message: string, fields: LogFields = {}): void {
    const suppressed = this.#admit(message);
    if (suppressed === undefined) return;
    this.#logger.warn(message, suppressed === 0 ? fields : { ...fields, alsoSuppressed: suppressed });
  }

  /** Writes what is still untold, one line per kind; call now and then, and before stopping. */
  flush(): void {
    const now = this.#now();
    for (const [message, kind] of this.#kinds) {
      if (kind.suppressed > 0) this.#logger.warn(message, { alsoSuppressed: kind.suppressed });
      kind.suppressed = 0;
      if (now - kind.startedMs >= this.#intervalMs) this.#kinds.delete(message);
    }
  }

  /** The lines left out before this one, or undefined when this one is to be left out too. */
  #admit(message: string): number | undefined {
    const now = this.#now();
    const kind = this.#allowanceOf(message, now);
    if (now - kind.startedMs >= this.#intervalMs) {
      kind.startedMs = now;
      kind.written = 0;
    }
    if (kind.written >= this.#burst) {
      kind.suppressed++;
      return undefined;
    }
    kind.written++;
    const { suppressed } = kind;
    kind.suppressed = 0;
    return suppressed;
  }

  #allowanceOf(message: string, now: number): Allowance {
    const known = this.#kinds.get(message);
    if (known !== undefined) return known;
    const name = this.#kinds.size < this.#maxKinds ? message : "other warnings";
    const kind = this.#kinds.get(name) ?? { startedMs: now, written: 0, suppressed: 0 };
    this.#kinds.set(name, kind);
    return kind;
  }
}
