/**
 * Brings the faults about that the swarm has drawn, each kind in its own rhythm, and takes them all back when the world
 * is to be whole again.
 */
import type { DiskOperation } from "@vivarium/runtime";
import type { ServerNode } from "../ensemble/server-node.ts";
import type { SimClient } from "../workload/sim-client.ts";
import type { Dice } from "../world/dice.ts";
import type { Machine } from "../world/machine.ts";
import type { World } from "../world/world.ts";
import { FAULTS, type FaultKind } from "./faults.ts";
import type { SwarmOptions } from "./swarm.ts";

export interface NemesisOptions {
  world: World;
  swarm: SwarmOptions;
  servers: readonly ServerNode[];
  clients: readonly SimClient[];
}

const CRASH_POINT_REACH = 60;
const WRITING: readonly DiskOperation[] = ["write", "datasync", "syncDirectory", "rename", "open"];

export class Nemesis {
  readonly #world: World;
  readonly #swarm: SwarmOptions;
  readonly #servers: readonly ServerNode[];
  readonly #clients: readonly SimClient[];
  readonly #dice: Dice;
  /** What takes back the faults that last. */
  readonly #undo = new Set<() => void>();
  #active = false;
  readonly counts: Partial<Record<FaultKind, number>> = {};

  constructor({ world, swarm, servers, clients }: NemesisOptions) {
    this.#world = world;
    this.#swarm = swarm;
    this.#servers = servers;
    this.#clients = clients;
    this.#dice = world.dice("crash");
  }

  /** The world as it is without faults. */
  settle(): void {
    const { network } = this.#world;
    network.latency = this.#swarm.latencyMs;
    for (const { machine } of this.#servers) this.#settleDisk(machine);
  }

  #settleDisk({ disk }: Machine): void {
    const dice = this.#world.dice("disk");
    const { fromMs, toMs } = this.#swarm.syncMs;
    disk.latencyMs = (operation) => (operation === "datasync" ? dice.ms(fromMs, toMs) : 0);
    disk.fault = () => null;
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    disk.crashPoint = null;
  }

  begin(): void {
    this.#active = true;
    for (const kind of FAULTS) {
      const meanMs = this.#swarm.faults[kind];
      if (meanMs !== undefined) this.#schedule(kind, meanMs);
    }
  }

  /** No more faults; those that last end now, and what is down starts. */
  end(): void {
    this.#active = false;
    for (const undo of [...this.#undo]) undo();
    this.settle();
    for (const server of this.#servers) server.start();
    for (const client of this.#clients) if (!client.machine.runs) client.start();
  }

  #schedule(kind: FaultKind, meanMs: number): void {
    this.#world.loop.after(this.#dice.waitMs(meanMs), null, () => {
      if (!this.#active) return;
      if (this.#strike(kind)) this.counts[kind] = (this.counts[kind] ?? 0) + 1;
      this.#schedule(kind, meanMs);
    });
  }

  #note(who: string, what: string): void {
    this.#world.trace.add(who, "fault", what);
  }

  /** How long something lasts that takes a while. */
  #lastsMs(fromMs: number, toMs: number): number {
    const { pace } = this.#swarm;
    return this.#dice.ms(fromMs * pace, toMs * pace);
  }

  /** Undone after a while, or when all is to be whole. */
  #lasting(ms: number, undo: () => void): void {
    const once = (): void => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    this.#world.loop.after(ms, null, once);
  }

  /** False: there was nobody to strike. */
  #strike(kind: FaultKind): boolean {
    switch (kind) {
      case "powerFailure":
        return this.#onServer((server) => this.#powerOff(server, "the power fails"));
      case "crashPoint":
        return this.#onServer((server) => this.#setCrashPoint(server));
      case "kill":
        return this.#onServer((server) => this.#kill(server));
      case "restart":
        return this.#onServer((server) => this.#restart(server));
      case "freeze":
        return this.#freeze(this.#dice.pick([...this.#servers, ...this.#clients]).machine);
      case "slowDisk":
        return this.#onServer((server) => this.#slowDisk(server));
      case "failingDisk":
        return this.#onServer((server) => this.#failingDisk(server));
      case "fullDisk":
        return this.#onServer((server) => this.#fullDisk(server));
      case "oneWayCut":
        return this.#oneWayCut();
      case "isolation":
        return this.#isolate(this.#dice.pick([...this.#servers, ...this.#clients]).machine);
      case "reset":
        return this.#reset();
      case "slowNetwork":
        return this.#slowNetwork();
      case "wallJump":
        return this.#onServer((server) => this.#jump(server));
      case "clientKill":
        return this.#killClient();
    }
  }

  #onServer(act: (server: ServerNode) => void): boolean {
    const server = this.#dice.pick(this.#servers);
    if (server.isDown) return false;
    act(server);
    return true;
  }

  #startLater(server: ServerNode): void {
    this.#world.loop.after(this.#lastsMs(100, 5000), null, () => server.start());
  }

  #powerOff(server: ServerNode, why: string): void {
    this.#note(server.name, why);
    server.powerOff();
    server.machine.disk.crashPoint = null;
    this.#startLater(server);
  }

  #setCrashPoint(server: ServerNode): void {
    const { disk } = server.machine;
    const operationsLeft = this.#dice.int(CRASH_POINT_REACH);
    const after = this.#dice.chance(0.5);
    this.#note(
      server.name,
      `the power will fail ${after ? "after" : "before"} disk operation ${operationsLeft} from now`,
    );
    disk.crashPoint = {
      operationsLeft,
      after,
      crash: () => this.#powerOff(server, "the power fails at its disk operation"),
    };
  }

  #kill(server: ServerNode): void {
    this.#note(server.name, "is killed");
    server.kill();
    this.#startLater(server);
  }

  #restart(server: ServerNode): void {
    this.#note(server.name, "is asked to stop");
    server.stop();
  }

  #freeze(machine: Machine): boolean {
    if (!machine.runs || machine.process.frozen) return false;
    const ms = this.#dice.pick([this.#lastsMs(10, 300), this.#lastsMs(500, 8000)]);
    this.#note(machine.name, `stands still for ${ms} ms`);
    machine.freeze();
    this.#lasting(ms, () => machine.thaw());
    return true;
  }

  #slowDisk(server: ServerNode): void {
    const ms = this.#lastsMs(500, 5000);
    const worstMs = this.#dice.pick([100, 1000, 4000]) * this.#swarm.pace;
    this.#note(server.name, `syncs take up to ${worstMs} ms, for ${ms} ms`);
    const dice = this.#world.dice("disk");
    server.machine.disk.latencyMs = (operation) => (operation === "datasync" ? dice.ms(0, worstMs) : 0);
    this.#lasting(ms, () => this.#settleDisk(server.machine));
  }

  #failingDisk(server: ServerNode): void {
    const ms = this.#lastsMs(1, 2000);
    const chance = this.#dice.pick([0.02, 0.2, 1]);
    const operations = this.#dice.chance(0.5) ? WRITING : [this.#dice.pick(WRITING)];
    this.#note(server.name, `${operations.join(", ")} fail with chance ${chance}, for ${ms} ms`);
    const dice = this.#world.dice("disk");
    server.machine.disk.fault = (operation) => {
      if (!operations.includes(operation) || !dice.chance(chance)) return null;
      server.excuse();
      return "EIO";
    };
    this.#lasting(ms, () => this.#settleDisk(server.machine));
  }

  #fullDisk(server: ServerNode): void {
    const ms = this.#lastsMs(100, 5000);
    const leftBytes = this.#dice.pick([0, 100, 5000]);
    const { disk } = server.machine;
    this.#note(server.name, `its disk is full but for ${leftBytes} bytes, for ${ms} ms`);
    server.excuse();
    disk.capacityBytes = disk.usedBytes + leftBytes;
    this.#lasting(ms, () => this.#settleDisk(server.machine));
  }

  #machines(): Machine[] {
    return [...this.#servers, ...this.#clients].map(({ machine }) => machine);
  }

  /** Between a server and anybody: clients have nothing to say to each other. */
  #pair(): [Machine, Machine] {
    const server = this.#dice.pick(this.#servers).machine;
    const other = this.#dice.pick(this.#machines().filter((machine) => machine !== server));
    return this.#dice.chance(0.5) ? [server, other] : [other, server];
  }

  #oneWayCut(): boolean {
    const [from, to] = this.#pair();
    const ms = this.#lastsMs(50, 8000);
    this.#note(from.name, `nothing from here reaches ${to.name}, for ${ms} ms`);
    this.#world.network.cut(from, to);
    this.#lasting(ms, () => this.#world.network.heal(from, to));
    return true;
  }

  #isolate(machine: Machine): boolean {
    const ms = this.#lastsMs(100, 10_000);
    this.#note(machine.name, `is cut off from all others, for ${ms} ms`);
    const others = this.#machines().filter((other) => other !== machine);
    const { network } = this.#world;
    for (const other of others) {
      network.cut(machine, other);
      network.cut(other, machine);
    }
    this.#lasting(ms, () => {
      for (const other of others) {
        network.heal(machine, other);
        network.heal(other, machine);
      }
    });
    return true;
  }

  #reset(): boolean {
    const [a, b] = this.#pair();
    const count = this.#world.network.reset(a, b);
    if (count > 0) this.#note(a.name, `${count} connections with ${b.name} are reset`);
    return count > 0;
  }

  #slowNetwork(): boolean {
    const ms = this.#lastsMs(500, 4000);
    const toMs = this.#dice.pick([50, 500, 2000]) * this.#swarm.pace;
    this.#note("-", `everything travels up to ${toMs} ms, for ${ms} ms`);
    this.#world.network.latency = { fromMs: 0, toMs };
    this.#lasting(ms, () => {
      this.#world.network.latency = this.#swarm.latencyMs;
    });
    return true;
  }

  #jump(server: ServerNode): void {
    const byMs = this.#dice.pick([-86_400_000, -5000, -1, 1, 5000, 3_600_000]);
    this.#note(server.name, `its wall clock jumps by ${byMs} ms`);
    server.machine.clock.jumpWall(byMs);
  }

  #killClient(): boolean {
    const client = this.#dice.pick(this.#clients);
    if (!client.machine.runs) return false;
    this.#note(client.name, "is killed");
    client.kill();
    this.#world.loop.after(this.#lastsMs(0, 3000), null, () => {
      if (!client.machine.runs) client.start();
    });
    return true;
  }
}
