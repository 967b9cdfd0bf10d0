/**
 * A whole server on virtual time: its disk and network are in memory, its clock moves when the test says so, and its
 * log lines are kept. Nothing here waits for real time, and one test's run is like the next.
 */
import { type Clock, MemoryDisk, MemoryNetwork, SeededRandom, type Timer, VirtualClock } from "@vivarium/runtime";
import { parseConfig } from "../config/index.ts";
import { type CollectedLogs, collectLogs } from "../log/index.ts";
import { type RunningServer, startServer } from "../start-server.ts";
import { type HelloOptions, RawClient } from "./raw-client.ts";

export const SERVER_ADDRESS = "10.0.0.1";
export const CLIENT_ADDRESS = "10.0.0.9";
const PORT = 2181;

export type Settings = Readonly<Record<string, string | number | boolean>>;

export class TestBed {
  readonly clock = new VirtualClock();
  readonly disk = new MemoryDisk({ clock: this.clock, random: new SeededRandom(1) });
  network = new MemoryNetwork({ clock: this.clock });
  readonly logs: CollectedLogs = collectLogs();
  settings: Settings;
  #running: RunningServer | null = null;
  #life = new LifeClock(this.clock);

  constructor(settings: Settings = {}) {
    this.settings = settings;
  }

  static async start(settings: Settings = {}): Promise<TestBed> {
    const bed = new TestBed(settings);
    await bed.start();
    return bed;
  }

  async start(): Promise<void> {
    this.#running = await this.clock.runUntil(startServer(this.#options()));
  }

  #options() {
    const settings = {
      tickTime: 1000,
      dataDir: "/data",
      clientPort: PORT,
      clientPortAddress: SERVER_ADDRESS,
      preAllocSize: 0,
      "4lw.commands.whitelist": "*",
      ...this.settings,
    };
    const overrides = Object.entries(settings).map(([name, value]) => ({ name, value: String(value) }));
    this.#life = new LifeClock(this.clock);
    const ports = {
      clock: this.#life,
      disk: this.disk,
      network: this.network.host(SERVER_ADDRESS),
      random: new SeededRandom(2),
    };
    return { config: parseConfig({ overrides }).config, logger: this.logs.logger, ports };
  }

  get running(): RunningServer {
    if (this.#running === null) throw new Error("the server of this test is not running");
    return this.#running;
  }

  get server(): RunningServer["server"] {
    return this.running.server;
  }

  async stop(): Promise<void> {
    await this.clock.runUntil(this.running.stop());
    this.#running = null;
  }

  /** From now on whatever the server does between two looks at its clock takes so long. */
  slowDown(lookMs: number): void {
    this.#life.lookMs = lookMs;
  }

  /** SIGKILL: nothing is flushed, closed or said. */
  kill(): void {
    this.#life.isOver = true;
    this.network.reset(SERVER_ADDRESS);
    this.network = new MemoryNetwork({ clock: this.clock });
    this.disk.kill();
    this.#running = null;
  }

  /** As `kill`, and what was not synced may be lost. */
  powerFailure(): void {
    this.kill();
    this.disk.crash();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Lets everything happen that is due now. */
  settle = (): Promise<void> => this.clock.run(0);

  /** A connection that has said nothing yet. */
  async connect(address = CLIENT_ADDRESS): Promise<RawClient> {
    const connection = this.network.host(address).connect({ host: SERVER_ADDRESS, port: PORT });
    const client = new RawClient(connection, this.settle);
    await this.settle();
    return client;
  }

  /** A connection with a session. */
  async client(options: HelloOptions & { address?: string } = {}): Promise<RawClient> {
    const { address, ...hello } = options;
    const client = await this.connect(address);
    await client.hello(hello);
    if (client.greeting === undefined) throw new Error("the server refused the connection");
    return client;
  }

  /** The whole answer to a four-letter word. */
  async word(word: string, address?: string): Promise<string> {
    const client = await this.connect(address);
    client.sendBytes(word);
    await this.settle();
    return client.text;
  }

  /** The messages logged at this level so far. */
  said(level: "error" | "warn" | "info" | "debug"): string[] {
    return this.logs.records.filter((record) => record.level === level).map((record) => record.message);
  }
}

/** The clock of one life of the server: nothing that was due later happens once it is over. */
export class LifeClock implements Clock {
  isOver = false;
  /** How much later it is at each look, as if what happens between two looks took time. */
  lookMs = 0;
  #aheadMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  monotonicMs(): number {
    this.#aheadMs += this.lookMs;
    return this.#clock.monotonicMs() + this.#aheadMs;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#clock.setTimer(delayMs, () => {
      if (!this.isOver) callback();
    });
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }
}
