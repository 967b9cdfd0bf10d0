/**
 * The crash trial of an ensemble: three real servers under writers who remember what was acknowledged; in every round
 * one of them gets SIGKILL, the leader in half of them, and comes back on the same directory. Each writer goes on at
 * another server and finds there what its operations explain, with everything acknowledged in it. In the end all three
 * servers show one and the same tree.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpCode, PathRequest } from "@vivarium/protocol";
import { SeededRandom } from "@vivarium/runtime";
import { observe } from "../crash/observation.ts";
import { BrokenPromise } from "../crash/reconcile.ts";
import { Writer } from "../crash/writer.ts";
import { ConnectionLost, RawClient } from "../raw-client.ts";
import { EnsembleProcesses, type Member } from "./ensemble-processes.ts";
import { Pulse } from "./pulse.ts";

export interface EnsembleCrashOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Longest time under load before a kill. */
  readonly secondsPerRound: number;
  /** Called after each round. */
  readonly onRound?: (report: EnsembleCrashReport) => void;
}

export interface EnsembleCrashReport {
  rounds: number;
  acknowledged: number;
  /** Operations without an answer when a connection was lost, and how many of these were carried out. */
  inDoubt: number;
  carriedOut: number;
  /** Znodes that all members show alike in the end. */
  znodes: number;
  /** From the last write acknowledged before a kill to the first one after it, in milliseconds. */
  readonly gapsMs: Record<Role, number[]>;
  /** From the start of a killed member to its first session, in milliseconds. */
  readonly rejoinMs: number[];
}

type Role = "leader" | "follower";

const WRITERS = 3;
const RETRY_MS = 5;
/** Longest time that nobody may be able to write. */
const GAP_DEADLINE_MS = 20_000;
const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** @throws BrokenPromise with the seed, the round and the directories, which then stay */
export async function ensembleCrashTrial(options: EnsembleCrashOptions): Promise<EnsembleCrashReport> {
  const home = mkdtempSync(join(tmpdir(), "vivarium-ensemble-crash-"));
  const trial = new EnsembleTrial(options, await EnsembleProcesses.create(home));
  try {
    await trial.run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const where = `seed ${options.seed}, round ${trial.report.rounds + 1}, data in ${home}`;
    throw new BrokenPromise(`${error.message}\n${where}\nlast words\n${trial.lastWords}`, { cause: error });
  } finally {
    await trial.end();
  }
  rmSync(home, { recursive: true, force: true });
  return trial.report;
}

class EnsembleTrial {
  readonly #options: EnsembleCrashOptions;
  readonly #ensemble: EnsembleProcesses;
  readonly #random: SeededRandom;
  readonly #writers: Writer[] = [];
  readonly #pulse: Pulse;
  #isOver = false;
  readonly report: EnsembleCrashReport = {
    rounds: 0,
    acknowledged: 0,
    inDoubt: 0,
    carriedOut: 0,
    znodes: 0,
    gapsMs: { leader: [], follower: [] },
    rejoinMs: [],
  };

  constructor(options: EnsembleCrashOptions, ensemble: EnsembleProcesses) {
    this.#options = options;
    this.#ensemble = ensemble;
    this.#random = new SeededRandom(options.seed);
    this.#pulse = new Pulse(() => ensemble.running.map(({ port }) => port));
  }

  get lastWords(): string {
    return this.#ensemble.lastWords;
  }

  async run(): Promise<void> {
    for (const member of this.#ensemble.members) this.#ensemble.start(member, this.#settings());
    await Promise.all(this.#ensemble.members.map(({ process }) => process?.serving()));
    await this.#createWriters();
    const load = [this.#pulse.run(), ...this.#writers.map((writer, index) => this.#keepWriting(writer, index))];
    // What breaks a promise ends the trial at once, whichever round it is in.
    await Promise.all([this.#rounds(), ...load]);
    await this.#compareMembers();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#pulse.stop();
    for (const writer of this.#writers) writer.disconnect();
    await Promise.all(this.#ensemble.members.map((member) => this.#ensemble.kill(member)));
  }

  async #rounds(): Promise<void> {
    while (this.report.rounds < this.#options.rounds) {
      await this.#round();
      this.report.rounds++;
      this.#count();
      this.#options.onRound?.(this.report);
    }
    for (const writer of this.#writers) writer.rest();
    const deadline = performance.now() + GAP_DEADLINE_MS;
    while (!this.#writers.every((writer) => writer.isIdle)) {
      if (performance.now() > deadline) throw new BrokenPromise("requests were never answered");
      await delay(RETRY_MS);
    }
    this.#isOver = true;
    this.#pulse.stop();
    for (const writer of this.#writers) writer.disconnect();
  }

  async #round(): Promise<void> {
    await delay(this.#random.int(this.#options.secondsPerRound * 1000));
    const leader = await this.#ensemble.leader();
    const others = this.#ensemble.running.filter((member) => member !== leader);
    const role: Role = this.#random.int(2) === 0 ? "leader" : "follower";
    const victim = role === "leader" ? leader : (others[this.#random.int(others.length)] as Member);
    await this.#ensemble.kill(victim);
    const beforeMs = this.#pulse.lastMs;
    const late = delay(GAP_DEADLINE_MS).then(() => {
      throw new BrokenPromise(`no write for ${GAP_DEADLINE_MS} ms after the ${role} was killed`);
    });
    this.report.gapsMs[role].push((await Promise.race([this.#pulse.next(), late])) - beforeMs);
    await delay(this.#random.int(200));
    this.#ensemble.start(victim, this.#settings());
    this.report.rejoinMs.push((await victim.process?.serving()) ?? 0);
    for (const { process, id } of this.#ensemble.members) {
      if (process?.ended === true) throw new BrokenPromise(`server ${id} has ended by itself`);
      const complaint = / ERROR .*/.exec(process?.output ?? "");
      if (complaint !== null) throw new BrokenPromise(`server ${id} says: ${complaint[0]}`);
    }
  }

  /** Small numbers, so that logs roll and snapshots happen all the time, and not everything is sent from memory. */
  #settings(): Record<string, string | number> {
    const pick = <T>(...values: T[]) => values[this.#random.int(values.length)] as T;
    return { snapCount: pick(60, 200, 1000, 100_000), preAllocSize: pick(64, 1024) };
  }

  async #createWriters(): Promise<void> {
    const client = await RawClient.connect({ port: this.#ensemble.members[0]?.port ?? 0 });
    for (let i = 0; i < WRITERS; i++) {
      this.#writers.push(await Writer.create(client, `/w${i}`, this.#random.fork(`writer ${i}`)));
    }
    client.destroy();
  }

  /** Writes at one server after the other, and looks at each what has become of what was asked for before. */
  async #keepWriting(writer: Writer, index: number): Promise<void> {
    for (let turn = index; !this.#isOver; turn++) {
      const { running } = this.#ensemble;
      const port = running[turn % running.length]?.port ?? 0;
      try {
        await writer.recover(port);
        await writer.write(port);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      }
      await delay(RETRY_MS);
    }
  }

  #count(): void {
    const sum = (value: (writer: Writer) => number) =>
      this.#writers.reduce((total, writer) => total + value(writer), 0);
    this.report.acknowledged = sum((writer) => writer.acknowledged);
    this.report.inDoubt = sum((writer) => writer.doubts.total);
    this.report.carriedOut = sum((writer) => writer.doubts.carriedOut);
  }

  async #compareMembers(): Promise<void> {
    const trees = await Promise.all(this.#ensemble.members.map((member) => this.#treeOf(member)));
    const [first, ...others] = trees;
    for (const [index, other] of others.entries()) {
      try {
        assert.deepEqual(other, first);
      } catch (error) {
        throw new BrokenPromise(`servers 1 and ${index + 2} differ: ${(error as Error).message}`);
      }
    }
    this.report.znodes = first?.size ?? 0;
    for (const writer of this.#writers) {
      writer.reconcile(new Map([...(first ?? [])].filter(([path]) => `${path}/`.startsWith(`${writer.root}/`))));
    }
  }

  async #treeOf({ port }: Member) {
    const client = await RawClient.connect({ port });
    await client.request(OpCode.sync, PathRequest, { path: "/" });
    const parts = await Promise.all(
      ["/pulse", ...this.#writers.map(({ root }) => root)].map((root) => observe(client, root)),
    );
    client.destroy();
    return new Map(parts.flatMap((part) => [...part]));
  }
}
