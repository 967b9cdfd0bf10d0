/**
 * A client machine and the program on it: one session after the other, each doing what the dice say until the run ends.
 *
 *   open a session ─► actions, one after the other ─► (abandoned, expired) ─► open the next
 *                                └─ finish ─► looks around once more ─► finished
 */
import { type SessionEvent, ZooKeeper } from "@vivarium/client";
import type { Dice } from "../world/dice.ts";
import { Machine } from "../world/machine.ts";
import type { World } from "../world/world.ts";
import { ACTIONS, type Action, type Actor, lookAround, prepare } from "./actions.ts";
import { Caller } from "./caller.ts";
import type { History, SessionRecord } from "./history.ts";

export interface SimClientOptions {
  world: World;
  history: History;
  name: string;
  address: string;
  clockRate: number;
  /** "10.0.0.1:2181,…" */
  connectString: string;
  sessionTimeoutMs: number;
  /** Mean pause between two actions. */
  thinkMs: number;
  leaderLagMs: number;
  /** Nodes that are made at once when the tree is prepared. */
  preparedAtOnce: number;
  /** Names of ACTIONS that this run has. */
  actions: readonly string[];
  /** The program failed in a way that no program should. */
  onError: (error: unknown) => void;
}

const REQUEST_TIMEOUT_MS = 15_000;
const OPEN_AGAIN_MS = 200;

export class SimClient {
  readonly machine: Machine;
  readonly #options: SimClientOptions;
  readonly #dice: Dice;
  /** As often as it is done. */
  readonly #actions: readonly Action[];
  #caller: Caller | null = null;
  #sessions = 0;
  #phase: "prepare" | "work" | "finish" = "work";
  /** It has looked around after `finish` was asked for. */
  finished = false;
  prepared = false;

  constructor(options: SimClientOptions) {
    const { world, name, address, clockRate } = options;
    this.#options = options;
    this.machine = new Machine(world, { name, address, clockRate });
    this.#dice = world.dice("workload");
    this.#actions = options.actions.flatMap((name) => {
      const { action, weight } = ACTIONS[name] as { action: Action; weight: number };
      return new Array<Action>(weight).fill(action);
    });
  }

  get name(): string {
    return this.machine.name;
  }

  get session(): SessionRecord | null {
    return this.#caller?.session ?? null;
  }

  start(): void {
    this.machine.boot();
    this.#options.world.trace.add(this.name, "session", "the client starts");
    this.#drive().catch(this.#options.onError);
  }

  /** The process dies without a word; its session goes on until it expires. */
  kill(): void {
    if (this.#caller !== null) this.#caller.session.alive = false;
    this.#caller = null;
    this.machine.kill();
  }

  prepare(): void {
    this.#phase = "prepare";
  }

  work(): void {
    this.#phase = "work";
  }

  finish(): void {
    this.#phase = "finish";
  }

  /** Ends the session as a good client does. */
  close(): Promise<void> {
    const caller = this.#caller;
    if (caller === null) return Promise.resolve();
    caller.session.closing = true;
    return caller.zk.close();
  }

  async #drive(): Promise<void> {
    while (!this.finished) {
      await this.#liveOneSession();
      await this.#sleep(OPEN_AGAIN_MS);
    }
  }

  async #liveOneSession(): Promise<void> {
    const caller = this.#open();
    try {
      await caller.zk.connected();
    } catch {
      caller.session.alive = false;
      return;
    }
    const actor = this.#actorOf(caller);
    while (this.#isOpen(caller) && !this.finished) {
      if (this.#phase === "finish") this.finished = await lookAround(actor);
      else if (this.#phase === "prepare") await this.#prepare(actor);
      else await this.#dice.pick(this.#actions)(actor);
      await this.#sleep(this.#dice.waitMs(this.#options.thinkMs));
    }
    if (!this.finished) caller.session.alive = false;
  }

  #isOpen({ zk, session }: Caller): boolean {
    return !session.closing && zk.state !== "expired" && zk.state !== "closed";
  }

  async #prepare(actor: Actor): Promise<void> {
    this.prepared ||= await prepare(actor, this.#options.preparedAtOnce);
    if (this.prepared && this.#phase === "prepare") this.#phase = "work";
  }

  #open(): Caller {
    const { world, history, connectString, sessionTimeoutMs } = this.#options;
    const name = `${this.name}.${++this.#sessions}`;
    const zk = new ZooKeeper(connectString, {
      sessionTimeoutMs,
      connectTimeoutMs: sessionTimeoutMs * 2,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      backoff: { maxMs: 2000 },
      clock: this.machine.clock,
      network: this.machine.network,
      random: world.stream("programs").fork(name),
      onSessionEvent: (event) => this.#heard(session, zk, event),
    });
    const session: SessionRecord = {
      name,
      id: 0n,
      connections: 0,
      operations: [],
      subtreeWatches: [],
      closing: false,
      alive: true,
      remainingMs: () => zk.sessionRemainingMs,
    };
    history.sessions.push(session);
    this.#caller = new Caller({ world, history, session, zk });
    return this.#caller;
  }

  #heard(session: SessionRecord, zk: ZooKeeper, event: SessionEvent): void {
    if (event.type === "connected") {
      session.id = event.sessionId;
      session.connections++;
    }
    if (event.type === "expired" || event.type === "closed") session.alive = false;
    const { trace } = this.#options.world;
    const id = zk.session.id === 0n ? "" : ` 0x${zk.session.id.toString(16)}`;
    const why = "error" in event ? `: ${event.error.message}` : "";
    trace.add(session.name, "session", `${event.type}${id}${why}`);
  }

  #actorOf(caller: Caller): Actor {
    const { world, history } = this.#options;
    return {
      caller,
      dice: this.#dice,
      nowMs: () => world.loop.nowMs,
      sleep: (ms) => this.#sleep(ms),
      watchOrSleep: (ms) =>
        new Promise((resolve) => {
          caller.onWatch = resolve;
          this.machine.clock.setTimer(ms, resolve);
        }),
      abandonSession: async () => {
        caller.session.closing = true;
        await caller.zk.close();
      },
      held: (holding) => history.holdings.push(holding),
      leaderLagMs: this.#options.leaderLagMs,
    };
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.machine.clock.setTimer(ms, resolve));
  }
}
