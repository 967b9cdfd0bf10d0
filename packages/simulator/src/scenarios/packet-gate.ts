/** Looks at what servers say to each other as leader and learner, and lets nothing pass from a certain packet on. */
import { ProtocolError, Reader } from "@vivarium/jute";
import { QuorumPacket } from "@vivarium/protocol";
import type { Machine } from "../world/machine.ts";
import type { SimConnection } from "../world/sim-connection.ts";
import type { SimNetwork } from "../world/sim-network.ts";

const QUORUM_PORT = 2888;

interface Gate {
  readonly from: string;
  readonly to: string;
  readonly isWanted: (packet: QuorumPacket) => boolean;
  readonly onHeld: (packet: QuorumPacket) => void;
}

export class PacketGate {
  readonly #network: SimNetwork;
  #gates: readonly Gate[] = [];

  constructor(network: SimNetwork) {
    this.#network = network;
  }

  /** Once; `onHeld` is to cut the way on which the packet came. */
  closeBefore(way: { from: Machine; to: Machine }, isWanted: Gate["isWanted"], onHeld: Gate["onHeld"]): void {
    this.#gates = [...this.#gates, { from: way.from.address, to: way.to.address, isWanted, onHeld }];
    this.#network.passes = (to, bytes) => this.#passes(to, bytes);
  }

  /** Nothing is looked at any more. */
  open(): void {
    this.#gates = [];
    this.#network.passes = null;
  }

  #passes({ localAddress, localPort, remoteAddress, remotePort }: SimConnection, bytes: Uint8Array): number {
    if (localPort !== QUORUM_PORT && remotePort !== QUORUM_PORT) return bytes.length;
    const gates = this.#gates.filter(({ from, to }) => from === remoteAddress && to === localAddress);
    if (gates.length === 0) return bytes.length;
    for (const { packet, start } of packetsIn(bytes)) {
      const gate = gates.find(({ isWanted }) => isWanted(packet));
      if (gate === undefined) continue;
      this.#gates = this.#gates.filter((other) => other !== gate);
      gate.onHeld(packet);
      return start;
    }
    return bytes.length;
  }
}

/** As far as they are packets: a snapshot's bytes are none. */
function* packetsIn(bytes: Uint8Array): Generator<{ packet: QuorumPacket; start: number }> {
  const reader = new Reader(bytes);
  while (reader.remaining > 0) {
    const start = reader.offset;
    try {
      yield { packet: QuorumPacket.read(reader), start };
    } catch (error) {
      if (error instanceof ProtocolError) return;
      throw error;
    }
  }
}
