/**
 * The crash trial: writers record what the server acknowledges, the server gets SIGKILL at chosen moments and starts
 * again on the same directory, and each writer's part of the tree must be what a prefix of its operations gives, with
 * everything acknowledged in it. Ephemeral nodes must be there with their sessions, and the sessions resumable.
 *
 * SIGKILL leaves the operating system's cache alone: this shows that nothing is acknowledged before it was written and
 * that recovery understands every half-finished file, not that the disk was told to keep it.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@vivarium/runtime";
import { RawClient } from "../raw-client.ts";
import { freePort, ServerProcess } from "../server-process.ts";
import { chooseMoment, type KillMoment, killTime } from "./killer.ts";
import { observe } from "./observation.ts";
import { BrokenPromise } from "./reconcile.ts";
import { Writer } from "./writer.ts";

export interface CrashOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Longest time that writers run before a kill. */
  readonly secondsPerRound: number;
  /** Called after each round. */
  readonly onRound?: (report: CrashReport) => void;
}

export interface CrashReport {
  rounds: number;
  acknowledged: number;
  /** Operations without an answer when the server was killed, and how many of these were carried out. */
  inDoubt: number;
  carriedOut: number;
  /** Kills by the moment they were aimed at and hit. */
  kills: Record<KillMoment, number>;
  /** Kills that left an unfinished snapshot behind. */
  unfinishedSnapshots: number;
  /** From the start of the process to the first session, per round, in milliseconds. */
  readonly recoveryMs: number[];
}

const WRITERS = 3;
/** A process starts and recovers a small tree in about this time. */
const RECOVERY_MS = 400;

/** @throws BrokenPromise with the seed, the round and the directory, which then stays */
export async function crashTrial(options: CrashOptions): Promise<CrashReport> {
  const dataDir = mkdtempSync(join(tmpdir(), "vivarium-crash-"));
  const trial = new CrashTrial(options, dataDir, await freePort());
  try {
    await trial.run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const where = `seed ${options.seed}, round ${trial.report.rounds + 1}, data in ${dataDir}`;
    throw new BrokenPromise(`${error.message}\n${where}\nthe server's last words:\n${trial.lastWords}`, {
      cause: error,
    });
  } finally {
    await trial.kill();
  }
  rmSync(dataDir, { recursive: true, force: true });
  return trial.report;
}

class CrashTrial {
  readonly #options: CrashOptions;
  readonly #dataDir: string;
  readonly #port: number;
  readonly #random: SeededRandom;
  readonly #writers: Writer[] = [];
  #server: ServerProcess | null = null;
  readonly report: CrashReport = {
    rounds: 0,
    acknowledged: 0,
    inDoubt: 0,
    carriedOut: 0,
    kills: { "any time": 0, snapshot: 0, "log roll": 0, recovery: 0 },
    unfinishedSnapshots: 0,
    recoveryMs: [],
  };

  constructor(options: CrashOptions, dataDir: string, port: number) {
    this.#options = options;
    this.#dataDir = dataDir;
    this.#port = port;
    this.#random = new SeededRandom(options.seed);
  }

  get lastWords(): string {
    return this.#server?.output.slice(-3000) ?? "";
  }

  async run(): Promise<void> {
    await this.#start();
    await this.#createWriters();
    while (this.report.rounds < this.#options.rounds) {
      await this.#round();
      this.report.rounds++;
      this.#options.onRound?.(this.report);
    }
    const ended = await this.#server?.stop();
    if (ended !== "exit code 0") throw new BrokenPromise(`SIGTERM ended the server with ${ended}`);
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  async #round(): Promise<void> {
    const moment = chooseMoment(this.#random);
    const writing = Promise.all(this.#writers.map((writer) => writer.write(this.#port)));
    const directory = join(this.#dataDir, "version-2");
    const withinMs = this.#options.secondsPerRound * 1000;
    const came = await Promise.race([
      killTime({ moment, random: this.#random, directory, withinMs }),
      writing.then(() => {
        throw new BrokenPromise("a connection was lost while the server was running");
      }),
    ]);
    await this.kill();
    for (const writer of this.#writers) writer.disconnect();
    await writing;
    this.report.kills[came ? moment : "any time"]++;
    if (readdirSync(directory).some((name) => /^snapshot\..*\.tmp$/.test(name))) this.report.unfinishedSnapshots++;
    if (moment === "recovery") await this.#killWhileRecovering();
    await this.#start();
    await this.#reconcile();
  }

  async #start(): Promise<void> {
    this.#server = new ServerProcess({ dataDir: this.#dataDir, port: this.#port, settings: this.#settings() });
    this.report.recoveryMs.push(await this.#server.serving());
    const complaint = / ERROR .*/.exec(this.#server.output);
    if (complaint !== null) throw new BrokenPromise(`after a start the server says: ${complaint[0]}`);
  }

  /** Small numbers, so that logs roll and snapshots happen all the time; purging runs at every start. */
  #settings(): Record<string, string | number> {
    const pick = <T>(...values: T[]) => values[this.#random.int(values.length)] as T;
    return {
      snapCount: pick(20, 60, 200, 1000),
      preAllocSize: pick(16, 64, 1024),
      "snapshot.compression.method": pick("", "", "gz", "snappy"),
      "autopurge.purgeInterval": 1,
      maxClientCnxns: 0,
    };
  }

  async #killWhileRecovering(): Promise<void> {
    const server = new ServerProcess({ dataDir: this.#dataDir, port: this.#port, settings: this.#settings() });
    this.#server = server;
    const moment = new Promise((resolve) => setTimeout(resolve, this.#random.int(RECOVERY_MS)));
    await Promise.race([server.serving(), moment]);
    await server.kill();
  }

  async #createWriters(): Promise<void> {
    const client = await RawClient.connect({ port: this.#port });
    for (let i = 0; i < WRITERS; i++) {
      this.#writers.push(await Writer.create(client, `/w${i}`, this.#random.fork(`writer ${i}`)));
    }
    client.destroy();
    if (!existsSync(join(this.#dataDir, "version-2"))) throw new Error(`no version-2 in ${this.#dataDir}`);
  }

  async #reconcile(): Promise<void> {
    const client = await RawClient.connect({ port: this.#port });
    for (const writer of this.#writers) writer.reconcile(await observe(client, writer.root));
    client.destroy();
    const sum = (value: (writer: Writer) => number) =>
      this.#writers.reduce((total, writer) => total + value(writer), 0);
    this.report.acknowledged = sum((writer) => writer.acknowledged);
    this.report.inDoubt = sum((writer) => writer.doubts.total);
    this.report.carriedOut = sum((writer) => writer.doubts.carriedOut);
  }
}
