// Leaves out steps while the difference persists, so that a person has few to read.

import { duel, startPair } from "./duel.mjs";

/**
 * @param {{steps: object[], names: string[], settings?: object, difference: {index: number, signature: string}, trials?: number,
 *   log?: (line: string) => void}} options `trials` bounds how often both servers are started
 * @returns {Promise<{steps: object[], difference: any}>}
 */
export async function shrink({ steps, names, settings, difference, trials = 60, log = () => {} }) {
  let best = { steps: steps.slice(0, difference.index + 1), difference };
  let next = startPair(names, settings);
  let left = trials;
  const fails = async (candidate) => {
    const pair = await next;
    left--;
    next = left > 0 ? startPair(names, settings) : undefined;
    try {
      const result = await duel({ steps: candidate, pair });
      return result.difference && similar(result.difference, difference) ? result.difference : undefined;
    } finally {
      await pair.remove();
    }
  };
  for (
    let size = Math.ceil(best.steps.length / 2);
    size >= 1 && left > 0;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let end = best.steps.length - 1; end > 0 && left > 0; end -= size) {
      const candidate = best.steps.toSpliced(Math.max(0, end - size), Math.min(size, end));
      const found = await fails(candidate);
      if (found === undefined) continue;
      best = { steps: candidate.slice(0, found.index + 1), difference: found };
      end = Math.min(end, best.steps.length);
      log(`${best.steps.length} steps still differ`);
    }
  }
  await (await next)?.remove();
  return best;
}

/** The same kind of difference; numbers in it may move when steps are left out. */
const similar = (a, b) =>
  a.step.kind === b.step.kind && a.step.name === b.step.name && withoutNumbers(a.at) === withoutNumbers(b.at);
const withoutNumbers = (text) => text.replaceAll(/\d+/g, "n");
