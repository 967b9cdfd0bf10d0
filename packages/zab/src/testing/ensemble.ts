/**
 * An ensemble under a scheduler that picks, from a seed, what happens next: a message arrives, a disk finishes something,
 * a client writes, a server crashes. First chaos, in which nothing wrong may be seen; then everything is repaired, and
 * all servers must come to serve one history.
 */
import { strict as assert } from "node:assert";
import { type Notification, type QuorumPacket, Role } from "@vivarium/protocol";
import type { Link } from "../leader-io.ts";
import { majority, Quorums } from "../quorum-verifier.ts";
import { allRules, type Rules } from "../rules.ts";
import { Checker } from "./checker.ts";
import { Seeded } from "./seeded.ts";
import { type Message, TestServer, type World } from "./server.ts";

export interface EnsembleOptions {
  readonly seed: number;
  readonly voters?: number;
  readonly observers?: number;
  /** How many things happen in the chaos. */
  readonly steps?: number;
  readonly rules?: Partial<Rules>;
  readonly trace?: (line: string) => void;
}

interface Connection {
  readonly link: Link;
  readonly leader: number;
  readonly learner: number;
  readonly up: QuorumPacket[];
  readonly down: Message[];
}

const STEPS = 1500;
const REPAIR_STEPS = 20_000;

export class Ensemble implements World {
  nowMs = 0;
  readonly checker = new Checker();
  readonly servers = new Map<number, TestServer>();
  readonly #random: Seeded;
  readonly #options: EnsembleOptions;
  readonly #connections = new Map<Link, Connection>();
  /** Closed ends that their other side has not noticed. */
  #closing: (() => void)[] = [];
  readonly #notes = new Map<string, Notification[]>();
  #nextLink = 1;
  #writes = 0;
  #chaos = true;

  constructor(options: EnsembleOptions) {
    this.#options = options;
    this.#random = new Seeded(options.seed);
    const voters = Array.from({ length: options.voters ?? 3 }, (_, index) => index + 1);
    const observers = Array.from({ length: options.observers ?? 0 }, (_, index) => voters.length + index + 1);
    const quorums = new Quorums(majority(voters));
    const rules = { ...allRules, ...options.rules };
    const commitLogCount = this.#random.pick([1, 2, 4, 500]);
    for (const id of [...voters, ...observers]) {
      const role = voters.includes(id) ? Role.participant : Role.observer;
      this.servers.set(id, new TestServer({ id, role, quorums, rules, world: this, commitLogCount }));
    }
  }

  #server(id: number): TestServer {
    return this.servers.get(id) as TestServer;
  }

  trace(id: number, text: string): void {
    this.#options.trace?.(`${this.nowMs} ${id}: ${text}`);
  }

  notify(from: number, { to, notification }: { to: number; notification: Notification }): void {
    if (this.#chaos && this.#random.chance(0.1)) return;
    const key = `${from}>${to}`;
    const waiting = this.#notes.get(key) ?? [];
    this.#notes.set(key, [...waiting.slice(-1), notification]);
  }

  connect(from: number, to: number): boolean {
    const leader = this.#server(to);
    if (!leader.isUp || leader.leader === null) return false;
    const link = this.#nextLink++;
    this.#connections.set(link, { link, leader: to, learner: from, up: [], down: [] });
    leader.leaderStep({ type: "connected", link });
    return true;
  }

  toLearner(_leader: number, link: Link, message: Message): void {
    this.#connections.get(link)?.down.push(message);
  }

  toLeader(learner: number, packet: QuorumPacket): void {
    for (const connection of this.#connections.values()) {
      if (connection.learner === learner) connection.up.push(packet);
    }
  }

  /** Both ends hear of it in their own time; what was under way is lost. */
  closeLink(link: Link): void {
    const connection = this.#connections.get(link);
    if (connection === undefined) return;
    this.#connections.delete(link);
    const leader = this.#server(connection.leader).leader;
    const learner = this.#server(connection.learner).learner;
    this.#closing.push(() => {
      const server = this.#server(connection.leader);
      if (server.leader === leader) server.leaderStep({ type: "disconnected", link });
    });
    this.#closing.push(() => {
      const server = this.#server(connection.learner);
      if (server.learner === learner) server.learnerStep({ type: "disconnected" });
    });
  }

  hangUp(id: number): void {
    for (const { link, leader, learner } of [...this.#connections.values()]) {
      if (leader === id || learner === id) this.closeLink(link);
    }
  }

  run(): void {
    for (const server of this.servers.values()) server.start();
    const steps = this.#options.steps ?? STEPS;
    for (let step = 0; step < steps; step++) this.#happen();
    this.#chaos = false;
    for (const server of this.servers.values()) if (!server.isUp) server.start();
    for (let step = 0; step < REPAIR_STEPS; step++) {
      if (step % 50 === 0 && this.#converged()) return;
      this.#happen();
    }
    const states = [...this.servers.values()].map(({ id, state, tree }) => `${id} ${state} ${tree.length}`);
    assert.fail(`no agreement after repair: ${states.join(", ")}; ${this.checker.committed.length} committed`);
  }

  #converged(): boolean {
    const servers = [...this.servers.values()];
    const { length } = this.checker.committed;
    return (
      servers.filter(({ state }) => state === "leading").length === 1 &&
      servers.every(({ state, tree }) => (state === "leading" || state === "serving") && tree.length === length)
    );
  }

  #happen(): void {
    const random = this.#random;
    if (this.#chaos && random.chance(0.02)) this.#fault();
    else if (random.chance(0.15) && this.#chaos) this.#write();
    else if (random.chance(0.02)) random.pick([...this.servers.values()]).snapshot();
    const choices = this.#choices();
    if (choices.length > 0 && !random.chance(this.#chaos ? 0.03 : 0.003)) random.pick(choices)();
    else this.#passTime();
  }

  #write(): void {
    for (const server of this.servers.values()) if (server.isUp) server.propose(`write ${this.#writes++}`);
  }

  #fault(): void {
    const random = this.#random;
    const server = random.pick([...this.servers.values()]);
    if (!server.isUp) {
      this.trace(server.id, "starts");
      server.start();
    } else if (random.chance(0.5)) {
      this.trace(server.id, "crashes");
      server.crash();
    } else if (this.#connections.size > 0) {
      this.closeLink(random.pick([...this.#connections.keys()]));
    }
  }

  /** Everything that can happen now without time passing. */
  #choices(): (() => void)[] {
    const choices: (() => void)[] = [];
    for (const { link, leader, learner, up, down } of this.#connections.values()) {
      if (up.length > 0) {
        choices.push(() =>
          this.#server(leader).leaderStep({ type: "packet", link, packet: up.shift() as QuorumPacket }),
        );
      }
      if (down.length > 0) choices.push(() => this.#server(learner).receive(down.shift() as Message));
    }
    for (const server of this.servers.values()) {
      if (!server.isUp) continue;
      const { diskWork } = server;
      if (diskWork.length > 0) choices.push(() => diskWork.splice(this.#random.below(diskWork.length), 1)[0]?.());
      if (server.applyLag > 0) choices.push(() => server.apply());
    }
    for (const [key, notes] of this.#notes) if (notes.length > 0) choices.push(() => this.#deliverNote(key, notes));
    if (this.#closing.length > 0) choices.push(() => this.#closing.shift()?.());
    return choices;
  }

  #deliverNote(key: string, notes: Notification[]): void {
    const [from, to] = key.split(">").map(Number) as [number, number];
    const notification = notes.shift() as Notification;
    if (this.#server(to).isUp) this.#server(to).hear(from, notification);
  }

  #passTime(): void {
    const due = [...this.servers.values()].reduce((a, b) => (b.deadlineMs < a.deadlineMs ? b : a));
    if (due.deadlineMs === Number.POSITIVE_INFINITY) return;
    this.nowMs = Math.max(this.nowMs, due.deadlineMs);
    due.tick();
  }
}
