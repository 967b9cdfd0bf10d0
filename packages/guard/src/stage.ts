/**
 * Where a workload plays: one server or three as they are, on a turn loop, a counted disk and network in memory, and the
 * connections of clients. Everything that a run does follows from the workload, so that two runs do exactly the same.
 *
 *   rounds ─► ClientWire ─► server ─► CountedClock, countedDisk, ClientWire      (all add to one Counts)
 *                             └─► other servers, over a MemoryNetwork
 */
import { MemoryDisk, MemoryNetwork, type Network, SeededRandom } from "@vivarium/runtime";
import {
  loadMembership,
  parseConfig,
  type RunningServer,
  type ServerPorts,
  silentLogger,
  startServer,
} from "@vivarium/server";
import { ClientWire } from "./client-wire.ts";
import { CopyMeter } from "./copy-meter.ts";
import { CountedClock, Counts, countedDisk } from "./counts.ts";
import { connectFrame } from "./requests.ts";
import { TurnLoop } from "./turn-loop.ts";

// Loading takes real time, which a virtual clock does not wait for.
await loadMembership();

const CLIENT_PORT = 2181;
const FIRST_WIRE_PORT = 40_000;

/** One chunk for each connection; together they are what is sent in one turn. */
export type Round = readonly Uint8Array[];

/** Changes the ports that a server gets: how a test makes a server worse than it is. */
export type Plant = (ports: Partial<ServerPorts>) => Partial<ServerPorts>;

export interface StageOptions {
  readonly servers: 1 | 3;
  readonly connections: number;
  readonly plant?: Plant | undefined;
}

export class Stage {
  readonly counts = new Counts();
  readonly copies = new CopyMeter();
  readonly loop = new TurnLoop();
  readonly #network = new MemoryNetwork({ clock: this.loop });
  readonly #accept: ((wire: ClientWire) => void)[] = [];
  readonly #wires: ClientWire[] = [];

  private constructor() {}

  /** Servers in service, and a session on each connection. */
  static async open({ servers, connections, plant = (ports) => ports }: StageOptions): Promise<Stage> {
    const stage = new Stage();
    const starting = hosts(servers).map((host, index) => stage.#start({ host, index, servers, plant }));
    const running = await stage.loop.until(Promise.all(starting));
    await stage.loop.run(() => running.every(isInService), { waits: true });
    for (let i = 0; i < connections; i++) stage.#connect(i);
    await stage.#answered(stage.#wires.map(() => 1));
    return stage;
  }

  #start(options: { host: string; index: number; servers: number; plant: Plant }): Promise<RunningServer> {
    const { host, index, servers, plant } = options;
    const { loop, counts } = this;
    const random = new SeededRandom(index + 1);
    const disk = countedDisk({ disk: new MemoryDisk({ clock: loop, random }), clock: loop, counts });
    const ports = plant({ clock: new CountedClock(loop, counts), random, disk, network: this.#networkOf(host, index) });
    const { config } = parseConfig({
      file: "zoo.cfg",
      text: zooCfg(host, servers),
      myid: { file: "/data/myid", text: String(index + 1) },
    });
    return startServer({ config, logger: silentLogger, ports });
  }

  /** Clients come by ClientWire, other servers by the network in memory, of which only the writes are counted. */
  #networkOf(host: string, index: number): Network {
    const network = this.#network.host(host);
    return {
      listen: async (options, onConnection) => {
        if (options.port !== CLIENT_PORT) {
          return network.listen(options, (connection) => onConnection(this.#counted(connection)));
        }
        this.#accept[index] = onConnection;
        return { host, port: CLIENT_PORT, close: async () => {} };
      },
      connect: (options) => this.#counted(network.connect(options)),
    };
  }

  #counted<C extends { write(bytes: Uint8Array): boolean }>(connection: C): C {
    const write = connection.write.bind(connection);
    connection.write = (bytes) => {
      this.counts.socketWrites++;
      this.counts.socketBytes += bytes.length;
      return this.copies.without(() => write(bytes));
    };
    return connection;
  }

  #connect(index: number): void {
    const accept = this.#accept[index % this.#accept.length];
    if (accept === undefined) throw new Error("no server listens for clients");
    const wire = new ClientWire({ port: FIRST_WIRE_PORT + index, clock: this.loop, counts: this.counts });
    this.#wires.push(wire);
    accept(wire);
    wire.feed(connectFrame());
  }

  /** Replies and watch events so far. */
  get packets(): number {
    return this.#wires.reduce((sum, wire) => sum + wire.packets, 0);
  }

  /** One round after the other; each begins when every connection has got `packets[i]` for the one before. */
  async play(rounds: readonly Round[], packets: readonly number[]): Promise<void> {
    const wanted = this.#wires.map((wire) => wire.packets);
    let next = 0;
    const done = (): boolean => {
      if (!this.#have(wanted)) return false;
      const round = rounds[next++];
      if (round === undefined) return true;
      for (let i = 0; i < round.length; i++) wanted[i] = (wanted[i] as number) + (packets[i] as number);
      for (let i = 0; i < round.length; i++) this.#feed(i, round[i] as Uint8Array);
      return false;
    };
    this.counts.turns += await this.loop.run(done);
  }

  /** Turns in which nothing is asked. */
  async idle(turns: number): Promise<void> {
    let left = turns;
    await this.loop.run(() => left-- === 0);
  }

  #feed(index: number, chunk: Uint8Array): void {
    if (chunk.length > 0) (this.#wires[index] as ClientWire).feed(chunk);
  }

  async #answered(wanted: readonly number[]): Promise<void> {
    await this.loop.run(() => this.#have(wanted), { waits: true });
  }

  #have(wanted: readonly number[]): boolean {
    for (let i = 0; i < wanted.length; i++) {
      const wire = this.#wires[i] as ClientWire;
      if (wire.problem !== null) throw new Error(`connection ${i}: ${wire.problem}`);
      if (wire.packets < (wanted[i] as number)) return false;
    }
    return true;
  }
}

const hosts = (servers: number): string[] => Array.from({ length: servers }, (_, index) => `10.0.0.${index + 1}`);

/** Nothing but requests: no snapshot, and no file that grows ahead of its content. */
function zooCfg(host: string, servers: number): string {
  const ensemble = hosts(servers).map((other, index) => `server.${index + 1}=${other}:2888:3888`);
  return [
    "dataDir=/data",
    `clientPort=${CLIENT_PORT}`,
    `clientPortAddress=${host}`,
    "tickTime=2000",
    "initLimit=10",
    "syncLimit=5",
    "maxClientCnxns=0",
    "preAllocSize=0",
    "snapCount=1000000000",
    ...(servers > 1 ? ensemble : []),
  ].join("\n");
}

function isInService(running: RunningServer): boolean {
  try {
    return running.server !== undefined;
  } catch {
    return false;
  }
}
