/** Servers on a network in memory, on virtual time: what tests of the transport between servers stand on. */
import { type Member, Role } from "@vivarium/protocol";
import { type Connection, MemoryNetwork, VirtualClock } from "@vivarium/runtime";
import { type CollectedLogs, collectLogs, LogThrottle } from "../../log/index.ts";
import type { PacketStream, PacketStreamLimits } from "../packet-stream.ts";
import { QuorumListener } from "../quorum-listener.ts";

export const QUORUM_PORT = 2888;
export const ELECTION_PORT = 3888;

export const hostOf = (id: number): string => `10.0.0.${id}`;

export function member(id: number, host: string = hostOf(id)): Member {
  const addresses = [{ host, quorumPort: QUORUM_PORT, electionPort: ELECTION_PORT }];
  return { id, role: Role.participant, addresses, client: undefined };
}

/** One end of a connection without any protocol: what arrives is kept. */
export class RawEnd {
  readonly connection: Connection;
  readonly chunks: Uint8Array[] = [];
  isConnected = false;
  hasEnded = false;
  isClosed = false;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.onConnect = () => {
      this.isConnected = true;
    };
    connection.onData = (chunk) => {
      this.chunks.push(chunk);
    };
    connection.onEnd = () => {
      this.hasEnded = true;
      connection.end();
    };
    connection.onClose = () => {
      this.isClosed = true;
    };
  }

  get hex(): string {
    return Buffer.concat(this.chunks).toString("hex");
  }
}

export class PeerBed {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly logs: CollectedLogs = collectLogs();
  readonly log = new LogThrottle({ logger: this.logs.logger, now: () => this.clock.monotonicMs() });

  get warnings(): string[] {
    return this.logs.records.filter(({ level }) => level === "warn").map(({ message }) => message);
  }

  /** The `problem` fields of the warnings. */
  get problems(): unknown[] {
    return this.logs.records.filter(({ level }) => level === "warn").map(({ fields }) => fields["problem"]);
  }

  settle(ms = 0): Promise<void> {
    return this.clock.run(ms);
  }

  dial(from: string, id: number, port: number): RawEnd {
    return new RawEnd(this.network.host(from).connect({ host: hostOf(id), port, timeoutMs: 1000 }));
  }

  /** A port where a foreign server answers. */
  async foreign(id: number, port: number): Promise<RawEnd[]> {
    const ends: RawEnd[] = [];
    await this.network.host(hostOf(id)).listen({ port }, (connection) => ends.push(new RawEnd(connection)));
    return ends;
  }

  /** A stream of ours on server 1 and the raw other end of its connection on server 2. */
  async stream(limits: PacketStreamLimits = {}): Promise<{ stream: PacketStream; raw: RawEnd }> {
    const streams: PacketStream[] = [];
    const { clock, network, logs } = this;
    await QuorumListener.listen({
      network: network.host(hostOf(1)),
      clock,
      logger: logs.logger,
      addresses: member(1).addresses,
      initTimeoutMs: 0,
      onStream: (stream) => streams.push(stream),
      ...limits,
    });
    const raw = this.dial(hostOf(2), 1, QUORUM_PORT);
    await this.settle();
    return { stream: streams[0] as PacketStream, raw };
  }
}
