/**
 * A server machine, and whoever starts its server again when it has ended: the real server of @vivarium/server on
 * simulated ports.
 *
 *   down ─start─► starting ─► up ─(fatal disk error: ends by itself; stop; kill; power failure)─► down
 *
 * What it logs goes into the trace; an error line that no injected fault explains is a violation.
 */
import { makeZxid } from "@vivarium/protocol";
import {
  createLogger,
  type LogRecord,
  loadMembership,
  parseConfig,
  type RunningServer,
  type StartServerOptions,
  startServer,
} from "@vivarium/server";
import type { Leaders } from "../checkers/leaders.ts";
import { ServerView } from "../checkers/server-view.ts";
import type { Truth } from "../checkers/truth.ts";
import { violation } from "../checkers/violation.ts";
import type { Process } from "../world/event-loop.ts";
import { Machine } from "../world/machine.ts";
import type { World } from "../world/world.ts";

// Loading takes real time, which a virtual clock does not wait for.
await loadMembership();

export interface ServerNodeOptions {
  world: World;
  truth: Truth;
  leaders: Leaders;
  id: number;
  address: string;
  clockRate: number;
  /** Lines of zoo.cfg. */
  configText: string;
  /** Rules of agreement that are switched off. */
  rules?: StartServerOptions["rules"];
  /** True when nothing can be committed without this server. */
  isAlone: boolean;
  /** How long after an end by itself somebody starts it again. */
  restartMs: () => number;
}

export class ServerNode {
  readonly machine: Machine;
  readonly id: number;
  readonly #options: ServerNodeOptions;
  #config;
  #view: ServerView;
  #running: RunningServer | null = null;
  #state: "down" | "starting" | "up" = "down";
  /** An injected disk fault explains what goes wrong in this life. */
  #hasExcuse = false;
  #serving = false;
  #role: string | null = null;
  starts = 0;

  constructor(options: ServerNodeOptions) {
    const { world, id, address, clockRate, configText } = options;
    this.#options = options;
    this.id = id;
    this.machine = new Machine(world, { name: `s${id}`, address, clockRate });
    this.#config = configOf(id, configText);
    this.#view = this.#newView();
  }

  /** The zoo.cfg of its next lives. */
  set configText(text: string) {
    this.#config = configOf(this.id, text);
  }

  get name(): string {
    return this.machine.name;
  }

  get isUp(): boolean {
    return this.#state === "up";
  }

  /** Clients can work with it. */
  get isServing(): boolean {
    return this.#serving;
  }

  /** "leader", "follower" or "observer"; null while clients cannot work with it. */
  get role(): string | null {
    return this.#serving ? this.#role : null;
  }

  get isDown(): boolean {
    return this.#state === "down";
  }

  /** @throws Error while it is not up */
  get running(): RunningServer {
    if (this.#running === null) throw new Error(`${this.name} is not up`);
    return this.#running;
  }

  /** A disk fault was injected: from now on this life may end in any way but a lie. */
  excuse(): void {
    this.#hasExcuse = true;
  }

  #newView(): ServerView {
    const { world, truth } = this.#options;
    return new ServerView({ name: this.machine.name, truth, nowMs: () => world.loop.elapsedMs });
  }

  start(): void {
    if (this.#state !== "down") return;
    const { world, rules } = this.#options;
    const life = this.machine.boot();
    this.#view = this.#newView();
    this.#state = "starting";
    this.#hasExcuse = this.machine.disk.capacityBytes !== Number.POSITIVE_INFINITY;
    this.starts++;
    world.trace.add(this.name, "server", `starts, life ${this.starts}`);
    const view = this.#view;
    startServer({
      config: this.#config,
      ...(rules === undefined ? {} : { rules }),
      logger: createLogger({ now: () => this.machine.clock.wallMs(), write: (record) => this.#logged(record, life) }),
      ports: {
        clock: this.machine.clock,
        network: this.machine.network,
        disk: this.machine.disk,
        random: world.stream("programs").fork(life.name),
        onApplied: (txn, tree) => view.applied(txn, tree),
      },
    }).then(
      (running) => this.#started(running, life),
      (error: unknown) => this.#notStarted(error, life),
    );
  }

  #started(running: RunningServer, life: Process): void {
    this.#running = running;
    this.#state = "up";
    running.stopped.then(
      () => this.#ended("stopped", life),
      (error: Error) => this.#ended(error.message, life),
    );
  }

  #notStarted(error: unknown, life: Process): void {
    const message = error instanceof Error ? error.message : String(error);
    if (!this.#hasExcuse) {
      this.#options.truth.report(
        violation("a server starts from its own files", `${this.name}: ${message}`, this.name),
      );
    }
    this.#ended(message, life);
  }

  /** The process ends. Whoever wanted that starts it again; otherwise a supervisor does. */
  #ended(why: string, life: Process): void {
    if (this.machine.process !== life || !life.alive) return;
    const { world, restartMs } = this.#options;
    world.trace.add(this.name, "server", `ends: ${why}`);
    this.#down();
    this.machine.kill();
    world.loop.after(restartMs(), null, () => this.start());
  }

  #down(): void {
    this.#state = "down";
    this.#serving = false;
    this.#running = null;
  }

  #logged({ level, message, fields }: LogRecord, life: Process): void {
    const { world, truth } = this.#options;
    const text = `${level} ${message}${fieldsText(fields)}`;
    world.trace.add(this.name, "log", text);
    if (level === "error" && !this.#hasExcuse) {
      truth.report(violation("a server that nothing ails logs no error", `${this.name}: ${text}`, this.name));
    }
    if (message === "serving clients") world.loop.after(0, null, () => this.#serves(fields, life));
    if (message === "looking for a leader again") {
      this.#serving = false;
      this.#view.pauses();
    }
  }

  #serves(fields: LogRecord["fields"], life: Process): void {
    // What it said may be over by now.
    if (this.machine.process !== life || !life.alive || !this.#isInService) return;
    const { leaders, isAlone } = this.#options;
    const { role, epoch = 0 } = fields as { role?: string; epoch?: number };
    if (role === "leader") leaders.established(this.name, epoch);
    // Of later epochs a leader need not have heard: the followers' last words may reach it when they have left it.
    const knowsUpTo = isAlone ? Number.POSITIVE_INFINITY : role === "leader" ? makeZxid(epoch + 1, 0) : 0;
    this.#serving = true;
    this.#role = role ?? null;
    this.#view.serves(this.running.server.tree, { knowsUpTo });
  }

  get #isInService(): boolean {
    try {
      return this.#running !== null && this.#running.server !== null;
    } catch {
      return false;
    }
  }

  // --- its ends

  /** Asks the server to stop, as an operator does. */
  stop(): void {
    if (this.isUp) this.running.stop().catch(() => {});
  }

  kill(): void {
    this.#down();
    this.machine.kill();
  }

  powerOff(): void {
    this.#down();
    this.machine.powerOff();
  }
}

function configOf(id: number, text: string): StartServerOptions["config"] {
  return parseConfig({ text, myid: { file: "/data/myid", text: String(id) } }).config;
}

function fieldsText(fields: LogRecord["fields"]): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${value instanceof Error ? value.message : String(value)}`)
    .join("");
}
