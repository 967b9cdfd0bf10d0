/**
 * A computer: an address, a clock of its own, a disk, and at most one program. The program sees the world only through
 * the machine's ports; whatever the world does to it arrives as tasks of its process.
 *
 *   off ─boot─► a process runs ─exit, kill─► none runs (the disk is as the program left it) ─boot─► …
 *                     └──────powerOff──────► off (the disk has forgotten some of what was not synced)
 */
import type { Network } from "@vivarium/runtime";
import { type EventLoop, Process } from "./event-loop.ts";
import { MachineClock } from "./machine-clock.ts";
import { SimDisk } from "./sim-disk.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { World } from "./world.ts";

export interface MachineOptions {
  /** As traces show it: "s1", "c2". */
  name: string;
  address: string;
  /** How fast its clock runs; 1 is right. */
  clockRate: number;
}

export class Machine {
  readonly name: string;
  readonly address: string;
  readonly clock: MachineClock;
  readonly disk: SimDisk;
  readonly network: Network;
  readonly #loop: EventLoop;
  readonly #net: SimNetwork;
  /** Belongs to tasks while nothing runs here, so that they vanish. */
  process = new Process("nothing");
  /** Without power nothing answers, not even with a refusal. */
  hasPower = false;
  #lives = 0;

  constructor(world: World, { name, address, clockRate }: MachineOptions) {
    this.name = name;
    this.address = address;
    this.process.alive = false;
    this.#loop = world.loop;
    this.#net = world.network;
    this.clock = new MachineClock(this, world.loop, clockRate);
    this.disk = new SimDisk(this, world);
    this.network = this.#net.attach(this);
  }

  get runs(): boolean {
    return this.process.alive;
  }

  /** Starts a program's process, to which everything belongs that is asked of the ports from now on. */
  boot(): Process {
    if (this.runs) throw new Error(`${this.name} runs already`);
    this.#lives++;
    this.hasPower = true;
    this.process = new Process(`${this.name}#${this.#lives}`);
    return this.process;
  }

  /** The program ends, by itself or killed; its machine closes its connections and says so. */
  kill(): void {
    this.#end();
    this.disk.kill();
    this.#net.closeAll(this);
  }

  /** The power fails: nobody is told anything, and what was not synced may be lost. */
  powerOff(): void {
    this.#end();
    this.hasPower = false;
    this.disk.crash();
    this.#net.silence(this);
  }

  #end(): void {
    this.process.alive = false;
    this.process.held.length = 0;
  }

  freeze(): void {
    this.process.frozen = true;
  }

  thaw(): void {
    if (this.process.frozen) this.#loop.thaw(this.process);
  }
}
