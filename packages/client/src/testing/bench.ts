/** A client and scripted servers on one virtual clock: nothing happens but by `run`. */
import { MemoryNetwork, SeededRandom, VirtualClock } from "@vivarium/runtime";
import { type ClientOptions, type SessionEvent, ZooKeeper } from "../index.ts";
import { ScriptedServer } from "./scripted-server.ts";

export interface Bench {
  clock: VirtualClock;
  network: MemoryNetwork;
  server: ScriptedServer;
  zk: ZooKeeper;
  events: SessionEvent[];
  /** Names of the session events so far. */
  eventTypes(): string[];
  run(ms?: number): Promise<void>;
}

export interface BenchOptions extends ClientOptions {
  connectString?: string;
  /** Prepares the server before the client is made. */
  prepare?: (server: ScriptedServer, network: MemoryNetwork) => void | Promise<void>;
}

const CLIENT_ADDRESS = "10.0.1.1";

export async function startBench({ connectString, prepare, ...options }: BenchOptions = {}): Promise<Bench> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const server = await ScriptedServer.start({ network });
  await prepare?.(server, network);
  const events: SessionEvent[] = [];
  const zk = new ZooKeeper(connectString ?? "10.0.0.1:2181", {
    sessionTimeoutMs: 6000,
    clock,
    network: network.host(CLIENT_ADDRESS),
    random: new SeededRandom(1),
    onSessionEvent: (event) => events.push(event),
    ...options,
  });
  const run = (ms = 0): Promise<void> => clock.run(ms);
  await run(1);
  return { clock, network, server, zk, events, run, eventTypes: () => events.map((event) => event.type) };
}
