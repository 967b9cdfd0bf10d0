/** The outside world of a server; each part may be replaced by another form, such as the simulator's. */
import {
  type Clock,
  type Disk,
  type Network,
  NodeClock,
  NodeDisk,
  NodeNetwork,
  NodeRandom,
  type Random,
} from "@vivarium/runtime";

export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly disk: Disk;
}

/** The given ports; where one is not given, the one that Node.js offers. */
export function portsOf(given: Partial<ServerPorts> = {}): ServerPorts {
  return {
    clock: given.clock ?? new NodeClock(),
    random: given.random ?? new NodeRandom(),
    network: given.network ?? new NodeNetwork(),
    disk: given.disk ?? new NodeDisk(),
  };
}
