/**
 * Where whole ensembles play known bugs: real servers on simulated machines, real clients, and the checkers of the
 * simulator, all driven by steps. Power failures take everything that was not synced.
 *
 *   Stage.open ─► steps: kill, powerOff, start, write, cut, holdBefore, crashAt … ─► agree: the end must be good
 *
 * Whatever breaks a promise on the way ends the play: `pass`, `until` and all that waits throw it.
 */
import type { ZooKeeper } from "@vivarium/client";
import { type ConnectResponse, type QuorumPacket, zxidHex } from "@vivarium/protocol";
import { checkTree } from "../checkers/check-tree.ts";
import type { Truth } from "../checkers/truth.ts";
import { violation } from "../checkers/violation.ts";
import type { ServerNode } from "../ensemble/server-node.ts";
import { CLIENT_PORT, clientAddress } from "../ensemble/zoo-cfg.ts";
import type { Machine } from "../world/machine.ts";
import { PacketGate } from "./packet-gate.ts";
import { RawClient } from "./raw-client.ts";
import { StageClient } from "./stage-client.ts";
import type { StageOptions } from "./stage-core.ts";
import { StageDisks } from "./stage-disks.ts";

/** Until all have heard of a write that somebody was told of. */
const SPREADING_MS = 5;

export class Stage extends StageDisks {
  readonly #gate = new PacketGate(this.world.network);
  readonly #cuts: [Machine, Machine][] = [];
  /** The client that writes through a server for as long as that lives. */
  readonly #clients = new Map<ServerNode, { client: StageClient; life: number }>();
  /** What clients were told to be written: data by path. */
  readonly #acknowledged = new Map<string, string>();
  #clientCount = 0;

  /** The ensemble is up and in service. */
  static async open(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options);
    stage.start(...stage.servers);
    await stage.serving();
    return stage;
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

  /** A connection on which nothing has been said. */
  rawClient(server: ServerNode, port = CLIENT_PORT): RawClient {
    const number = ++this.#clientCount;
    const { address: host } = server.machine;
    return new RawClient(this.world, { name: `c${number}`, address: clientAddress(number), host, port });
  }

  /** One with a session. */
  async rawSession(server: ServerNode, session: ConnectResponse | null = null, timeOut = 600_000): Promise<RawClient> {
    const client = this.rawClient(server);
    client.hello(session, timeOut);
    await this.until("a session", () => client.greeting !== null);
    return client;
  }

  /** The one that keeps its session as long as the server lives. */
  async #clientOf(server: ServerNode): Promise<StageClient> {
    const known = this.#clients.get(server);
    const client = known?.life === server.starts ? known.client : await this.connect(server);
    this.#clients.set(server, { client, life: server.starts });
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
    this.mend();
    this.start(...this.servers);
    await this.#serveTheSame();
    this.powerOff(...this.servers);
    this.start(...this.servers);
    await this.#serveTheSame();
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
    this.complain();
  }

  #mustHave(name: string, tree: ServerNode["running"]["server"]["tree"], path: string, data: string): void {
    const node = tree.nodes.findPath(path);
    if (node !== NONE && Buffer.from(tree.nodes.data(node) ?? []).toString() === data) return;
    this.report(
      violation("what is acknowledged survives", `${name} lacks ${path} at 0x${zxidHex(tree.lastProcessedZxid)}`),
    );
  }
}

const NONE = -1;

/** A leader of a new epoch stands at no transaction. */
function positionOf({ running }: ServerNode, truth: Truth): number {
  return truth.last(running.server.tree.lastProcessedZxid);
}
