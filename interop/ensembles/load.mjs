// Programs that write and read through an ensemble for as long as a trial lasts: ours, kazoo's, and Java's (Curator and
// the plain client). Each has one session that writes and one that reads. A turn of theirs:
//
//   every fifth time create <root>/n-<i>;  set <root>/last to <i>;  say "ack <i>"
//   read <root>/last, which must not go back;  sync and read it, which must be at least <i>
//
// They hear "pause", "resume" and "end", and say "session <id>", "ack <i>", "paused <i>", "retry" (a call cut off by
// the loss of its connection is made again), "lost" (a connection), "stale <why>", "unsynced <port> <why>" and
// "fail <why>".

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { clients } from "../clients.mjs";
import { javaArgs } from "../lib/apache.mjs";
import { until } from "../lib/net.mjs";
import { cached, interopDir } from "../lib/paths.mjs";

const here = join(interopDir, "ensembles");
const programs = {
  vivarium: async (args) => [process.execPath, [join(here, "load-vivarium.mjs"), ...args]],
  kazoo: async (args) => [join(cached("kazoo"), "bin", "python"), [join(here, "load-kazoo.py"), ...args]],
  java: async (args) => [
    "java",
    await javaArgs("EnsembleLoad", args, { logLevel: "off", extraClasspath: [cached("java", "classes")] }),
  ],
};

/** Fetches and builds what the programs need. */
export async function prepareLoad() {
  for (const { name, prepare } of clients) if (name === "java" || name === "kazoo") await prepare();
}

class Program {
  #child;
  #unsynced;
  #pausedAt;
  acked = 0;
  lost = 0;
  retries = 0;
  hasEnded = false;
  /** Longest time between two acknowledgements, in milliseconds. */
  longestGapMs = 0;
  #lastAckMs;
  #gapMs = 0;
  /** @type {string[]} */
  failures = [];

  constructor(name, child, unsynced) {
    this.#unsynced = unsynced;
    this.name = name;
    this.root = `/load/${name}`;
    this.#child = child;
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr = (stderr + text).slice(-2000);
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.#heard(line));
    const killed = () => child.kill("SIGKILL");
    process.once("exit", killed);
    child.on("close", (code) => {
      process.off("exit", killed);
      if (!this.hasEnded) this.failures.push(`ended with ${code}: ${stderr.trim().split("\n").slice(-3).join(" | ")}`);
      this.hasEnded = true;
    });
  }

  #heard(line) {
    const [word, ...rest] = line.split(" ");
    if (word === "ack") this.#acknowledged(Number(rest[0]));
    else if (word === "paused") this.#pausedAt = Number(rest[0]);
    else if (word === "session") this.session = rest[0];
    else if (word === "lost") this.lost++;
    else if (word === "retry") this.retries++;
    else if (word === "ended") this.hasEnded = true;
    else if (word === "unsynced") void this.#readTooOld(Number(rest[0]), rest.slice(1).join(" "));
    else if (word === "stale" || word === "fail") this.failures.push(rest.join(" "));
  }

  async #readTooOld(port, what) {
    if (!(await this.#unsynced(port))) this.failures.push(`${what}, at port ${port}`);
  }

  #acknowledged(i) {
    const now = performance.now();
    const gapMs = now - (this.#lastAckMs ?? now);
    this.longestGapMs = Math.max(this.longestGapMs, gapMs);
    this.#gapMs = Math.max(this.#gapMs, gapMs);
    this.#lastAckMs = now;
    this.acked = i;
  }

  takeGap() {
    const gapMs = this.#gapMs;
    this.#gapMs = 0;
    return gapMs;
  }

  #say(word) {
    this.#child.stdin.write(`${word}\n`);
  }

  /** Resolves when it has nothing under way. */
  async pause() {
    this.#pausedAt = undefined;
    this.#say("pause");
    await until(`${this.name}'s pause`, () => this.#pausedAt !== undefined || this.hasEnded, { timeoutMs: 40_000 });
  }

  resume() {
    this.#lastAckMs = undefined;
    this.#say("resume");
  }

  async end() {
    this.#say("end");
    await until(`${this.name}'s end`, () => this.hasEnded, { timeoutMs: 40_000 });
  }

  kill() {
    this.hasEnded = true;
    this.#child.kill("SIGKILL");
  }
}

export class Load {
  /** @type {Program[]} */
  programs = [];

  /**
   * Resolves when all of them write.
   * @param {string} servers
   * @param {(port: number) => Promise<boolean>} mayBeUnsynced whether that server may answer a sync too early
   */
  static async start(servers, mayBeUnsynced, names = Object.keys(programs)) {
    const load = new Load();
    for (const name of names) {
      const [file, args] = await programs[name]([servers, `/load/${name}`]);
      load.programs.push(new Program(name, spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] }), mayBeUnsynced));
    }
    try {
      await load.progress({ timeoutMs: 40_000 });
    } catch (error) {
      load.kill();
      throw error;
    }
    return load;
  }

  /** What went wrong in the programs so far. */
  get failures() {
    return this.programs.flatMap(({ name, failures }) => failures.map((line) => `${name}: ${line}`));
  }

  get acked() {
    return this.programs.reduce((sum, { acked }) => sum + acked, 0);
  }

  /** Per program, the longest time without an acknowledged write since this was last asked. */
  takeGaps() {
    return this.programs.map((program) => `${program.name} ${program.takeGap().toFixed(0)} ms`).join(", ");
  }

  get longestGapMs() {
    return Math.max(...this.programs.map(({ longestGapMs }) => longestGapMs));
  }

  /** Resolves when each has got some more writes acknowledged. */
  async progress({ writes = 3, timeoutMs = 30_000 } = {}) {
    const wanted = this.programs.map(({ acked }) => acked + writes);
    const isThere = () => this.programs.every(({ acked, hasEnded }, at) => hasEnded || acked >= wanted[at]);
    const who = () => this.programs.map(({ name, acked }) => `${name} ${acked}`).join(", ");
    await until("writes of all clients", isThere, { timeoutMs }).catch((error) => {
      throw new Error(`${error.message}: ${who()}; ${this.failures.join("; ")}`);
    });
  }

  async pause() {
    await Promise.all(this.programs.map((program) => program.pause()));
  }

  resume() {
    for (const program of this.programs) program.resume();
  }

  async end() {
    await Promise.all(this.programs.map((program) => program.end()));
  }

  kill() {
    for (const program of this.programs) program.kill();
  }
}
