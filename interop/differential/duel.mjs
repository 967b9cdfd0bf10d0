// One list of operations on two fresh servers, compared after every step and once more as a whole at the end.

import { Comparer } from "./compare.mjs";
import { contents, logOf } from "./final-state.mjs";
import { weightOf } from "./generate.mjs";
import { Player } from "./player.mjs";
import { epilogue } from "./scenarios.mjs";
import { start } from "./servers.mjs";

/** Starts both servers; the JVM takes its time, so that the next pair is best asked for early. */
export async function startPair(names, settings) {
  const servers = await Promise.all(names.map((name) => start(name, settings)));
  return {
    servers: servers.map(({ server }) => server),
    remove: () => Promise.all(servers.map((each) => each.remove())),
  };
}

/** A list of operations under way. */
class Duel {
  #servers;
  #comparer;
  #players;
  #difference;
  operations = 0;

  constructor({ servers, comparer }) {
    this.#servers = servers;
    this.#comparer = comparer;
    this.#players = servers.map(({ port }) => new Player(port));
  }

  /** The first difference that is not accepted. */
  get difference() {
    return this.#difference;
  }

  /** Plays steps up to the first difference. */
  async play(steps, firstIndex = 0) {
    for (const [i, step] of steps.entries()) {
      const index = firstIndex + i;
      this.#judge(index, step, await Promise.all(this.#players.map((player) => player.play(step))));
      this.operations += weightOf(step);
      this.#judge(index, { kind: "server ended" }, this.#servers.map(endOf));
      if (this.#difference) return;
    }
  }

  /** Compares all that is left when the steps are done; the servers stop. */
  async finish(index) {
    this.#judge(index, { kind: "last events" }, await Promise.all(this.#players.map((player) => player.finish())));
    await this.#judgeEach(index, (server, { translator }) => contents(server, translator));
    const lastZxids = this.#players.map(({ lastZxid }) => lastZxid);
    const isOurs = new Set(this.#servers.map(({ name }) => name)).size > 1;
    if (isOurs && !this.#difference) await this.play(epilogue, index);
    await Promise.all(this.#servers.map((server) => server.stop()));
    await this.#judgeEach(index, (server, { translator }, i) => logOf(server.dataDir, translator, lastZxids[i]));
  }

  disconnect() {
    for (const player of this.#players) player.disconnect();
  }

  async #judgeEach(index, look) {
    if (this.#difference) return;
    const states = await Promise.all(this.#servers.map((server, i) => look(server, this.#players[i], i)));
    for (const name of Object.keys(states[0])) {
      this.#judge(
        index,
        { kind: "final", name },
        states.map((state) => state[name]),
      );
    }
  }

  #judge(index, step, [left, right]) {
    if (this.#difference) return;
    const difference = this.#comparer.compare(step, left, right);
    if (difference) this.#difference = { index, step, ...difference, answers: [left, right] };
  }
}

/** Nothing while it runs, otherwise its last words. */
const endOf = (server) => (server.hasExited ? server.output.slice(-3000) : "");

/**
 * @param {{steps: import("./player.mjs").Operation[], pair: Awaited<ReturnType<typeof startPair>>, comparer?: Comparer}} options
 * @returns {Promise<{operations: number, difference?: {index: number, step: object, at: string, left: any, right: any,
 *   signature: string, answers: [any, any]}}>} up to the first difference that is not accepted
 */
export async function duel({ steps, pair, comparer = new Comparer() }) {
  const both = new Duel({ servers: pair.servers, comparer });
  try {
    await both.play(steps);
    if (!both.difference) await both.finish(steps.length);
    return { operations: both.operations, difference: both.difference };
  } finally {
    both.disconnect();
  }
}
