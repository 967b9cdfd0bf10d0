/**
 * Where whole ensembles play known bugs: real servers on simulated machines, real clients, and the checkers of the
 * simulator, all driven by steps. Power failures take everything that was not synced.
 *
 *   Stage.open ─► steps: kill, powerOff, start, write, cut, holdBefore, crashAt … ─► agree: the end must be good
 *
 * Whatever breaks a promise on the way ends the play: `pass`, `until` and all that waits throw it.
 */
import assert from "node:assert/strict";
import type { ZooKeeper } from "@vivarium/client";
import { type QuorumPacket, zxidHex } from "@vivarium/protocol";
import { type DiskOperation, SeededRandom } from "@vivarium/runtime";
import { checkTree } from "../checkers/check-tree.ts";
import { Leaders } from "../checkers/leaders.ts";
import { Truth } from "../checkers/truth.ts";
import { type Violation, violation } from "../checkers/violation.ts";
import { ServerNode } from "../ensemble/server-node.ts";
import { CLIENT_PORT, clientAddress, serverAddress } from "../ensemble/zoo-cfg.ts";
import type { Machine } from "../world/machine.ts";
import { type StreamName, World } from "../world/world.ts";
import { PacketGate } from "./packet-gate.ts";
import type { Rules } from "./scenario.ts";
import { StageClient } from "./stage-client.ts";

export interface StageOptions {
  readonly rules: Rules;
  /** Those that vote. Default 3. */
  readonly servers?: number;
  /** Default 0. */
  readonly observers?: number;
  /** More lines for everyone's zoo.cfg. */
  readonly config?: readonly string[];
  readonly seed?: number;
  readonly print?: ((line: string) => void) | undefined;
}

/** Longer than servers that look for each other in vain may stay silent. */
const PATIENCE_MS = 130_000;
/** Until all have heard of a write that somebody was told of. */
const SPREADING_MS = 5;
/** How long somebody needs to start a server again that has ended by itself. */
const RESTART_MS = 1000;

export class Stage {
  readonly world: World;
  readonly servers: readonly ServerNode[];
  readonly truth: Truth;
  readonly #gate: PacketGate;
  readonly #cuts: [Machine, Machine][] = [];
  readonly #clients = new Map<ServerNode, StageClient>();
  /** What clients were told to be written: data by path. */
  readonly #acknowledged = new Map<string, string>();
  #violation: Violation | null = null;
  #clientCount = 0;

  /** The ensemble is up and in service. */
  static async open(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options);
    stage.start(...stage.servers);
    await stage.serving();
    return stage;
  }

  /** All servers are down. */
  constructor({ rules, servers = 3, observers = 0, config = [], seed = 1, print = debugPrint }: StageOptions) {
    this.world = new ForgetfulWorld(seed, print);
    this.world.loop.onError = (error) => this.#report(violation("programs do not throw", textOf(error)));
    this.truth = new Truth((found) => this.#report(found));
    const leaders = new Leaders((found) => this.#report(found));
    this.#gate = new PacketGate(this.world.network);
    const ids = Array.from({ length: servers + observers }, (_, index) => index + 1);
    const members = ids.map((id) => `server.${id}=${serverAddress(id)}:2888:3888${id > servers ? ":observer" : ""}`);
    this.servers = ids.map(
      (id) =>
        new ServerNode({
          world: this.world,
          truth: this.truth,
          leaders,
          id,
          address: serverAddress(id),
          clockRate: 1,
          configText: [...SETTINGS, ...addressOf(id), ...members, ...config].join("\n"),
          rules,
          isAlone: servers === 1,
          restartMs: () => RESTART_MS,
        }),
    );
  }

  #report(found: Violation): void {
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
    this.#complain();
  }

  #complain(): void {
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
    this.#clients.delete(server);
    server.machine.disk.crashPoint = null;
    how();
  }

  /** The power fails just before the next such operation of the disk, or just after it. */
  crashAt(
    server: ServerNode,
    when: "before" | "after",
    isIt: (operation: DiskOperation, path: string) => boolean,
  ): void {
    const { disk } = server.machine;
    const crash = (): void => this.powerOff(server);
    disk.crashPoint = { operationsLeft: 0, after: when === "after", crash, counts: isIt };
  }

  /** The power fails just after this file has its new name for good. */
  crashWhenStored(server: ServerNode, file: RegExp): void {
    let isRenamed = false;
    this.crashAt(server, "after", (operation, path) => {
      isRenamed ||= operation === "rename" && file.test(path);
      return isRenamed && operation === "syncDirectory";
    });
  }

  /** How often a server has said this. */
  said(server: ServerNode, text: string): number {
    return this.world.trace.lines.filter(({ who, what }) => who === server.name && what.includes(text)).length;
  }

  /** A machine's disk is new and empty. */
  async wipe(server: ServerNode): Promise<void> {
    const { disk } = server.machine;
    await this.atItsDisk(server, async () => {
      for (const name of await this.answer(disk.readDirectory("/data/version-2"))) {
        await this.answer(disk.unlink(`/data/version-2/${name}`));
      }
    });
  }

  // --- the disk

  /** Operations for which `fails` gives a code fail with it; null: none does any more. */
  failDisk(server: ServerNode, fails: ((operation: DiskOperation, path: string) => string | null) | null): void {
    const { disk } = server.machine;
    disk.fault = (operation, path) => {
      const code = fails?.(operation, path) ?? null;
      if (code !== null) server.excuse();
      return code;
    };
  }

  /** Syncs of such files take so long from now on. */
  slowDisk(server: ServerNode, ms: number, file = /./): void {
    server.machine.disk.latencyMs = (operation, path) => (operation === "datasync" && file.test(path) ? ms : 0);
  }

  /** The files of a server in which these bytes are to be found. */
  async filesWith(server: ServerNode, text: string): Promise<string[]> {
    const { disk } = server.machine;
    return this.atItsDisk(server, async () => {
      const found: string[] = [];
      for (const name of await this.answer(disk.readDirectory("/data/version-2"))) {
        const bytes = await this.answer(this.#contentOf(server, `/data/version-2/${name}`));
        if (bytes.includes(text)) found.push(name);
      }
      return found;
    });
  }

  /** A disk answers only who runs on its machine. */
  async atItsDisk<T>({ machine }: ServerNode, act: () => Promise<T>): Promise<T> {
    if (machine.runs) return act();
    machine.boot();
    const result = await act();
    machine.kill();
    return result;
  }

  async #contentOf({ machine }: ServerNode, path: string): Promise<Buffer> {
    const file = await machine.disk.open(path, "read");
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    return bytes;
  }

  // --- the network

  /** Nothing passes between them, in either direction. */
  cut(a: ServerNode, b: ServerNode): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  cutOneWay(from: ServerNode, to: ServerNode): void {
    this.world.network.cut(from.machine, to.machine);
    this.#cuts.push([from.machine, to.machine]);
  }

  /** Nothing passes between this server and all others; its clients reach it. */
  isolate(server: ServerNode): void {
    for (const other of this.servers) if (other !== server) this.cut(server, other);
  }

  /** Until a server that is cut off has noticed it. */
  givesUp(server: ServerNode): Promise<void> {
    return this.until(`${server.name} gives up`, () => !server.isServing);
  }

  heal(): void {
    this.#gate.open();
    for (const [from, to] of this.#cuts.splice(0)) this.world.network.heal(from, to);
  }

  /** The connections between the two break; what was on its way is lost. */
  reset(a: ServerNode, b: ServerNode): void {
    this.world.network.reset(a.machine, b.machine);
  }

  /**
   * From the next such packet between two servers on nothing passes in that direction, until `heal`.
   * @returns when that packet has arrived
   */
  async holdBefore(
    from: ServerNode,
    to: ServerNode,
    isWanted: (packet: QuorumPacket) => boolean,
  ): Promise<QuorumPacket> {
    const held = this.holdingBefore(from, to, isWanted);
    await this.until(`the packet that is waited for goes from ${from.name} to ${to.name}`, () => held() !== null);
    return held() as QuorumPacket;
  }

  /** The same without waiting: what is returned tells the packet once it is held. */
  holdingBefore(
    from: ServerNode,
    to: ServerNode,
    isWanted: (packet: QuorumPacket) => boolean,
  ): () => QuorumPacket | null {
    let held: QuorumPacket | null = null;
    this.#gate.closeBefore({ from: from.machine, to: to.machine }, isWanted, (packet) => {
      held = packet;
      this.cutOneWay(from, to);
    });
    return () => held;
  }

  // --- clients

  /** A session of a client of this server alone. */
  async connect(server: ServerNode, session?: ZooKeeper["session"]): Promise<StageClient> {
    const number = ++this.#clientCount;
    const client = new StageClient(this.world, {
      name: `c${number}`,
      address: clientAddress(number),
      connectString: `${server.machine.address}:${CLIENT_PORT}`,
      ...(session === undefined ? {} : { session }),
    });
    await this.answer(client.zk.connected());
    return client;
  }

  /** The one that keeps its session as long as the server lives. */
  async #clientOf(server: ServerNode): Promise<StageClient> {
    const known = this.#clients.get(server);
    const client = known ?? (await this.connect(server));
    this.#clients.set(server, client);
    await this.until(`${server.name} has its client`, () => client.zk.state === "connected");
    return client;
  }

  /** Creates or changes a node through a server, and is told that it is done. */
  async write(server: ServerNode, path: string, data = ""): Promise<void> {
    const { zk } = await this.#clientOf(server);
    await this.answer(this.#written(zk, path, data));
    await this.pass(SPREADING_MS);
  }

  async #written(zk: ZooKeeper, path: string, data: string): Promise<void> {
    await zk.create(path, data).catch((error) => {
      if (!/NODEEXISTS/.test(String(error))) throw error;
      return zk.setData(path, data);
    });
    this.#acknowledged.set(path, data);
  }

  async writeMany(server: ServerNode, prefix: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.write(server, `${prefix}${i}`);
  }

  /** Asks for writes and leaves it at that; those that are ever acknowledged count. */
  async writeUnheard(server: ServerNode, ...paths: string[]): Promise<void> {
    const { zk } = await this.#clientOf(server);
    for (const path of paths) this.#written(zk, path, "").catch(() => {});
  }

  /** What a client of this server reads; null: there is no such node. */
  async read(server: ServerNode, path: string): Promise<string | null> {
    const { zk } = await this.#clientOf(server);
    if ((await this.answer(zk.exists(path))) === null) return null;
    return Buffer.from((await this.answer(zk.getData(path))).data ?? []).toString();
  }

  // --- the end

  /**
   * All is well again and everybody up. All servers must come to serve the one history, with all that was acknowledged,
   * and have it still when the power has failed everywhere.
   */
  async agree(): Promise<void> {
    this.heal();
    for (const server of this.servers) this.#mend(server);
    this.start(...this.servers);
    await this.#serveTheSame();
    this.powerOff(...this.servers);
    this.start(...this.servers);
    await this.#serveTheSame();
  }

  #mend({ machine: { disk } }: ServerNode): void {
    disk.fault = () => null;
    disk.latencyMs = () => 0;
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    disk.crashPoint = null;
  }

  async #serveTheSame(): Promise<void> {
    await this.serving(...this.servers);
    const positions = (): Set<number> => new Set(this.servers.map((server) => positionOf(server, this.truth)));
    await this.until(
      "all stand at one zxid",
      () => this.servers.every(({ isServing }) => isServing) && positions().size === 1,
    );
    for (const { name, running } of this.servers) {
      checkTree(name, running.server.tree, this.truth);
      for (const [path, data] of this.#acknowledged) this.#mustHave(name, running.server.tree, path, data);
    }
    this.#complain();
  }

  #mustHave(name: string, tree: ServerNode["running"]["server"]["tree"], path: string, data: string): void {
    const node = tree.nodes.findPath(path);
    if (node !== NONE && Buffer.from(tree.nodes.data(node) ?? []).toString() === data) return;
    this.#report(
      violation("what is acknowledged survives", `${name} lacks ${path} at 0x${zxidHex(tree.lastProcessedZxid)}`),
    );
  }
}

const NONE = -1;

/** A leader of a new epoch stands at no transaction. */
function positionOf({ running }: ServerNode, truth: Truth): number {
  return truth.last(running.server.tree.lastProcessedZxid);
}

const SETTINGS = [
  "dataDir=/data",
  `clientPort=${CLIENT_PORT}`,
  "tickTime=200",
  "initLimit=10",
  "syncLimit=5",
  "maxSessionTimeout=600000",
  "snapCount=100000",
  "preAllocSize=0",
  "maxClientCnxns=0",
];
const addressOf = (id: number): string[] => [`clientPortAddress=${serverAddress(id)}`];

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Its disks lose all that was not synced. */
class ForgetfulWorld extends World {
  override stream(name: StreamName): SeededRandom {
    return name === "disk" ? new Forgetful(0) : super.stream(name);
  }
}

/** What MemoryFile and MemoryDirectory ask for: is it kept (of two)? all, some, or nothing (of three)? */
class Forgetful extends SeededRandom {
  override int(below: number): number {
    return below === 2 ? 1 : 0;
  }
}

/** STAGE_TRACE=1 shows every line of what happens. */
const debugPrint = process.env["STAGE_TRACE"] === "1" ? (line: string): void => console.log(line) : undefined;
