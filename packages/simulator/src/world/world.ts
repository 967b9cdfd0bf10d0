/** What a simulation consists of beside its programs: time, cables, randomness, the record of it all. */
import { SeededRandom } from "@vivarium/runtime";
import { Dice } from "./dice.ts";
import { EventLoop } from "./event-loop.ts";
import { SimNetwork } from "./sim-network.ts";
import { Trace } from "./trace.ts";

/** What is drawn for one purpose leaves the draws for the others as they were. */
export type StreamName = "size" | "swarm" | "network" | "disk" | "crash" | "workload" | "clock" | "programs";

export class World {
  readonly loop = new EventLoop();
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly #seed: SeededRandom;
  readonly #streams = new Map<StreamName, SeededRandom>();

  constructor(seed: number, print?: (line: string) => void) {
    this.#seed = new SeededRandom(seed);
    this.trace = new Trace(this.loop, print);
    this.network = new SimNetwork(this.loop, new Dice(this.stream("network")), this.trace);
  }

  stream(name: StreamName): SeededRandom {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = this.#seed.fork(name);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  dice(name: StreamName): Dice {
    return new Dice(this.stream(name));
  }
}
