/**
 * What kind of world a seed makes: drawn first, printed first. Every seed leaves out some faults and some actions, for
 * what never happens together with everything else is never found together with everything.
 */

import { ACTIONS } from "../workload/actions.ts";
import type { Dice } from "../world/dice.ts";
import type { World } from "../world/world.ts";
import { FAULTS, type FaultKind } from "./faults.ts";

/**
 * Long worlds live for half a minute or so, in which slow things happen. Short ones live a few seconds, with short ticks
 * and a fault at every turn: of these many can be tried in the same time. "mixed" lets the seed choose, mostly short.
 */
export type WorldSize = "long" | "short";
export const WORLD_SIZES = ["mixed", "long", "short"] as const;
export type WorldChoice = (typeof WORLD_SIZES)[number];

export interface SwarmOptions {
  readonly size: WorldSize;
  /** How long things last that take a while, such as cuts and the time until somebody starts a dead server again: this part of the usual. */
  readonly pace: number;
  /** Those that vote. */
  readonly servers: number;
  readonly observers: number;
  readonly clients: number;
  /** Nodes that the first client makes at once, before anything goes wrong. */
  readonly preparedAtOnce: number;
  /** How long faults go on. */
  readonly chaosMs: number;
  readonly tickTimeMs: number;
  /** In ticks: how long a follower may be out of touch with its leader, and so how much a leader's word may be behind. */
  readonly syncLimit: number;
  /** In ticks: the longest session timeout that servers grant. */
  readonly longestSession: number;
  readonly sessionTimeoutMs: number;
  readonly thinkMs: number;
  readonly latencyMs: { readonly fromMs: number; readonly toMs: number };
  /** How long a sync takes at least and at most. */
  readonly syncMs: { readonly fromMs: number; readonly toMs: number };
  /** Clocks run up to this part too fast or too slow. */
  readonly clockDrift: number;
  readonly snapCount: number;
  readonly preAllocKb: number;
  readonly compression: "" | "snappy";
  readonly flushDelayMs: number;
  readonly outstandingLimit: number;
  /** Mean milliseconds between two faults of a kind. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly actions: readonly string[];
}

const DRIFT_LIMIT = 0.001;
/** Of mixed worlds. */
const LONG_SHARE = 1 / 64;

export interface WorldWish {
  readonly servers: number;
  readonly worlds: WorldChoice;
}

export function drawSwarm(world: World, { servers, worlds }: WorldWish): SwarmOptions {
  const isLong = world.dice("size").chance(LONG_SHARE) ? worlds !== "short" : worlds === "long";
  const dice = world.dice("swarm");
  return isLong ? drawLong(dice, servers) : drawShort(dice, servers);
}

function drawLong(dice: Dice, servers: number): SwarmOptions {
  const tickTimeMs = dice.pick([50, 200, 500, 2000]);
  const chaosMs = dice.between(5, 40) * 1000;
  const slowest = dice.pick([0.5, 2, 10, 40]);
  return {
    size: "long",
    pace: 1,
    servers,
    observers: servers > 1 && dice.chance(0.25) ? 1 : 0,
    clients: dice.between(1, 5),
    preparedAtOnce: 1,
    chaosMs,
    tickTimeMs,
    syncLimit: 5,
    longestSession: 20,
    sessionTimeoutMs: Math.max(200, tickTimeMs * dice.between(2, 20)),
    thinkMs: dice.pick([20, 100, 300]),
    latencyMs: { fromMs: slowest / 4, toMs: slowest },
    syncMs: dice.pick([
      { fromMs: 0, toMs: 0.5 },
      { fromMs: 1, toMs: 8 },
      { fromMs: 5, toMs: 60 },
    ]),
    clockDrift: dice.chance(0.5) ? 0 : DRIFT_LIMIT,
    snapCount: dice.pick([2, 10, 50, 300, 100_000]),
    preAllocKb: dice.pick([0, 0, 4, 16]),
    compression: dice.chance(0.2) ? "snappy" : "",
    flushDelayMs: dice.chance(0.2) ? 5 : 0,
    outstandingLimit: dice.pick([1000, 1000, 3]),
    faults: drawFaults(dice, chaosMs),
    actions: drawActions(dice),
  };
}

/** In a short world something must happen, and there must be time for what follows from it. */
function drawShort(dice: Dice, servers: number): SwarmOptions {
  const tickTimeMs = dice.pick([100, 200]);
  const chaosMs = dice.between(1000, 4000);
  const slowest = dice.pick([0.5, 2, 10, 20]);
  const longestSession = 8;
  return {
    size: "short",
    pace: dice.pick([0.1, 0.3, 0.3]),
    servers,
    observers: servers > 1 && dice.chance(0.25) ? dice.between(1, 2) : 0,
    clients: dice.between(1, 3),
    preparedAtOnce: 100,
    chaosMs,
    tickTimeMs,
    syncLimit: dice.pick([2, 3]),
    longestSession,
    sessionTimeoutMs: tickTimeMs * dice.between(2, longestSession),
    thinkMs: dice.pick([10, 30, 100]),
    latencyMs: { fromMs: slowest / 4, toMs: slowest },
    syncMs: dice.pick([
      { fromMs: 0, toMs: 0.5 },
      { fromMs: 1, toMs: 8 },
      { fromMs: 5, toMs: 40 },
    ]),
    clockDrift: dice.chance(0.5) ? 0 : DRIFT_LIMIT,
    snapCount: dice.pick([2, 5, 20, 100, 100_000]),
    preAllocKb: dice.pick([0, 0, 4]),
    compression: dice.chance(0.1) ? "snappy" : "",
    flushDelayMs: dice.chance(0.2) ? 5 : 0,
    outstandingLimit: dice.pick([1000, 1000, 3]),
    faults: drawDenseFaults(dice),
    actions: drawActions(dice),
  };
}

/** Those that end a term, or may lose what a server had. */
const GRAVE: readonly FaultKind[] = [
  "powerFailure",
  "crashPoint",
  "kill",
  "restart",
  "freeze",
  "oneWayCut",
  "isolation",
  "reset",
];

function drawDenseFaults(dice: Dice): SwarmOptions["faults"] {
  const grave = dice.pick(GRAVE);
  const faults: Partial<Record<FaultKind, number>> = {};
  for (const kind of FAULTS) {
    const wanted = dice.chance(0.4) || kind === grave;
    const meanMs = dice.pick([500, 1000, 3000]);
    if (wanted) faults[kind] = kind === grave ? Math.min(meanMs, 1000) : meanMs;
  }
  return faults;
}

function drawFaults(dice: Dice, chaosMs: number): SwarmOptions["faults"] {
  const faults: Partial<Record<FaultKind, number>> = {};
  for (const kind of FAULTS) {
    const wanted = dice.chance(0.4);
    const meanMs = dice.pick([2000, 5000, 10_000, chaosMs]);
    if (wanted) faults[kind] = meanMs;
  }
  return faults;
}

function drawActions(dice: Dice): string[] {
  const actions = Object.keys(ACTIONS).filter(() => dice.chance(0.7));
  return actions.length > 0 ? actions : ["writeKey", "readKey"];
}

/** As the first lines of a trace say it. */
export function describeSwarm(swarm: SwarmOptions): string[] {
  const { faults, actions, latencyMs, syncMs, ...others } = swarm;
  const plain = Object.entries(others).map(([name, value]) => `${name}=${value === "" ? "none" : value}`);
  const times = [`latencyMs=${latencyMs.fromMs}..${latencyMs.toMs}`, `syncMs=${syncMs.fromMs}..${syncMs.toMs}`];
  return [
    [...plain, ...times].join(" "),
    `faults, mean ms between: ${
      Object.entries(faults)
        .map(([kind, meanMs]) => `${kind}=${meanMs}`)
        .join(" ") || "none"
    }`,
    `actions: ${actions.join(" ")}`,
  ];
}
