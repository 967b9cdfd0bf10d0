/** The outside world of a server; each part may be replaced by another form, such as the simulator's. */
import type { Txn } from "@vivarium/protocol";
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
import type { DataTree } from "@vivarium/tree";

export interface ServerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly disk: Disk;
  /** Who looks on: told of every transaction once the server's tree has applied it, replayed ones included. */
  readonly onApplied: ((txn: Txn, tree: DataTree) => void) | undefined;
}

/** The given ports; where one is not given, the one that Node.js offers. */
export function portsOf(given: Partial<ServerPorts> = {}): ServerPorts {
  return {
    clock: given.clock ?? new NodeClock(),
    random: given.random ?? new NodeRandom(),
    network: given.network ?? new NodeNetwork(),
    disk: given.disk ?? new NodeDisk(),
    onApplied: given.onApplied,
  };
}
