/**
 * What happened, as lines in fixed columns:
 *
 *   t=012.0625 s1  crash   power fails, 3 names and 5 sectors were not synced
 *   │          │   │       └ what, in words
 *   │          │   └ kind of event
 *   │          └ who: s = server, c = client, - = the world
 *   └ seconds of simulated time
 *
 * Every line and every number that `mix` is given goes into one hash: two runs with equal hashes did the same.
 */
import type { EventLoop } from "./event-loop.ts";

export type EventKind =
  | "seed"
  | "server"
  | "log"
  | "fault"
  | "crash"
  | "net"
  | "disk"
  | "commit"
  | "session"
  | "call"
  | "reply"
  | "watch"
  | "phase"
  | "check";

export interface TraceLine {
  readonly atMs: number;
  readonly who: string;
  readonly kind: EventKind;
  readonly what: string;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class Trace {
  readonly lines: TraceLine[] = [];
  readonly #loop: EventLoop;
  readonly #print: ((line: string) => void) | undefined;
  #high = FNV_OFFSET | 0;
  #low = FNV_PRIME | 0;

  constructor(loop: EventLoop, print?: (line: string) => void) {
    this.#loop = loop;
    this.#print = print;
  }

  add(who: string, kind: EventKind, what: string): void {
    const line = { atMs: this.#loop.elapsedMs, who, kind, what };
    this.lines.push(line);
    this.mix(line.atMs);
    for (let i = 0; i < what.length; i++) this.#mixInt(what.charCodeAt(i));
    this.#print?.(formatLine(line));
  }

  /** A number that two equal runs must agree on, without a line of its own. */
  mix(value: number): void {
    this.#mixInt(value * 16);
    this.#mixInt(value / 0x1000_0000);
  }

  #mixInt(value: number): void {
    this.#high = Math.imul(this.#high ^ value, FNV_PRIME);
    this.#low = Math.imul(this.#low + value, 0x5bd1e995) ^ (this.#low >>> 13);
  }

  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

export function formatLine({ atMs, who, kind, what }: TraceLine): string {
  return `t=${(atMs / 1000).toFixed(4).padStart(8, "0")} ${who.padEnd(3)} ${kind.padEnd(7)} ${what}`;
}
