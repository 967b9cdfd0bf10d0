/**
 * A whole ensemble on virtual time: real QuorumPeers, each on a host, a disk and a clock of its own, in one process.
 * Nothing here waits for real time, and one test's run is like the next.
 */
import assert from "node:assert/strict";
import { MemoryNetwork, VirtualClock } from "@vivarium/runtime";
import type { DataTree } from "@vivarium/tree";
import type { Rules } from "@vivarium/zab";
import { type HelloOptions, RawClient } from "../../testing/raw-client.ts";
import type { Settings } from "../../testing/test-bed.ts";
import { CLIENT_PORT, ELECTION_PORT, hostOf, Member, QUORUM_PORT } from "./member.ts";

const CLIENT_HOST = "10.0.9.9";
/** How far the clock moves between looks. */
const STEP_MS = 10;
/** What a request may take when nothing is wrong. */
const SETTLE_MS = 20;
const PATIENCE_MS = 30_000;

export interface EnsembleOptions {
  /** Participants, ids from 1 on. Default 3. */
  readonly servers?: number;
  /** Observers, ids after the participants'. Default 0. */
  readonly observers?: number;
  readonly settings?: Settings;
  /** Between any two hosts, or as a function of them. Default 0. */
  readonly latencyMs?: number | ((from: string, to: string) => number);
  /** Rules of agreement that are switched off. */
  readonly rules?: Partial<Rules>;
}

export class Ensemble {
  readonly clock = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly members: readonly Member[];

  constructor({ servers = 3, observers = 0, settings = {}, latencyMs = 0, rules = {} }: EnsembleOptions = {}) {
    const { clock } = this;
    this.network = new MemoryNetwork({ clock, latencyMs: typeof latencyMs === "number" ? () => latencyMs : latencyMs });
    const ids = Array.from({ length: servers + observers }, (_, index) => index + 1);
    const lines = ids.map((id) => {
      const role = id > servers ? ":observer" : "";
      return [`server.${id}`, `${hostOf(id)}:${QUORUM_PORT}:${ELECTION_PORT}${role}`] as const;
    });
    const all = { ...Object.fromEntries(lines), ...settings };
    this.members = ids.map((id) => new Member({ id, clock, network: this.network, settings: all, rules }));
  }

  /** All members up and in service. */
  static async start(options?: EnsembleOptions): Promise<Ensemble> {
    const ensemble = new Ensemble(options);
    for (const member of ensemble.members) await member.start();
    await ensemble.serving();
    return ensemble;
  }

  member(id: number): Member {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`there is no server ${id}`);
    return member;
  }

  get up(): Member[] {
    return this.members.filter(({ isUp }) => isUp);
  }

  /** The one member that leads. */
  get leader(): Member {
    const [leader, ...others] = this.members.filter(({ role }) => role === "leader");
    assert.ok(leader !== undefined, "nobody leads");
    assert.equal(others.length, 0, "several members lead");
    return leader;
  }

  /** Those in service that do not lead, by id. */
  get followers(): Member[] {
    return this.members.filter(({ role }) => role === "follower");
  }

  settle = (): Promise<void> => this.clock.run(SETTLE_MS);

  run(ms: number): Promise<void> {
    return this.clock.run(ms);
  }

  async until(what: string, isSo: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    for (let waitedMs = 0; !isSo(); waitedMs += STEP_MS) {
      if (waitedMs >= patienceMs) assert.fail(`${what}: not within ${patienceMs} ms\n${this.#story()}`);
      await this.clock.run(STEP_MS);
    }
  }

  /** Until these members, by default all that are up, serve clients, one of them as leader. */
  async serving(members: readonly Member[] = this.up): Promise<void> {
    const leads = ({ role }: Member): boolean => role === "leader";
    const isServing = (): boolean => members.every(({ role }) => role !== null) && members.some(leads);
    await this.until(`servers ${members.map(({ id }) => id).join(", ")} serve`, isServing);
  }

  #story(): string {
    const lines = this.members.flatMap(({ id, role, logs }) => [
      `server ${id}: ${role}`,
      ...logs.records.slice(-12).map(({ timeMs, level, message, fields }) => {
        return `  ${timeMs} ${level} ${message} ${Object.entries(fields)
          .map(([name, value]) => `${name}=${value}`)
          .join(" ")}`;
      }),
    ]);
    return lines.join("\n");
  }

  // Faults

  async restart(member: Member): Promise<void> {
    await member.kill();
    await member.start();
  }

  /** Nothing passes between this member and the other servers; `clients` too are cut off if asked for. */
  isolate(member: Member, { clients = false } = {}): void {
    for (const other of this.members) {
      if (other === member) continue;
      this.network.cut(member.host, other.host);
      this.network.cut(other.host, member.host);
    }
    if (!clients) return;
    this.network.cut(member.host, CLIENT_HOST);
    this.network.cut(CLIENT_HOST, member.host);
  }

  heal(): void {
    const hosts = [...this.members.map(({ host }) => host), CLIENT_HOST];
    for (const from of hosts) for (const to of hosts) if (this.network.isCut(from, to)) this.network.heal(from, to);
  }

  // Clients

  /** A connection that has said nothing yet. */
  async connect(member: Member): Promise<RawClient> {
    const connection = this.network.host(CLIENT_HOST).connect({ host: member.host, port: CLIENT_PORT });
    const client = new RawClient(connection, this.settle);
    await this.settle();
    return client;
  }

  /** A connection with a session, new or resumed. */
  async client(member: Member, hello: HelloOptions = {}): Promise<RawClient> {
    const client = await this.connect(member);
    await client.hello(hello);
    assert.ok(client.greeting !== undefined, `server ${member.id} refused the client`);
    return client;
  }

  /** The whole answer to a four-letter word. */
  async word(member: Member, word: string): Promise<string> {
    const client = await this.connect(member);
    client.sendBytes(word);
    await this.settle();
    return client.text;
  }

  // What must be true at the end

  /**
   * Until all members that are up stand at the same transaction; then everything they hold is equal, and nobody but the
   * `excused` has logged an error.
   */
  async agree({ excused }: { excused?: Member } = {}): Promise<void> {
    await this.serving();
    await this.until(
      "all stand at one zxid",
      () => new Set(this.up.map(({ tree }) => tree.lastProcessedZxid)).size === 1,
    );
    const [first, ...others] = this.up;
    const expected = contentOf((first as Member).tree);
    for (const { id, tree } of others)
      assert.deepEqual(contentOf(tree), expected, `server ${id} differs from the first`);
    for (const member of this.members)
      if (member !== excused) assert.deepEqual(member.said("error"), [], `errors of server ${member.id}`);
  }

  async end(): Promise<void> {
    for (const member of this.up) await member.kill();
  }
}

function contentOf(tree: DataTree) {
  const ephemerals = [...tree.owned.sessions()].map((owner) => [owner, [...tree.ephemerals(owner)].sort()] as const);
  return {
    digest: tree.digest(),
    znodes: tree.nodes.size,
    sessions: new Map(tree.sessions),
    ephemerals: new Map(ephemerals),
  };
}
