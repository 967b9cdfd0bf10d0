// One trial: an ensemble of both kinds of servers, programs that write and read through it all the time, things done to
// its members, and in the end what must be true whatever was done.

import { rmSync } from "node:fs";
import { superProperties } from "../lib/dump-tree.mjs";
import { startEnsemble } from "../lib/ensemble.mjs";
import { sleep, until } from "../lib/net.mjs";
import { RawClient } from "../lib/raw-client.mjs";
import { compareMembers } from "./agreement.mjs";
import { Load } from "./load.mjs";

/** Ends of a process that nobody asked for are told apart by their code: 12 and 13 are Apache's for a bad leader. */
const ordered = new Set([null, 0, 143]);

export class Trial {
  /** @type {import("../lib/ensemble.mjs").Ensemble} */
  ensemble;
  /** @type {Load} */
  load;
  ok = [];
  apacheLeaderUnsynced = 0;
  failures = [];
  #ends = [];
  #watched = new Set();
  #seconds = Date.now();
  #ephemeralChecks = 0;

  /** The leader that is being cut off from the others, and does not know. */
  mayBeDeposed;

  /**
   * @param {{kinds: string[], observers?: string[], verbose?: boolean, config?: object,
   *   namespaces?: import("../lib/namespaces.mjs").Namespaces}} options kinds by sid, observers last
   */
  constructor({ kinds, observers = [], verbose = false, dir, properties = {}, config = {}, namespaces }) {
    this.kinds = [...kinds, ...observers];
    this.observers = observers.length;
    this.verbose = verbose;
    this.options = { dir, properties, config, namespaces };
  }

  /** Starts the members in an order that makes the second one named lead, and then the load. */
  async begin(order, loads) {
    const { kinds, observers } = this;
    const { dir, properties, config, namespaces } = this.options;
    this.ensemble = await startEnsemble({
      servers: kinds.length - observers,
      observers,
      kind: (sid) => kinds[sid - 1],
      start: false,
      config: { maxClientCnxns: 0, maxSessionTimeout: 40_000, ...config },
      properties: { ...superProperties, ...properties },
      ...(namespaces ? { namespaces } : {}),
      ...(dir ? { dir } : {}),
    });
    if (namespaces) for (const { sid, port } of this.ensemble.members) await namespaces.forward(sid, port);
    const first = order.slice(0, 2).map((sid) => this.ensemble.member(sid));
    for (const member of first) await this.start(member, { wait: false });
    await Promise.all(first.map((member) => member.serving()));
    for (const member of this.ensemble.members) if (!member.isRunning) await this.start(member);
    this.load = await Load.start(this.ensemble.connectString, (port) => this.#isApacheLeader(port), loads);
  }

  /**
   * Apache's leader answers a sync of its own clients like a read, maybe before it has applied what it has committed
   * and a quicker follower has answered already; and while it does not know that it was deposed. That is Apache's;
   * nobody else may do it.
   */
  async #isApacheLeader(port) {
    const member = this.ensemble.members.find((each) => each.port === port);
    const isOne = member?.kind === "apache" && (member === this.mayBeDeposed || (await member.mode()) === "leader");
    if (isOne) this.apacheLeaderUnsynced++;
    return isOne;
  }

  async start(member, options) {
    await member.start(options);
    const { process } = member;
    if (this.#watched.has(process)) return;
    this.#watched.add(process);
    process.exited.then(({ code }) => {
      if (!ordered.has(code)) {
        const said = process.output.trim().split("\n").slice(-5).join(" | ");
        this.#ends.push(`${member.kind} ${member.sid} ended with code ${code}: ${said}`);
      }
    });
  }

  /** Does one thing while the load goes on; afterwards all clients must be able to write. */
  async step(title, action) {
    const startedAt = Date.now();
    await action();
    if (this.load !== undefined) await this.load.progress();
    const problems = [...this.#ends.splice(0), ...this.load.failures];
    this.check(title, problems);
    if (this.verbose) {
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
      console.log(`  ${title}: ${seconds} s; longest without a write: ${this.load.takeGaps()}`);
    }
    if (problems.length > 0) throw new Error("given up after that");
  }

  check(title, problems) {
    if (problems.length === 0) this.ok.push(title);
    else
      this.failures.push(
        `${title}: ${problems.slice(0, 6).join("; ")}${problems.length > 6 ? ` and ${problems.length - 6} more` : ""}`,
      );
  }

  get seconds() {
    return (Date.now() - this.#seconds) / 1000;
  }

  /** Until one of that kind leads, the leader is killed and comes back. */
  async lead(kind) {
    for (let attempt = 0; attempt < 6; attempt++) {
      const leader = await this.ensemble.leader();
      if (leader.kind === kind) return leader;
      await leader.kill();
      await this.ensemble.leader();
      await this.start(leader);
    }
    throw new Error(`no ${kind} server would lead`);
  }

  /** Some follower, of that kind if there is one. */
  async follower(kind) {
    const followers = await this.ensemble.followers();
    return followers.find((member) => member.kind === kind) ?? followers[0];
  }

  async killAndRestart(member) {
    await member.kill();
    await this.load.progress();
    await this.start(member);
  }

  /** It comes back knowing nothing, and gets a snapshot. */
  async wipeAndRestart(member) {
    await member.kill();
    member.wipe();
    await this.load.progress();
    await this.start(member);
  }

  /** It misses more than a leader keeps in memory: it is served from the log on disk, or gets a snapshot. */
  async leaveBehind(member, writes = 800) {
    await member.kill();
    const { port } = await this.ensemble.leader();
    const client = await RawClient.connect({ port, timeOut: 20_000 });
    const root = "/behind";
    await client.call("create", { path: root });
    const each = (i) => client.ask("setData", { path: root, data: "x".repeat(100 + (i % 50)) });
    await Promise.all(Array.from({ length: writes }, (_, i) => each(i)));
    await client.close();
    await this.start(member);
  }

  /**
   * The leader logs writes that nobody else ever sees, and dies; the others go on without them, and it must forget them.
   * The followers are stopped before the writes and killed before they could read them.
   */
  async uncommittedTail() {
    await this.load.pause();
    const leader = await this.ensemble.leader();
    const others = this.ensemble.members.filter((member) => member !== leader);
    const client = await RawClient.connect({ port: leader.port, timeOut: 20_000 });
    await client.ask("create", { path: `/tail-${leader.sid}` });
    await Promise.all(others.map((member) => member.freeze()));
    for (let i = 0; i < 20; i++) client.call("create", { path: `/tail-${leader.sid}/lost-${i}` }).catch(() => {});
    await sleep(300);
    await leader.kill();
    await Promise.all(others.map((member) => member.kill()));
    for (const member of others) await this.start(member, { wait: false });
    await Promise.all(others.map((member) => member.serving()));
    await this.start(leader);
    const left = await this.#childrenEverywhere(`/tail-${leader.sid}`);
    this.load.resume();
    if (left.some((names) => names.length > 0))
      throw new Error(`writes without a quorum are there: ${left.join(" / ")}`);
  }

  async #childrenEverywhere(path) {
    return Promise.all(
      this.ensemble.running.map(async ({ port }) => {
        const client = await RawClient.connect({ port, timeOut: 10_000 });
        await client.ask("sync", { path });
        const { children } = await client.ask("getChildren", { path });
        await client.close();
        return children;
      }),
    );
  }

  /** A session goes from server to server, keeps what it owns, and takes it along when it ends. */
  async moveSession() {
    const path = `/moving-${this.#ephemeralChecks++}`;
    let client = await RawClient.connect({ port: this.ensemble.members[0].port, timeOut: 8000 });
    const { sessionId, passwd } = client;
    await client.ask("create", { path, flags: 1 });
    for (const { port, sid } of [...this.ensemble.running, this.ensemble.members[0]]) {
      client.destroy();
      client = await RawClient.connect({ port, sessionId, passwd, timeOut: 8000 });
      if (client.sessionId !== sessionId) throw new Error(`member ${sid} does not know the session`);
      await client.ask("sync", { path });
      const { stat } = await client.ask("exists", { path });
      if (stat.ephemeralOwner !== sessionId) throw new Error(`${path} is not the session's at member ${sid}`);
      await client.ask("setData", { path, data: `at ${sid}` });
    }
    await client.close();
    await this.goneEverywhere(path, "the session was closed");
  }

  /** A client that says nothing any more: its ephemeral node goes, on all members. */
  async expireSession(member) {
    const path = `/expiring-${this.#ephemeralChecks++}`;
    const client = await RawClient.connect({ port: member.port, timeOut: 1500 });
    await client.ask("create", { path, flags: 1 });
    client.destroy();
    await this.goneEverywhere(path, "the session's timeout");
  }

  async goneEverywhere(path, why) {
    for (const { port, sid } of this.ensemble.running) {
      const client = await RawClient.connect({ port, timeOut: 10_000 });
      client.keepAlive(1000);
      const isGone = async () => (await client.call("exists", { path })).err === -101;
      await until(`${path} to go from member ${sid} after ${why}`, isGone, { timeoutMs: 10_000 });
      await client.close();
    }
  }

  /** What must be true in the end: nothing acknowledged is lost, all members are alike, ephemerals end with sessions. */
  async settle() {
    await this.load.pause();
    await Promise.all(this.ensemble.members.map((member) => member.serving()));
    const { tree, wrong } = await compareMembers(this.ensemble);
    for (const [what, lines] of Object.entries(wrong)) this.check(`the same ${what} on all members`, lines);
    this.check("nothing acknowledged is lost", this.#lost(tree));
    await this.load.end();
    const owners = this.load.programs.map(({ root }) => `${root}/alive`);
    const outlived = [];
    for (const path of owners) {
      await this.goneEverywhere(path, "the client's end").catch((error) => outlived.push(error.message));
    }
    this.check("ephemeral nodes end with their sessions", outlived);
    this.check("the clients saw nothing stale, and no failure", this.load.failures);
    this.check("no server ended by itself", this.#ends);
  }

  #lost(tree) {
    const wrong = [];
    for (const { root, acked, session } of this.load.programs) {
      const last = Buffer.from(tree[`${root}/last`]?.data ?? "", "hex").toString();
      if (last !== String(acked)) wrong.push(`${root}/last is ${last}, acknowledged was ${acked}`);
      for (let i = 5; i <= acked; i += 5)
        if (tree[`${root}/n-${i}`] === undefined) wrong.push(`${root}/n-${i} is missing`);
      const owner = tree[`${root}/alive`]?.stat.ephemeralOwner;
      const expected = String(BigInt.asIntN(64, BigInt(`0x${session}`)));
      if (owner !== expected) wrong.push(`${root}/alive is of ${owner}, expected ${expected}`);
    }
    return wrong;
  }

  async end({ keep = false } = {}) {
    this.load?.kill();
    await this.ensemble?.kill();
    if (!keep && this.ensemble) rmSync(this.ensemble.dir, { recursive: true, force: true });
  }

  /** The last lines of every member, for a failure. */
  get lastWords() {
    const words = ({ kind, sid, process }) =>
      `--- ${kind} ${sid}\n${process?.output.trim().split("\n").slice(-12).join("\n")}`;
    return this.ensemble?.members.map(words).join("\n") ?? "";
  }
}
