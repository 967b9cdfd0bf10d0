/** A client machine with one session, which does what the play says. */
import { ZooKeeper } from "@vivarium/client";
import { Machine } from "../world/machine.ts";
import type { World } from "../world/world.ts";

export interface StageClientOptions {
  readonly name: string;
  readonly address: string;
  readonly connectString: string;
  /** One to be resumed. */
  readonly session?: ZooKeeper["session"];
}

/** Long enough to outlast every play. */
const SESSION_TIMEOUT_MS = 600_000;

export class StageClient {
  readonly machine: Machine;
  readonly zk: ZooKeeper;

  constructor(world: World, { name, address, connectString, session }: StageClientOptions) {
    this.machine = new Machine(world, { name, address, clockRate: 1 });
    this.machine.boot();
    this.zk = new ZooKeeper(connectString, {
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      backoff: { maxMs: 20 },
      clock: this.machine.clock,
      network: this.machine.network,
      random: world.stream("programs").fork(name),
      onSessionEvent: (event) => world.trace.add(name, "session", event.type),
      ...(session === undefined ? {} : { session }),
    });
  }
}
