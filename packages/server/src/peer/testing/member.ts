/** One server of a test ensemble: its machine with disk, address and log, and the process that comes and goes on it. */
import assert from "node:assert/strict";
import type { Txn } from "@vivarium/protocol";
import { MemoryDisk, type MemoryNetwork, SeededRandom, type VirtualClock } from "@vivarium/runtime";
import type { DataTree } from "@vivarium/tree";
import type { Rules } from "@vivarium/zab";
import { parseConfig } from "../../config/index.ts";
import { type CollectedLogs, collectLogs } from "../../log/index.ts";
import { loadMembership, startServer } from "../../start-server.ts";
import { LifeClock, type Settings } from "../../testing/test-bed.ts";
import { QuorumPeer } from "../quorum-peer.ts";
import { LifeNetwork } from "./life-network.ts";

// Loading takes real time, which a virtual clock does not wait for.
await loadMembership();

export const CLIENT_PORT = 2181;
export const QUORUM_PORT = 2888;
export const ELECTION_PORT = 3888;

export interface MemberOptions {
  readonly id: number;
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  /** Of all members, but for what tells them apart. */
  readonly settings: Settings;
  readonly rules?: Partial<Rules>;
}

interface Life {
  readonly peer: QuorumPeer;
  readonly clock: LifeClock;
  readonly network: LifeNetwork;
}

export function hostOf(id: number): string {
  return `10.0.0.${id}`;
}

export class Member {
  readonly id: number;
  readonly logs: CollectedLogs = collectLogs();
  /** More settings, for this member alone and from its next start on. */
  settings: Settings = {};
  disk: MemoryDisk;
  /** Told of every transaction that this member's tree has applied. */
  onApplied: (txn: Txn) => void = () => {};
  readonly #options: MemberOptions;
  #life: Life | null = null;
  #lives = 0;

  constructor(options: MemberOptions) {
    this.id = options.id;
    this.#options = options;
    this.disk = this.#newDisk();
  }

  #newDisk(): MemoryDisk {
    return new MemoryDisk({ clock: this.#options.clock, random: new SeededRandom(100 + this.id) });
  }

  get host(): string {
    return hostOf(this.id);
  }

  get isUp(): boolean {
    return this.#life !== null;
  }

  get peer(): QuorumPeer {
    if (this.#life === null) throw new Error(`server ${this.id} is not running`);
    return this.#life.peer;
  }

  /** "leader", "follower" or "observer"; null while it serves nobody, or is down. */
  get role(): string | null {
    return this.#life?.peer.role ?? null;
  }

  /** From now on it is so slow that one turn of its event loop cannot apply many transactions. */
  slowDown(): void {
    if (this.#life !== null) this.#life.clock.lookMs = 3;
  }

  get tree(): DataTree {
    return this.peer.database.tree;
  }

  /** What it says of how it came up to date: the kinds of sync since the last look. */
  said(level: "error" | "warn" | "info" | "debug"): string[] {
    return this.logs.records.filter((record) => record.level === level).map(({ message }) => message);
  }

  async start(): Promise<void> {
    assert.ok(this.#life === null, `server ${this.id} is running already`);
    const { clock, network, settings, rules = {} } = this.#options;
    const given: Settings = {
      tickTime: 200,
      initLimit: 10,
      syncLimit: 5,
      dataDir: "/data",
      clientPort: CLIENT_PORT,
      clientPortAddress: this.host,
      preAllocSize: 0,
      "4lw.commands.whitelist": "*",
      ...settings,
      ...this.settings,
    };
    const overrides = Object.entries(given).map(([name, value]) => ({ name, value: String(value) }));
    const { config } = parseConfig({ overrides, myid: { file: "/data/myid", text: `${given["myid"] ?? this.id}` } });
    const life = { clock: new LifeClock(clock), network: new LifeNetwork(network.host(this.host)) };
    const random = new SeededRandom(1000 * this.id + this.#lives++);
    const ports = { ...life, disk: this.disk, random, onApplied: (txn: Txn) => this.onApplied(txn) };
    const peer = await clock.runUntil(startServer({ config, logger: this.logs.logger, ports, rules }));
    assert.ok(peer instanceof QuorumPeer);
    this.#life = { ...life, peer };
  }

  async stop(): Promise<void> {
    await this.#options.clock.runUntil(this.peer.stop());
    this.#life = null;
  }

  /** SIGKILL: nothing is flushed, closed or said. */
  async kill(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    this.#life = null;
    life.clock.isOver = true;
    this.disk.kill();
    await life.network.end();
  }

  /** As `kill`, and what was not synced may be lost. */
  async powerFailure(): Promise<void> {
    await this.kill();
    this.disk.crash();
  }

  /** Loses everything but its id. */
  wipe(): void {
    assert.ok(this.#life === null, "kill it before its disk is wiped");
    this.disk = this.#newDisk();
  }
}
