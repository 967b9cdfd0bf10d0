// One list of operations on two fresh servers, compared after every step and once more as a whole at the end.

import { Comparer } from "./compare.mjs";
import { finalState } from "./final-state.mjs";
import { weightOf } from "./generate.mjs";
import { Player } from "./player.mjs";
import { start } from "./servers.mjs";

/** Starts both servers; the JVM takes its time, so that the next pair is best asked for early. */
export async function startPair(names) {
  const servers = await Promise.all(names.map(start));
  return { names, servers, remove: () => Promise.all(servers.map((each) => each.remove())) };
}

/**
 * @param {{steps: import("./player.mjs").Operation[], pair: Awaited<ReturnType<typeof startPair>>, comparer?: Comparer,
 *   onStep?: (index: number) => void}} options
 * @returns {Promise<{operations: number, difference?: {index: number, step: object, at: string, left: any, right: any,
 *   signature: string, answers: [any, any]}}>} up to the first difference that is not accepted
 */
export async function duel({ steps, pair, comparer = new Comparer(), onStep = () => {} }) {
  const players = pair.servers.map(({ server }) => new Player(server.port));
  const both = (action) => Promise.all(players.map(action));
  const judge = (index, step, [left, right]) => {
    const difference = comparer.compare(step, left, right);
    return difference && { index, step, ...difference, answers: [left, right] };
  };
  let operations = 0;
  try {
    for (const [index, step] of steps.entries()) {
      onStep(index);
      const difference = judge(index, step, await both((player) => player.play(step)));
      operations += weightOf(step);
      if (difference) return { operations, difference };
      const gone = pair.servers.find(({ server }) => server.hasExited);
      if (gone)
        throw new Error(
          `${gone.server.name} ended at step ${index} ${JSON.stringify(step)}:\n${gone.server.output.slice(-2000)}`,
        );
    }
    const last = judge(steps.length, { kind: "last events" }, await both((player) => player.finish()));
    if (last) return { operations, difference: last };
    const states = await Promise.all(pair.servers.map(({ server }, i) => finalState(server, players[i].translator)));
    for (const name of Object.keys(states[0])) {
      const difference = judge(
        steps.length,
        { kind: "final", name },
        states.map((state) => state[name]),
      );
      if (difference) return { operations, difference };
    }
    return { operations };
  } finally {
    for (const player of players) player.disconnect();
  }
}
