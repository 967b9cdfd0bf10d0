// A whole ensemble of server processes on loopback: Apache's, ours, or a mixture. Members are started, killed, frozen,
// wiped and restarted one at a time; the roles are asked of the servers themselves (srvr).

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApache } from "./apache.mjs";
import { freePort, until } from "./net.mjs";
import { startVivarium } from "./vivarium.mjs";

const launchers = { apache: startApache, vivarium: startVivarium };

/**
 * @typedef {object} EnsembleOptions
 * @property {number} [servers] participants, sids 1.. (default 3)
 * @property {number} [observers] observers, sids after the participants' (default 0)
 * @property {(sid: number) => "apache" | "vivarium"} [kind] default apache for all
 * @property {Record<string, string | number | boolean>} [config] further lines of every zoo.cfg
 * @property {Record<string, string | number | boolean>} [properties] of every server
 * @property {import("./links.mjs").Links} [links] cables to run everything between servers through (Apache only)
 * @property {import("./namespaces.mjs").Namespaces} [namespaces] in which the servers run, one each
 * @property {string} [dir] parent of the members' directories
 * @property {boolean} [inheritOutput]
 * @property {string[]} [jvm] options of Apache's JVMs
 * @property {(sid: number) => object} [vivarium] further options of startVivarium
 * @property {boolean} [start] whether to start all members and wait until they serve (default true)
 */

class Member {
  /** @type {import("./server-process.mjs").ServerProcess | undefined} */
  process;
  #ensemble;

  constructor(ensemble, { sid, kind, dataDir, port, isObserver }) {
    this.#ensemble = ensemble;
    Object.assign(this, { sid, kind, dataDir, port, isObserver });
  }

  get isRunning() {
    return this.process !== undefined && !this.process.hasExited;
  }

  /** Starts it; resolves when it serves unless told not to wait. `kind` changes what it is from now on. */
  async start({ wait = true, kind = this.kind, config = {}, properties = {} } = {}) {
    if (this.isRunning) throw new Error(`member ${this.sid} is running already`);
    this.kind = kind;
    writeFileSync(join(this.dataDir, "myid"), `${this.sid}\n`);
    const options = this.#ensemble.optionsFor(this);
    Object.assign(options.config, config);
    Object.assign(options.properties, properties);
    this.process = await launchers[kind]({ ...options, wait: false });
    return wait ? this.serving() : this;
  }

  async serving(options) {
    await this.process.serving(options);
    return this;
  }

  kill() {
    return this.process?.kill();
  }

  stop() {
    return this.process?.stop();
  }

  async restart(options) {
    await this.kill();
    return this.start(options);
  }

  /** Loses everything but its sid. It must not be running. */
  wipe() {
    if (this.isRunning) throw new Error(`member ${this.sid} is running: kill it before its directory is wiped`);
    for (const name of ["version-2", "zookeeper_server.pid"])
      rmSync(join(this.dataDir, name), { recursive: true, force: true });
  }

  /**
   * SIGSTOP: alive for the network, silent for its peers. Resolves when every thread stands still: on a busy machine
   * some go on for a while after the signal, and could still log and acknowledge what comes.
   */
  async freeze() {
    const { pid } = this.process;
    process.kill(pid, "SIGSTOP");
    const tasks = `/proc/${pid}/task`;
    const stands = (task) => /\) T [^)]*$/.test(readFileSync(join(tasks, task, "stat"), "utf8"));
    await until(`process ${pid} to stand still`, () => readdirSync(tasks).every(stands), { everyMs: 2 });
  }

  thaw() {
    process.kill(this.process.pid, "SIGCONT");
  }

  word(name) {
    return this.process.word(name);
  }

  /** "leader", "follower", "observer", or undefined while it does not serve. */
  async mode() {
    if (!this.isRunning) return undefined;
    const text = await this.word("srvr").catch(() => "");
    return /^Mode: (\w+)/m.exec(text)?.[1];
  }

  /** Last processed zxid by srvr. */
  async zxid() {
    return BigInt(/^Zxid: (0x[0-9a-f]+)/m.exec(await this.word("srvr"))[1]);
  }
}

export class Ensemble {
  /** @type {Member[]} */
  members = [];
  #options;
  #ports = new Map();

  /** @param {EnsembleOptions} options */
  static async create(options = {}) {
    const {
      servers = 3,
      observers = 0,
      kind = () => "apache",
      dir = mkdtempSync(join(tmpdir(), "interop-ensemble-")),
    } = options;
    const ensemble = new Ensemble();
    ensemble.#options = options;
    ensemble.dir = dir;
    for (let sid = 1; sid <= servers + observers; sid++) {
      const dataDir = mkdtempSync(join(dir, `member-${sid}-`));
      const [port, quorum, election] = [await freePort(), await freePort(), await freePort()];
      ensemble.#ports.set(sid, { quorum, election });
      ensemble.members.push(new Member(ensemble, { sid, kind: kind(sid), dataDir, port, isObserver: sid > servers }));
    }
    return ensemble;
  }

  member(sid) {
    return this.members[sid - 1];
  }

  get running() {
    return this.members.filter((member) => member.isRunning);
  }

  /** `host:port,host:port` of the members, for clients. */
  get connectString() {
    return this.members.map(({ port }) => `127.0.0.1:${port}`).join(",");
  }

  /** The `server.N` lines, the same for everyone. */
  serverLines() {
    const { links, namespaces } = this.#options;
    const network = links ?? namespaces;
    return Object.fromEntries(
      this.members.map(({ sid, isObserver }) => {
        const { quorum, election } = this.#ports.get(sid);
        const address =
          network === undefined
            ? `127.0.0.1:${quorum}:${election}`
            : `${network.host(sid)}:${network.quorumPort}:${network.electionPort}`;
        return [`server.${sid}`, `${address}:${isObserver ? "observer" : "participant"}`];
      }),
    );
  }

  optionsFor({ sid, dataDir, port, isObserver }) {
    const { links, namespaces, config, properties, inheritOutput, jvm, vivarium = () => ({}) } = this.#options;
    const cables = links === undefined ? {} : { "jdk.net.hosts.file": links.hostsFile(sid) };
    const role = isObserver ? { peerType: "observer" } : {};
    return {
      dataDir,
      port,
      inheritOutput,
      enter: namespaces?.enter(sid),
      ...(jvm === undefined ? {} : { jvm }),
      ...vivarium(sid),
      config: { tickTime: 500, initLimit: 20, syncLimit: 10, ...role, ...this.serverLines(), ...config },
      properties: { ...cables, ...properties },
    };
  }

  /** Starts all that do not run; resolves when all serve. */
  async start() {
    const started = this.members.filter((member) => !member.isRunning);
    for (const member of started) await member.start({ wait: false });
    await Promise.all(started.map((member) => member.serving()));
    return this;
  }

  /** The member that leads, once there is exactly one. */
  leader(options) {
    return until(
      "one leader",
      async () => {
        const modes = await Promise.all(this.running.map((member) => member.mode()));
        const leaders = this.running.filter((_, at) => modes[at] === "leader");
        return leaders.length === 1 && leaders[0];
      },
      options,
    );
  }

  /** The running members that follow (not the observers). */
  async followers() {
    const modes = await Promise.all(this.running.map((member) => member.mode()));
    return this.running.filter((_, at) => modes[at] === "follower");
  }

  /** Kills everything; the directories stay. */
  async kill() {
    await Promise.all(this.members.map((member) => member.kill()));
  }

  async stop() {
    await Promise.all(this.members.map((member) => member.stop()));
  }
}

/** @param {EnsembleOptions} [options] */
export async function startEnsemble(options = {}) {
  const ensemble = await Ensemble.create(options);
  if (options.start !== false) await ensemble.start();
  return ensemble;
}

/** Apache's servers only: `startApacheEnsemble({servers: 3, observers: 1})`. @param {EnsembleOptions} [options] */
export const startApacheEnsemble = (options = {}) => startEnsemble({ ...options, kind: () => "apache" });
