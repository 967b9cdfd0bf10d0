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
    const difference = firstDifference(left, right);
    if (difference === undefined) return undefined;
    const row = this.#rows.find(({ matches }) => matches(step, left, right));
    if (row !== undefined) {
      this.met.set(row.name, this.met.get(row.name) + 1);
      return undefined;
    }
    return { ...difference, signature: signature(step, difference, left, right) };
  }
}

const short = (value) => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

/** Differences with the same signature are most likely one bug. */
function signature(step, { at, left, right }, leftAll, rightAll) {
  const [index] = at.split(".");
  const arrival = leftAll?.[index] ?? rightAll?.[index];
  const which = arrival?.kind === "reply" ? arrival.name : (arrival?.kind ?? "");
  const place = at.replaceAll(/\d+/g, "n");
  return `${stepName(step)}: ${which} ${place}: ${short(left)} / ${short(right)}`;
}
