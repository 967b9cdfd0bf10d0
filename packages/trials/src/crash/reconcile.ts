/**
 * What happened to the operations that had no answer when the server was killed: the tree must be what the acknowledged
 * operations and a prefix of these give, because one session's writes are carried out in order and each one wholly.
 */
import type { Learnt, Model } from "./model.ts";
import { difference, type Observation } from "./observation.ts";
import type { Operation } from "./operation.ts";

/** The server broke its word. */
export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
}

/**
 * Brings `kept`, the state after all that was acknowledged, to the state observed.
 * @returns how many of `inDoubt` were carried out; the zxids that the observation shows are then in their stamps
 * @throws BrokenPromise if no prefix explains what is observed; the message has the difference for each
 */
export function reconcile(observation: Observation, kept: Model, inDoubt: readonly Operation[]): number {
  const differences: string[] = [];
  for (const next of [...inDoubt, undefined]) {
    const learnt: Learnt = new Map();
    const wrong = difference(observation, kept, learnt);
    if (wrong === undefined) {
      for (const [stamp, zxid] of learnt) stamp.zxid = zxid;
      return differences.length;
    }
    differences.push(`with ${differences.length} of ${inDoubt.length} in doubt carried out: ${wrong}`);
    if (next !== undefined) kept.apply(next);
  }
  throw new BrokenPromise(`${kept.root} is in no state that its writes explain\n${differences.join("\n")}`);
}
