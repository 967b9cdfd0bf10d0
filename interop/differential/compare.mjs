// Compares what two servers let us see. A difference names the first field that is not the same.

import { accepted } from "./accepted.mjs";

/**
 * The first place where two plain values differ.
 * @returns {{at: string, left: any, right: any} | undefined}
 */
export function firstDifference(left, right, at = "") {
  if (Object.is(left, right)) return undefined;
  const bothObjects = left !== null && right !== null && typeof left === "object" && typeof right === "object";
  if (!bothObjects || Array.isArray(left) !== Array.isArray(right)) return { at, left, right };
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const difference = firstDifference(left[key], right[key], at === "" ? key : `${at}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}

/** What a step is called in reports: `create`, `burst`, `connect`, `word srvr`, ... */
export const stepName = ({ kind, name }) => (kind === "call" ? String(name) : name ? `${kind} ${name}` : kind);

export class Comparer {
  #rows;
  /** How often each accepted difference was met, by name. */
  met = new Map();

  /** @param {{rows?: import("./accepted.mjs").AcceptedDifference[]}} [options] */
  constructor({ rows = accepted } = {}) {
    this.#rows = rows;
    for (const { name } of rows) this.met.set(name, 0);
  }

  /**
   * @param {object} step the operation, or another thing that was compared
   * @param {any} left what Apache's server showed
   * @param {any} right what the other server showed
   * @returns {{at: string, left: any, right: any, signature: string} | undefined} the first difference not accepted
   */
  compare(step, left, right) {
    for (const [at, a, b] of pairs(left, right)) {
      const difference = firstDifference(a, b);
      if (difference === undefined) continue;
      const row = this.#rows.find(({ matches }) => matches(step, a, b));
      if (row !== undefined) this.met.set(row.name, this.met.get(row.name) + 1);
      else {
        const place = [at, difference.at].filter((part) => part !== "").join(".");
        return { ...difference, at: place, signature: signature(step, { ...difference, at: place }, a ?? b) };
      }
    }
    return undefined;
  }
}

/** The pieces that a row may explain one by one: arrivals, nodes, log records, lines; else the whole. */
function pairs(left, right) {
  const plain = (value) => value !== null && typeof value === "object";
  if (!plain(left) || !plain(right) || Array.isArray(left) !== Array.isArray(right)) return [["", left, right]];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].map((key) => [key, left[key], right[key]]);
}

const short = (value) => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

/** Differences with the same signature are most likely one bug. */
function signature(step, { at, left, right }, piece) {
  const which = piece?.kind === "reply" ? piece.name : (piece?.kind ?? "");
  const place = at.replaceAll(/\d+/g, "n");
  return `${stepName(step)}: ${which} ${place}: ${short(left)} / ${short(right)}`;
}
