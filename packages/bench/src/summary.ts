/** Medians, spreads and ratios of what was measured, beside the goals, as rows of a table. */
import type { Unit } from "@vivarium/load";
import type { Role } from "./contender.ts";
import { type Goal, goalsOf } from "./goals.ts";
import type { Results } from "./results.ts";
import { type Spread, spread } from "./spread.ts";
import { STALL, TURN } from "./with-server.ts";

export interface Row {
  readonly title: string;
  readonly unit: Unit;
  readonly ours: Spread;
  /** What it is compared with, and its name unless that is the one of the column. */
  readonly peer?: { readonly name?: string; readonly spread: Spread };
  /** Ours ÷ peer, of the medians, and how far it goes in single turns. */
  readonly ratio?: Spread;
  readonly goal?: string;
  readonly isReached?: boolean;
}

const BARE = "bare Node.js";

/** The values of a figure by turn. Several within a turn become their median; of stalls and turns, only the longest counts. */
function byTurn({ measurements }: Results, role: Role, key: string): Map<number, number> {
  const turns = new Map<number, number[]>();
  for (const one of measurements) {
    if (one.role !== role || one.key !== key) continue;
    turns.set(one.turn, [...(turns.get(one.turn) ?? []), one.value]);
  }
  const isWorst = key.startsWith(STALL) || key.startsWith(TURN);
  const one = (values: readonly number[]) => (isWorst ? Math.max(...values) : spread(values).median);
  return new Map([...turns].map(([turn, values]) => [turn, one(values)]));
}

/** Ours ÷ theirs turn by turn; its middle is the ratio of the medians. */
function ratioOf(ours: Map<number, number>, theirs: Map<number, number>, per = 1): Spread {
  const median = spread([...ours.values()]).median / spread([...theirs.values()]).median / per;
  const single = [...ours].flatMap(([turn, value]) => {
    const other = theirs.get(turn);
    return other === undefined ? [] : [value / other / per];
  });
  const { least, most } = spread([...single, median]);
  return { median, least, most };
}

function goalText({ atLeast, atMost, over }: Goal): string {
  const sign = over === "nothing" ? "" : "×";
  return atLeast === undefined ? `at most ${atMost}${sign}` : `at least ${atLeast}${sign}`;
}

const reaches = ({ atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Goal, value: number) =>
  value >= atLeast && value <= atMost;

function goalRow(results: Results, goal: Goal): Row[] {
  const { key, over } = goal;
  if (over === "nothing") return worstRow(results, goal);
  const info = results.figures[key];
  const our = byTurn(results, "ours", key);
  if (info === undefined || our.size === 0) return [];
  const row = { title: info.title, unit: info.unit, ours: spread([...our.values()]), goal: goalText(goal) };
  const their = "role" in over ? byTurn(results, over.role, key) : byTurn(results, "ours", over.key);
  if (their.size === 0) return [];
  const ratio = ratioOf(our, their, "per" in over ? over.per : 1);
  const name = "role" in over ? (over.role === "bare" ? BARE : undefined) : results.figures[over.key]?.title;
  const peer = { spread: spread([...their.values()]), ...(name === undefined ? {} : { name }) };
  return [{ ...row, peer, ratio, isReached: reaches(goal, ratio.median) }];
}

/** All figures whose key begins so: the worst of all of them is what counts. */
function worstRow({ figures, measurements }: Results, goal: Goal): Row[] {
  const values = measurements.filter(({ role, key }) => role === "ours" && key.startsWith(goal.key));
  const info = Object.entries(figures).find(([key]) => key.startsWith(goal.key))?.[1];
  if (info === undefined || values.length === 0) return [];
  const ours = spread(values.map(({ value }) => value));
  const title = "longest stall of our event loop in any run";
  return [{ title, unit: info.unit, ours, goal: goalText(goal), isReached: reaches(goal, ours.most) }];
}

/** A row for each goal of which both sides were measured. */
export function goalRows(results: Results): Row[] {
  return goalsOf(results.scale).flatMap((goal) => goalRow(results, goal));
}

/** A row for each figure that is not among the goals, in the order in which they were measured. */
export function otherRows(results: Results, { except = goalsOf(results.scale).map(({ key }) => key) } = {}): Row[] {
  return Object.entries(results.figures)
    .filter(([key]) => !except.includes(key))
    .flatMap(([key, { title, unit }]) => {
      const our = byTurn(results, "ours", key);
      if (our.size === 0) return [];
      const row = { title, unit, ours: spread([...our.values()]) };
      const role = byTurn(results, "theirs", key).size > 0 ? "theirs" : "bare";
      const their = byTurn(results, role, key);
      if (their.size === 0) return [row];
      const peer = { spread: spread([...their.values()]), ...(role === "bare" ? { name: BARE } : {}) };
      return [{ ...row, peer, ratio: ratioOf(our, their) }];
    });
}
