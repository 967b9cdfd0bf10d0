/** The servers of a play, their lives and deaths, and the time that passes; what the checkers find ends the play. */
import assert from "node:assert/strict";
import { Leaders } from "../checkers/leaders.ts";
import { Truth } from "../checkers/truth.ts";
import { type Violation, violation } from "../checkers/violation.ts";
import { ServerNode } from "../ensemble/server-node.ts";
import { CLIENT_PORT, serverAddress } from "../ensemble/zoo-cfg.ts";
import type { World } from "../world/world.ts";
import { ForgetfulWorld } from "./forgetful-world.ts";
import type { Rules } from "./scenario.ts";

export interface StageOptions {
  readonly rules: Rules;
  /** Those that vote. Default 3. */
  readonly servers?: number;
  /** Default 0. */
  readonly observers?: number;
  /** More lines for the zoo.cfg of a server. */
  readonly config?: (id: number) => readonly string[];
  /** How a server's address is written in the zoo.cfg of another, or in its own. */
  readonly hostOf?: (id: number, inConfigOf: number) => string;
}

/** Longer than servers that look for each other in vain may stay silent. */
const PATIENCE_MS = 130_000;
/** How long somebody needs to start a server again that has ended by itself. */
const RESTART_MS = 1000;
export class StageCore {
  readonly world: World;
  readonly servers: readonly ServerNode[];
  readonly truth: Truth;
  #violation: Violation | null = null;

  /** All servers are down. */
  constructor({ rules, servers = 3, observers = 0, config = () => [], hostOf = serverAddress }: StageOptions) {
    this.world = new ForgetfulWorld(1, debugPrint);
    this.world.loop.onError = (error) => this.report(violation("programs do not throw", textOf(error)));
    this.truth = new Truth((found) => this.report(found));
    const leaders = new Leaders((found) => this.report(found));
    const ids = Array.from({ length: servers + observers }, (_, index) => index + 1);
    const isObserver = (id: number): boolean => id > servers;
    this.servers = ids.map(
      (id) =>
        new ServerNode({
          world: this.world,
          truth: this.truth,
          leaders,
          id,
          address: serverAddress(id),
          clockRate: 1,
          configText: [
            ...settingsOf(id),
            ...membership(ids, isObserver, (other) => hostOf(other, id)),
            ...config(id),
          ].join("\n"),
          rules,
          isAlone: servers === 1,
          restartMs: () => RESTART_MS,
        }),
    );
  }

  protected report(found: Violation): void {
    this.#violation ??= found;
    this.world.trace.add("-", "check", `${found.rule}: ${found.what}`);
  }

  // --- who

  /** The first three, the leader last: of equal servers the one with the highest id wins. */
  get three(): [ServerNode, ServerNode, ServerNode] {
    return this.servers.slice(0, 3) as [ServerNode, ServerNode, ServerNode];
  }

  /** The one that leads now. */
  get leader(): ServerNode {
    const leader = this.servers.find(({ role }) => role === "leader");
    assert.ok(leader !== undefined, "nobody leads");
    return leader;
  }

  get followers(): ServerNode[] {
    return this.servers.filter(({ role }) => role === "follower");
  }

  // --- time

  async pass(ms: number): Promise<void> {
    const { loop } = this.world;
    const endMs = loop.nowMs + ms;
    loop.schedule(endMs, null, () => {});
    await this.#run(() => loop.nowMs >= endMs);
  }

  async until(what: string, isSo: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const { loop } = this.world;
    const endMs = loop.nowMs + patienceMs;
    loop.schedule(endMs, null, () => {});
    await this.#run(() => isSo() || loop.nowMs >= endMs);
    assert.ok(isSo(), `${what}: not within ${patienceMs} ms`);
  }

  async #run(done: () => boolean): Promise<void> {
    await this.world.loop.run(() => this.#violation !== null || done());
    this.complain();
  }

  protected complain(): void {
    const found = this.#violation;
    if (found !== null) throw new Error(`${found.rule}: ${found.what}`);
  }

  /** The answer, when it is there. */
  async answer<T>(promise: Promise<T>): Promise<T> {
    let isThere = false;
    const there = (): void => {
      isThere = true;
    };
    promise.then(there, there);
    await this.until("an answer", () => isThere);
    return promise;
  }

  /** These serve clients, one of all servers as leader. Default: all that are not down. */
  serving(...servers: readonly ServerNode[]): Promise<void> {
    const wanted = servers.length > 0 ? servers : this.servers.filter(({ isDown }) => !isDown);
    const names = wanted.map(({ name }) => name).join(" and ");
    const leads = (): boolean => this.servers.some(({ role }) => role === "leader");
    return this.until(`${names} serve`, () => leads() && wanted.every(({ isServing }) => isServing));
  }

  // --- lives and deaths

  start(...servers: readonly ServerNode[]): void {
    for (const server of servers) server.start();
  }

  /** The processes die; their machines go on. */
  kill(...servers: readonly ServerNode[]): void {
    for (const server of servers) this.#lose(server, () => server.kill());
  }

  /** All that they have not synced is gone. */
  powerOff(...servers: readonly ServerNode[]): void {
    for (const server of servers) this.#lose(server, () => server.powerOff());
  }

  #lose(server: ServerNode, how: () => void): void {
    this.world.trace.add(server.name, "fault", "goes down");
    server.machine.disk.crashPoint = null;
    how();
  }

  /** How often a server has said this. */
  said(server: ServerNode, text: string): number {
    return this.world.trace.lines.filter(({ who, what }) => who === server.name && what.includes(text)).length;
  }
}

export function settingsOf(id: number): string[] {
  return [
    "dataDir=/data",
    `clientPort=${CLIENT_PORT}`,
    `clientPortAddress=${serverAddress(id)}`,
    "tickTime=200",
    "initLimit=10",
    "syncLimit=5",
    "maxSessionTimeout=600000",
    "snapCount=100000",
    "preAllocSize=0",
    "maxClientCnxns=0",
  ];
}

export function membership(
  ids: readonly number[],
  isObserver: (id: number) => boolean,
  hostOf: (id: number) => string = serverAddress,
): string[] {
  return ids.map((id) => `server.${id}=${hostOf(id)}:2888:3888${isObserver(id) ? ":observer" : ""}`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** STAGE_TRACE=1 shows every line of what happens. */
const debugPrint = process.env["STAGE_TRACE"] === "1" ? (line: string): void => console.log(line) : undefined;
