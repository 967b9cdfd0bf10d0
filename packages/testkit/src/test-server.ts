/**
 * A real ZooKeeper server in the test's own process: the one that `vivarium server` runs, on a free port of the
 * loopback address, with its data in memory, and with faults to order.
 *
 * @example
 * const zk = await TestServer.start();
 * const client = await zk.client();
 * await client.create("/config", "v1");
 * await zk.disconnect(client.session.id); // the client comes back by itself
 * await zk.stop();
 */
import { type ClientOptions, connect, type ZooKeeper } from "@vivarium/client";
import { OpCode } from "@vivarium/protocol";
import {
  type Clock,
  type Disk,
  MemoryDisk,
  MemoryNetwork,
  type Network,
  NodeClock,
  NodeDisk,
  NodeNetwork,
  NodeRandom,
} from "@vivarium/runtime";
import {
  type Logger,
  type Override,
  parseConfig,
  type RunningServer,
  silentLogger,
  startServer,
} from "@vivarium/server";
import { type DumpedNode, dumpTree } from "./dump.ts";
import { FaultNetwork } from "./fault-network.ts";
import { plant, type SeedTree } from "./seed.ts";
import { TestClock } from "./test-clock.ts";

export interface TestServerOptions {
  /** Settings of zoo.cfg and zookeeper.* properties, such as { tickTime: 500, snapCount: 10 }. */
  settings?: Readonly<Record<string, string | number | boolean>>;
  /** Keeps the data in this directory instead of in memory. */
  dataDir?: string;
  /** "virtual": time moves only by `advance`, and clients must come from `client()`. Default "real". */
  time?: "real" | "virtual";
  /** 0, the default: any free port. */
  port?: number;
  logger?: Logger;
}

/** Something that a test has left behind. */
export interface Leaks {
  sessions: bigint[];
  ephemerals: string[];
  watches: number;
  connections: number;
}

export type OpName = keyof typeof OpCode;

const HOST = "127.0.0.1";

export class TestServer {
  readonly #options: TestServerOptions;
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #network: Network;
  readonly #faults: FaultNetwork;
  readonly #clients = new Set<ZooKeeper>();
  #running: RunningServer | null = null;
  #port: number;
  #chroots = 0;

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options);
    await server.#start();
    return server;
  }

  private constructor(options: TestServerOptions) {
    this.#options = options;
    const isVirtual = options.time === "virtual";
    this.#clock = isVirtual ? new TestClock() : new NodeClock();
    this.#disk =
      options.dataDir === undefined ? new MemoryDisk({ clock: this.#clock, random: new NodeRandom() }) : new NodeDisk();
    this.#network = isVirtual ? new MemoryNetwork({ clock: this.#clock }).host(HOST) : new NodeNetwork();
    this.#faults = new FaultNetwork(this.#network, this.#clock);
    this.#port = options.port ?? 0;
  }

  async #start(): Promise<void> {
    const settings = Object.entries({ tickTime: 2000, "4lw.commands.whitelist": "*", ...this.#options.settings });
    const overrides: Override[] = settings.map(([name, value]) => ({ name, value: String(value) }));
    overrides.push(
      { name: "dataDir", value: this.#options.dataDir ?? "/testkit" },
      { name: "clientPort", value: String(this.#port) },
      { name: "clientPortAddress", value: HOST },
    );
    // A log file grown ahead of its content is for disks, not for memory.
    if (this.#options.dataDir === undefined) overrides.push({ name: "preAllocSize", value: "0" });
    const { config } = parseConfig({ overrides });
    const ports = { clock: this.#clock, disk: this.#disk, network: this.#faults };
    this.#running = await startServer({ config, logger: this.#options.logger ?? silentLogger, ports });
    this.#port = this.#running.address.port;
  }

  get #server(): RunningServer["server"] {
    if (this.#running === null) throw new Error("this test server is stopped; start() or restart() it first");
    return this.#running.server;
  }

  get port(): number {
    return this.#port;
  }

  /** For any client in any language; with virtual time, for clients from `client()` only. */
  get connectString(): string {
    return `${HOST}:${this.#port}`;
  }

  /** A connected client, on this server's clock and network, closed at `stop`. */
  async client(options: ClientOptions & { chroot?: string } = {}): Promise<ZooKeeper> {
    const client = await connect(this.connectString, { clock: this.#clock, network: this.#network, ...options });
    this.#clients.add(client);
    return client;
  }

  /** A connect string with a fresh chroot, made on the server: tests that share a server do not meet. */
  async freshChroot(): Promise<string> {
    this.#chroots++;
    const random = Buffer.from(new NodeRandom().bytes(4)).toString("hex");
    const name = `test-${this.#chroots}-${random}`;
    await this.#withClient((client) => plant(client, { [name]: null }));
    return `${this.connectString}/${name}`;
  }

  /** Puts nodes on the server. */
  async seed(tree: SeedTree): Promise<void> {
    await this.#withClient((client) => plant(client, tree));
  }

  async #withClient<T>(use: (client: ZooKeeper) => Promise<T>): Promise<T> {
    const client = await this.client();
    try {
      return await use(client);
    } finally {
      this.#clients.delete(client);
      await client.close();
    }
  }

  /** All nodes by path, without /zookeeper. */
  dump(): Record<string, DumpedNode> {
    return dumpTree(this.#server);
  }

  /** Ends a session as if its time were over; its client learns of it when it next connects. */
  expireSession(id: bigint): void {
    this.#requireSession(id);
    this.#server.closeSession(id);
  }

  /** Breaks the connection on which a session lives; the session goes on. */
  disconnect(id: bigint): void {
    this.#requireSession(id);
    this.#server.connectionOf(id)?.socket.destroy();
  }

  #requireSession(id: bigint): void {
    if (this.#server.tracker.get(id) !== undefined) return;
    const known = [...this.#server.tracker.all()].map((session) => `0x${session.id.toString(16)}`);
    throw new Error(`no session 0x${id.toString(16)} here; there are: ${known.join(", ") || "none"}`);
  }

  /** From now on nothing comes in and nothing goes out, as if the process were stopped. */
  pause(): void {
    this.#faults.paused = true;
  }

  resume(): void {
    this.#faults.paused = false;
  }

  /** The next request of this kind is carried out, but its reply is lost and its connection breaks. */
  dropNextReply(op: OpName): void {
    const code = OpCode[op];
    if (code === undefined) throw new Error(`no operation "${op}"; one of: ${Object.keys(OpCode).join(", ")}`);
    this.#faults.dropNextReply(code);
  }

  /** Everything that the server sends from now on arrives this much later; 0 ends that. */
  delay(ms: number): void {
    this.#faults.delayMs = ms;
  }

  /** Stops the server and starts it again on the same data and port. Sessions go on, unless their time is over. */
  async restart(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
    await this.#start();
  }

  /** Moves virtual time on: timers run and sessions expire in no time at all. */
  async advance(ms: number): Promise<void> {
    if (!(this.#clock instanceof TestClock)) throw new Error('advance() needs TestServer.start({ time: "virtual" })');
    await this.#clock.run(ms);
  }

  /** What tests have left on the server: sessions of clients that were not closed, their ephemerals and watches. */
  leaks(): Leaks {
    const { tracker, tree, listener } = this.#server;
    const sessions = [...tracker.all()].filter((session) => !session.closing).map((session) => session.id);
    const ephemerals = [...tree.owned.sessions()].flatMap((owner) => tree.ephemerals(owner));
    return { sessions, ephemerals, watches: tree.watches.size, connections: listener.size };
  }

  /** @throws Error that names every leak */
  assertNoLeaks(): void {
    const { sessions, ephemerals, watches, connections } = this.leaks();
    const problems = [
      sessions.length > 0 &&
        `${sessions.length} open sessions: ${sessions.map((id) => `0x${id.toString(16)}`).join(", ")}`,
      ephemerals.length > 0 && `ephemerals: ${ephemerals.join(", ")}`,
      watches > 0 && `${watches} watches`,
      connections > 0 && `${connections} connections`,
    ].filter((problem) => problem !== false);
    if (problems.length > 0) throw new Error(`left behind on the test server: ${problems.join("; ")}`);
  }

  /** Closes the clients that came from `client()`, then the server. Nothing stays open. */
  async stop(): Promise<void> {
    this.resume();
    this.#faults.delayMs = 0;
    await Promise.allSettled([...this.#clients].map((client) => client.close()));
    this.#clients.clear();
    await this.#running?.stop();
    this.#running = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
