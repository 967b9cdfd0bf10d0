/** A part of the bench: one kind of run, what it needs, and what it tells. */
import type { Figure } from "@vivarium/load";
import type { Contender, Role } from "./contender.ts";

/** How large a run is; the quick one is smaller in everything. */
export interface Scale {
  /** Turns of each part; the slow parts take fewer. */
  readonly turns: number;
  /** Seconds of each load, after one that does not count. */
  readonly seconds: number;
  /** Seconds of creating znodes while snapshots are written. */
  readonly createSeconds: number;
  readonly znodes: number;
  readonly sessions: number;
  readonly children: number;
}

export const scales = {
  full: { turns: 3, seconds: 3, createSeconds: 30, znodes: 1_000_000, sessions: 10_000, children: 100_000 },
  quick: { turns: 1, seconds: 1, createSeconds: 6, znodes: 100_000, sessions: 2_000, children: 10_000 },
} as const satisfies Record<string, Scale>;

/** The points of one line of a plot. */
export interface Line {
  readonly plot: string;
  /** Which of several lines of the same server. */
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What a part is given for one turn of one contender. */
export interface Stage {
  readonly part: string;
  readonly contender: Contender;
  readonly scale: Scale;
  /** Path of the built load generator. */
  readonly zkload: string;
  record(figure: Figure): void;
  draw(line: Line): void;
  remark(text: string): void;
  /** What is being done now. */
  doing(text: string): void;
}

export interface Part {
  readonly name: string;
  readonly about: string;
  readonly roles: readonly Role[];
  turns(scale: Scale): number;
  run(stage: Stage): Promise<void>;
}

export const everyTurn = ({ turns }: Scale): number => turns;
/** For parts that take minutes. */
export const fewerTurns = ({ turns }: Scale): number => Math.ceil(turns / 2);
export const oneTurn = (): number => 1;
