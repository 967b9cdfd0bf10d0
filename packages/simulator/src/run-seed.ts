/**
 * One seed: a world, its servers and clients, chaos, healing, and the verdict.
 *
 *   prepare ─► chaos ─► heal: everybody must come back in time ─► clients leave: nothing of them may stay
 *     ─► power failure of all: what was committed must be there ─► the checkers read the history
 */
import { OpCode } from "@vivarium/protocol";
import type { StartServerOptions } from "@vivarium/server";
import { checkReads } from "./checkers/check-reads.ts";
import { checkExpiry, checkHoldings, checkNothingLeft } from "./checkers/check-sessions.ts";
import { checkSubtrees } from "./checkers/check-subtrees.ts";
import { checkTree } from "./checkers/check-tree.ts";
import { checkValues } from "./checkers/check-values.ts";
import { checkWatches } from "./checkers/check-watches.ts";
import { checkWrites } from "./checkers/check-writes.ts";
import type { Committed } from "./checkers/committed.ts";
import { Leaders } from "./checkers/leaders.ts";
import { Truth } from "./checkers/truth.ts";
import { type Violation, violation } from "./checkers/violation.ts";
import { ServerNode } from "./ensemble/server-node.ts";
import { CLIENT_PORT, clientAddress, longestSessionMs, serverAddress, zooCfg } from "./ensemble/zoo-cfg.ts";
import type { FaultKind } from "./faults/faults.ts";
import { Nemesis } from "./faults/nemesis.ts";
import { describeSwarm, drawSwarm, type SwarmOptions, type WorldChoice } from "./faults/swarm.ts";
import { History } from "./workload/history.ts";
import { SimClient } from "./workload/sim-client.ts";
import type { TraceLine } from "./world/trace.ts";
import { World } from "./world/world.ts";

export interface SeedOptions {
  seed: number;
  /** Default 1. */
  servers?: number;
  /** Default: mixed. */
  worlds?: WorldChoice;
  /** More lines for every server's zoo.cfg. */
  config?: readonly string[];
  /** Rules of agreement to switch off: then something must go wrong in some seed. */
  rules?: StartServerOptions["rules"];
  /** Gets every line of the trace as it happens. */
  print?: (line: string) => void;
}

export interface SeedReport {
  readonly seed: number;
  readonly servers: number;
  readonly observers: number;
  readonly worlds: WorldChoice;
  /** Null: nothing wrong was seen. */
  readonly violation: Violation | null;
  /** Of what a program threw. */
  readonly stack: string;
  /** Equal seeds give equal hashes. */
  readonly hash: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly operations: number;
  readonly acknowledged: number;
  readonly committed: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly trace: readonly TraceLine[];
}

const PREPARE_MS = 60_000;
const SLOWEST_MS = 9000;
/** Servers that have long looked in vain ask each other once a minute. */
const ELECTION_MS = 120_000;
/** After healing everybody must have answers within this time: restarts, back-offs, elections and expiries included. */
const HEAL_MS = 60_000;

export async function runSeed(options: SeedOptions): Promise<SeedReport> {
  const run = new SeedRun(options);
  return run.run();
}

/** Ends a run at its first violation. */
class Broken extends Error {}

class SeedRun {
  readonly #options: Required<Pick<SeedOptions, "seed" | "servers" | "worlds">>;
  readonly #config: readonly string[];
  readonly #rules: StartServerOptions["rules"];
  readonly #world: World;
  readonly #truth: Truth;
  readonly #history = new History();
  readonly #swarm: SwarmOptions;
  readonly #servers: ServerNode[] = [];
  readonly #clients: SimClient[] = [];
  readonly #nemesis: Nemesis;
  #violation: Violation | null = null;
  #stack = "";

  constructor({ seed, servers = 1, worlds = "mixed", config = [], rules, print }: SeedOptions) {
    this.#options = { seed, servers, worlds };
    this.#config = config;
    this.#rules = rules;
    this.#world = new World(seed, print);
    this.#truth = new Truth(
      (found) => this.#report(found),
      (txn, server) => this.#committed(txn, server),
    );
    this.#swarm = drawSwarm(this.#world, { servers, worlds });
    this.#world.loop.onError = (error, owner) => {
      if (error instanceof Broken) throw error;
      this.#threw(error, owner?.name ?? "the world");
    };
    const leaders = new Leaders((found) => this.#report(found));
    for (let id = 1; id <= servers + this.#swarm.observers; id++) this.#servers.push(this.#makeServer(id, leaders));
    for (let number = 1; number <= this.#swarm.clients; number++) this.#clients.push(this.#makeClient(number));
    this.#nemesis = new Nemesis({
      world: this.#world,
      swarm: this.#swarm,
      servers: this.#servers,
      clients: this.#clients,
    });
  }

  #clockRate(): number {
    const { clockDrift } = this.#swarm;
    if (clockDrift === 0) return 1;
    return 1 + (this.#world.dice("clock").int(2001) / 1000 - 1) * clockDrift;
  }

  #makeServer(id: number, leaders: Leaders): ServerNode {
    const crash = this.#world.dice("crash");
    return new ServerNode({
      world: this.#world,
      truth: this.#truth,
      leaders,
      id,
      address: serverAddress(id),
      clockRate: this.#clockRate(),
      configText: [zooCfg(id, this.#swarm), ...this.#config].join("\n"),
      ...(this.#rules === undefined ? {} : { rules: this.#rules }),
      isAlone: this.#options.servers === 1,
      restartMs: () => crash.ms(100 * this.#swarm.pace, 3000 * this.#swarm.pace),
    });
  }

  #makeClient(number: number): SimClient {
    const name = `c${number}`;
    return new SimClient({
      world: this.#world,
      history: this.#history,
      name,
      address: clientAddress(number),
      clockRate: this.#clockRate(),
      connectString: this.#servers.map(({ id }) => `${serverAddress(id)}:${CLIENT_PORT}`).join(","),
      sessionTimeoutMs: this.#swarm.sessionTimeoutMs,
      thinkMs: this.#swarm.thinkMs,
      leaderLagMs: this.#leaderLagMs,
      preparedAtOnce: this.#swarm.preparedAtOnce,
      actions: this.#swarm.actions,
      onError: (error) => this.#threw(error, name),
    });
  }

  /** A follower gives up its leader after this time at the latest. */
  get #leaderLagMs(): number {
    const { syncLimit, tickTimeMs } = this.#swarm;
    return this.#options.servers === 1 ? 0 : (syncLimit + 1) * tickTimeMs + this.#slowestMs;
  }

  /** How long a sync may still take that began before the healing, and whatever waits for it. */
  get #slowestMs(): number {
    return SLOWEST_MS * this.#swarm.pace;
  }

  // --- what is found on the way

  #report(found: Violation): void {
    this.#violation ??= found;
    this.#world.trace.add("-", "check", `${found.rule}: ${found.what}`);
  }

  #threw(error: unknown, who: string): void {
    const what = error instanceof Error ? error.message : String(error);
    this.#report(violation("programs do not throw", `${who}: ${what}`, who));
    if (error instanceof Error && error.stack !== undefined) this.#stack = error.stack;
  }

  #committed(txn: Committed, server: string): void {
    const { zxid, sessionId, type, effects } = txn;
    const done = effects.map(({ kind, path }) => `${kind} ${path}`).join(", ");
    const session = BigInt.asUintN(64, sessionId).toString(16);
    this.#world.trace.add(server, "commit", `0x${zxid.toString(16)} type ${type} of 0x${session} ${done}`.trimEnd());
    if (type !== OpCode.closeSession || txn.cxid !== 0) return;
    const owner = this.#history.sessions.find(({ id }) => id === sessionId);
    if (owner !== undefined) {
      checkExpiry({ txn, session: owner, truth: this.#truth, leaderLagMs: this.#leaderLagMs });
    }
  }

  // --- the run

  async run(): Promise<SeedReport> {
    const { trace } = this.#world;
    trace.add("-", "seed", `${this.#options.seed}`);
    for (const line of describeSwarm(this.#swarm)) trace.add("-", "seed", line);
    try {
      await this.#phases();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
    return this.#summary();
  }

  async #phases(): Promise<void> {
    const { trace } = this.#world;
    this.#nemesis.settle();
    for (const server of this.#servers) server.start();
    this.#clients[0]?.prepare();
    this.#clients[0]?.start();
    await this.#until("the first client prepares the tree", PREPARE_MS, () => this.#clients[0]?.prepared === true);
    for (const client of this.#clients.slice(1)) client.start();
    trace.add("-", "phase", `chaos for ${this.#swarm.chaosMs} ms`);
    this.#nemesis.begin();
    await this.#pass(this.#swarm.chaosMs);
    trace.add("-", "phase", "healing");
    this.#nemesis.end();
    for (const client of this.#clients) client.finish();
    const healMs = this.#options.servers === 1 ? HEAL_MS : ELECTION_MS + HEAL_MS;
    await this.#until("every server serves", healMs, () => this.#servers.every((server) => server.isServing));
    await this.#until("every client has its answers", HEAL_MS, () => this.#clients.every((client) => client.finished));
    await this.#leave();
    await this.#powerFailure();
    this.#judge();
  }

  /** Half of the clients leave with a word, half without one; then no session may be left. */
  async #leave(): Promise<void> {
    const { trace } = this.#world;
    trace.add("-", "phase", "clients leave");
    for (const [at, client] of this.#clients.entries()) {
      if (at % 2 === 0) client.kill();
      else client.close().catch((error) => this.#threw(error, client.name));
    }
    const { tickTimeMs } = this.#swarm;
    await this.#pass(longestSessionMs(this.#swarm) + 3 * tickTimeMs + this.#slowestMs);
    checkNothingLeft(this.#truth);
    this.#stopIfBroken();
    for (const server of this.#servers) checkTree(server.name, server.running.server.tree, this.#truth);
    this.#stopIfBroken();
  }

  async #powerFailure(): Promise<void> {
    this.#world.trace.add("-", "phase", "the power fails everywhere");
    for (const server of this.#servers) server.powerOff();
    for (const server of this.#servers) server.start();
    await this.#until("every server serves again", HEAL_MS, () => this.#servers.every((server) => server.isServing));
    for (const server of this.#servers) checkTree(server.name, server.running.server.tree, this.#truth);
    this.#stopIfBroken();
  }

  #judge(): void {
    const history = this.#history;
    const truth = this.#truth;
    const placement = checkWrites(history, truth);
    const states = checkReads({ history, truth, placement }, { linearizable: this.#options.servers === 1 });
    checkWatches({ history, truth, placement, states });
    checkSubtrees({ history, truth, placement, states });
    checkValues(history, truth);
    checkHoldings(history.holdings, truth);
    this.#stopIfBroken();
  }

  #stopIfBroken(): void {
    if (this.#violation !== null) throw new Broken();
  }

  #pass(ms: number): Promise<void> {
    const endMs = this.#world.loop.nowMs + ms;
    this.#world.loop.schedule(endMs, null, () => {});
    return this.#run(() => this.#world.loop.nowMs >= endMs);
  }

  async #until(what: string, limitMs: number, done: () => boolean): Promise<void> {
    const { loop } = this.#world;
    const endMs = loop.nowMs + limitMs;
    loop.schedule(endMs, null, () => {});
    await this.#run(() => done() || loop.nowMs >= endMs);
    if (!done()) this.#report(violation("a whole world works", `${what}: not within ${limitMs} ms`));
    this.#stopIfBroken();
  }

  async #run(done: () => boolean): Promise<void> {
    await this.#world.loop.run(() => this.#violation !== null || done());
    this.#stopIfBroken();
  }

  #summary(): SeedReport {
    const { loop, trace } = this.#world;
    const { operations } = this.#history;
    return {
      ...this.#options,
      observers: this.#swarm.observers,
      violation: this.#violation,
      stack: this.#stack,
      hash: trace.hash,
      simulatedMs: loop.elapsedMs,
      events: loop.count,
      operations: operations.length,
      acknowledged: operations.filter(({ outcome }) => outcome === "ok").length,
      committed: this.#truth.history.length,
      faults: this.#nemesis.counts,
      trace: trace.lines,
    };
  }
}
