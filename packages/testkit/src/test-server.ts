/**
 * A real ZooKeeper server in the test's own process: the one that `vivarium server` runs, on a free port of the
 * loopback address, with its data in memory, and with faults to order.
 *
 * @example
 * await using zk = await TestServer.start(); // or: const zk = ..., and await zk.stop() at the end
 * const client = await zk.connect();
 * await client.create("/config", "v1");
 * zk.disconnect(client); // the client comes back by itself
 * assert.deepEqual(zk.dump(), { "/config": "v1" });
 */
import { type ClientOptions, connect, type ZooKeeper } from "@vivarium/client";
import {
  type Clock,
  MemoryDisk,
  MemoryNetwork,
  type Network,
  NodeClock,
  NodeDisk,
  NodeNetwork,
  NodeRandom,
  type Random,
  SeededRandom,
} from "@vivarium/runtime";
import { type RunningServer, silentLogger, startServer } from "@vivarium/server";
import { FaultNetwork } from "./fault-network.ts";
import { describeLeaks, findLeaks, type Leaks, sessionText } from "./leaks.ts";
import { MortalClock } from "./mortal-clock.ts";
import { MortalDisk } from "./mortal-disk.ts";
import { type OpName, typesOf } from "./op-names.ts";
import { plant, type SeedTree } from "./seed.ts";
import { HOST, serverConfig, type TestServerOptions } from "./server-config.ts";
import { TestClock } from "./test-clock.ts";
import { type Dump, dumpTree, findNode, type TestNode } from "./tree-view.ts";

/** A session: its id, or the client that has it. */
export type SessionOf = bigint | ZooKeeper;

/** One time that the server runs: from its start to its stop or death. */
interface Life {
  readonly running: RunningServer;
  readonly clock: MortalClock;
  readonly disk: MemoryDisk | MortalDisk;
  /** Aborted when the server stops by itself, because of a disk that cannot be written for instance. */
  readonly failed: AbortSignal;
}

/** The same in every run, so that a test in virtual time fails always or never. */
const VIRTUAL_SEED = 1;
/** How long what was closed may take to be seen as closed. */
const LEAK_GRACE_MS = 1000;
const LEAK_POLL_MS = 5;
const HOUR_MS = 3_600_000;

export class TestServer implements AsyncDisposable {
  readonly #options: TestServerOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #disk: MemoryDisk | NodeDisk;
  readonly #network: Network;
  readonly #faults: FaultNetwork;
  readonly #clients = new Set<ZooKeeper>();
  #life: Life | null = null;
  #port: number;
  #chroots = 0;

  /** @throws ConfigError for settings that cannot be used; the error of listening when `port` is taken */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options);
    await server.#start();
    return server;
  }

  private constructor(options: TestServerOptions) {
    const { dataDir, time = "real", port = 0 } = options;
    const isVirtual = time === "virtual";
    if (isVirtual && dataDir !== undefined) {
      throw new Error("virtual time goes with data in memory, because files take real time: leave out dataDir");
    }
    this.#options = options;
    this.#clock = isVirtual ? new TestClock() : new NodeClock();
    this.#random = isVirtual ? new SeededRandom(VIRTUAL_SEED) : new NodeRandom();
    this.#disk = dataDir === undefined ? new MemoryDisk({ clock: this.#clock, random: this.#random }) : new NodeDisk();
    this.#network = isVirtual ? new MemoryNetwork({ clock: this.#clock }).host(HOST) : new NodeNetwork();
    this.#faults = new FaultNetwork(this.#network, this.#clock);
    this.#port = port;
  }

  async #start(): Promise<void> {
    const config = serverConfig(this.#options, this.#port);
    const clock = new MortalClock(this.#clock);
    const disk = this.#disk instanceof MemoryDisk ? this.#disk : new MortalDisk(this.#disk);
    const ports = { clock, disk, network: this.#faults, random: this.#random };
    const running = await startServer({ config, logger: this.#options.logger ?? silentLogger, ports });
    const failure = new AbortController();
    running.stopped.catch((cause: Error) => {
      failure.abort(new Error(`the test server has stopped by itself: ${cause.message}`, { cause }));
    });
    this.#life = { running, clock, disk, failed: failure.signal };
    this.#port = running.address.port;
  }

  get #up(): Life {
    if (this.#life === null) throw new Error("this test server is down; restart() brings it back with its data");
    this.#life.failed.throwIfAborted();
    return this.#life;
  }

  get #server(): RunningServer["server"] {
    return this.#up.running.server;
  }

  // --- clients

  get port(): number {
    return this.#port;
  }

  /** "127.0.0.1:port", for clients in any language. In virtual time it needs `clientOptions` as well. */
  get connectString(): string {
    return `${HOST}:${this.#port}`;
  }

  /** What a client needs besides the connect string when time is virtual: `connect(zk.connectString, zk.clientOptions)`. */
  get clientOptions(): { clock: Clock; network: Network; random: Random } {
    return { clock: this.#clock, network: this.#network, random: this.#random };
  }

  /**
   * A connected client, closed at `stop` unless the test has closed it before. While the server is down or paused it
   * waits, for `connectTimeoutMs` at most.
   */
  async connect(options: ClientOptions = {}): Promise<ZooKeeper> {
    const target = { ...this.clientOptions, ...options };
    const failed = this.#life?.failed;
    try {
      const client = await connect(this.connectString, failed === undefined ? target : { ...target, signal: failed });
      this.#clients.add(client);
      return client;
    } catch (error) {
      failed?.throwIfAborted();
      throw error;
    }
  }

  /** Makes a node with a name of its own, for `connect({ chroot })`: tests that share a server do not meet. */
  async chroot(): Promise<string> {
    this.#chroots++;
    const suffix = Buffer.from(this.#random.bytes(4)).toString("hex");
    const name = `test-${this.#chroots}-${suffix}`;
    await this.seed({ [name]: null });
    return `/${name}`;
  }

  // --- nodes

  /** Puts nodes below `under`, whatever faults are ordered. Missing parents are made, existing nodes get the data. */
  async seed(tree: SeedTree, under = "/"): Promise<void> {
    const { port } = this.#up.running.address;
    const options = { ...this.clientOptions, network: this.#faults.backDoor, chroot: under };
    const client = await connect(`${HOST}:${port}`, options);
    try {
      await plant(client, tree);
    } finally {
      await client.close();
    }
  }

  /**
   * The data of all nodes below `under`, by the paths that a client with that chroot sees; without /zookeeper. What
   * `dump` gives, `seed` takes.
   */
  dump(under = "/"): Dump {
    return dumpTree(this.#server.tree, under);
  }

  /** Data, Stat, ACL and children of one node; undefined when it is not there. */
  node(path: string): TestNode | undefined {
    return findNode(this.#server.tree, path);
  }

  // --- sessions

  /** Ids of the open sessions, those of the code under test included. */
  get sessions(): bigint[] {
    return [...this.#server.tracker.all()].filter(({ closing }) => !closing).map(({ id }) => id);
  }

  /** Ends a session as if its time were over: its ephemerals are gone when this resolves. */
  async expireSession(session: SessionOf): Promise<void> {
    const { running, clock } = this.#up;
    const id = this.#idOf(session);
    running.server.closeSession(id);
    while (this.#life?.running === running && running.server.tracker.get(id) !== undefined) {
      await new Promise<void>((resolve) => clock.defer(resolve));
    }
  }

  /** Breaks a session's connection, or without argument all connections. The sessions go on. */
  disconnect(session?: SessionOf): void {
    const server = this.#server;
    if (session !== undefined) server.connectionOf(this.#idOf(session))?.socket.destroy();
    else for (const connection of [...server.listener.connections()]) connection.socket.destroy();
  }

  #idOf(session: SessionOf): bigint {
    const id = typeof session === "bigint" ? session : session.session.id;
    if (this.#server.tracker.get(id) !== undefined) return id;
    const known = this.sessions.map(sessionText).join(", ") || "none";
    throw new Error(`there is no session ${sessionText(id)} on the test server; open sessions: ${known}`);
  }

  // --- faults

  /** From now on nothing comes in and nothing goes out, as if the process stood still; new connections are accepted. */
  pause(): void {
    this.#faults.paused = true;
  }

  /** Ends `pause`: what has waited arrives, in order. */
  resume(): void {
    this.#faults.paused = false;
  }

  /** Everything that the server sends from now on arrives this many milliseconds later, in order; 0 ends that. */
  delay(ms: number): void {
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new Error(`delay(${ms}): milliseconds from 0 expected`);
    this.#faults.delayMs = ms;
  }

  /** The next such request is carried out, but its reply is lost and the connection breaks: did it happen or not? */
  dropNextReply(op: OpName): void {
    this.#faults.loseReply(typesOf(op));
  }

  /** The next such request is lost on its way and the connection breaks: it is not carried out. */
  dropNextRequest(op: OpName): void {
    this.#faults.loseRequest(typesOf(op));
  }

  // --- life and death

  /** False after `kill` and `stop` until `restart`, and when the server has stopped by itself. */
  get isUp(): boolean {
    return this.#life !== null && !this.#life.failed.aborted;
  }

  /** Stops the server in order, if it is up, and starts it on the same data and port. Sessions that are not over go on. */
  async restart(): Promise<void> {
    await this.#shutDown();
    await this.#start();
  }

  /**
   * Lets the server die as by a power failure, and stay down until `restart`. What it had acknowledged survives; of what
   * was not yet synced the disk in memory keeps or loses any part.
   */
  async kill(): Promise<void> {
    const { clock, disk } = this.#up;
    this.#life = null;
    clock.end();
    if (disk instanceof MemoryDisk) disk.crash();
    await this.#faults.sever();
    if (disk instanceof MortalDisk) await disk.end();
  }

  async #shutDown(): Promise<void> {
    const life = this.#life;
    this.#life = null;
    this.#faults.paused = false;
    await life?.running.stop();
    life?.clock.end();
  }

  /** Ends all faults and closes the clients that came from `connect`: what tests that share a server do in between. */
  async reset(): Promise<void> {
    this.#faults.calm();
    const clients = [...this.#clients];
    this.#clients.clear();
    await Promise.allSettled(clients.map((client) => client.close()));
    if (!this.isUp) return;
    // The session of a client that was closed without a connection would live on until its time is over.
    const open = new Set(this.sessions);
    const left = clients.map((client) => client.session.id).filter((id) => open.has(id));
    await Promise.all(left.map((id) => this.expireSession(id)));
  }

  /** Closes the clients that came from `connect`, then the server. Nothing stays open. Also what `await using` does. */
  async stop(): Promise<void> {
    await this.reset();
    await this.#shutDown();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  // --- virtual time

  get #virtual(): TestClock {
    if (this.#clock instanceof TestClock) return this.#clock;
    throw new Error('only virtual time can be moved on: TestServer.start({ time: "virtual" })');
  }

  /** Moves virtual time on: timers run and sessions expire in no time at all. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new Error(`advance(${ms}): milliseconds from 0 expected`);
    await this.#virtual.run(ms);
  }

  /**
   * Moves virtual time on until the promise settles, and gives what it gives.
   * @param limitMs of virtual time, after which this rejects; default an hour
   */
  advanceUntil<T>(promise: Promise<T>, { limitMs = HOUR_MS }: { limitMs?: number } = {}): Promise<T> {
    return this.#virtual.runUntilSettled(promise, limitMs);
  }

  // --- leaks

  /** What is still held on the server now. The sessions and sockets of `connect`'s clients do not count. */
  leaks(): Leaks {
    return findLeaks(this.#server, new Set([...this.#clients].map((client) => client.session.id)));
  }

  /** Waits a moment for what was closed to be gone. @throws Error that names all that is left */
  async assertNoLeaks(): Promise<void> {
    const untilMs = performance.now() + LEAK_GRACE_MS;
    for (;;) {
      const problem = describeLeaks(this.leaks());
      if (problem === undefined) return;
      if (performance.now() > untilMs) throw new Error(problem);
      // After the timer the sockets have their say: a process that was held up must not blame its clients.
      await new Promise((resolve) => setTimeout(() => setImmediate(resolve), LEAK_POLL_MS));
    }
  }
}
