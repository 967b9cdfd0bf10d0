/**
 * The quorum port of a server that leads: every learner that connects becomes a PacketStream. Who it is and whether it
 * is welcome, its first packet tells the Leader machine.
 */
import type { MemberAddress } from "@vivarium/protocol";
import type { Clock, Connection, Listener, Network } from "@vivarium/runtime";
import { type Logger, LogThrottle } from "../log/index.ts";
import { quorumAddresses, remoteEnd } from "./dial.ts";
import { listenForPeers } from "./listen-for-peers.ts";
import { PacketStream, type PacketStreamLimits } from "./packet-stream.ts";

export interface QuorumListenerOptions extends PacketStreamLimits {
  network: Network;
  clock: Clock;
  logger: Logger;
  /** This server's own. */
  addresses: readonly MemberAddress[];
  /** `quorumListenOnAllIPs` */
  onAllAddresses?: boolean;
  keepAlive?: boolean;
  /** initLimit × tickTime: the longest silence of a learner until its owner says otherwise, in milliseconds. */
  initTimeoutMs: number;
  /** Connections at a time; further ones are closed. Default 1000. */
  maxConnections?: number;
  /** Within this call the stream's callbacks are set. */
  onStream: (stream: PacketStream) => void;
}

const DEFAULT_MAX_CONNECTIONS = 1000;

export class QuorumListener {
  readonly #options: QuorumListenerOptions;
  readonly #warnings: LogThrottle;
  #listeners: Listener[] = [];
  #connections = 0;
  #isClosed = false;

  private constructor(options: QuorumListenerOptions) {
    const { logger, clock } = options;
    this.#options = options;
    this.#warnings = new LogThrottle({ logger, now: () => clock.monotonicMs() });
  }

  /** @throws Error when an address cannot be listened on: this server cannot lead. */
  static async listen(options: QuorumListenerOptions): Promise<QuorumListener> {
    const listener = new QuorumListener(options);
    listener.#listeners = await listenForPeers({
      ...options,
      addresses: quorumAddresses(options.addresses),
      lendsInput: true,
      onConnection: (connection) => listener.#accept(connection),
      onError: (error) => listener.#warnings.warn("could not accept a learner", { error }),
    });
    return listener;
  }

  /** The ports listened on, in the order of the addresses. */
  get ports(): number[] {
    return this.#listeners.map(({ port }) => port);
  }

  #accept(connection: Connection): void {
    const { maxConnections = DEFAULT_MAX_CONNECTIONS, initTimeoutMs, onStream } = this.#options;
    if (this.#isClosed) return connection.destroy();
    if (this.#connections >= maxConnections) {
      const peer = remoteEnd(connection);
      this.#warnings.warn("refused a learner: too many connections on the quorum port", { peer, maxConnections });
      return connection.destroy();
    }
    this.#connections++;
    const onOver = (): void => void this.#connections--;
    const stream = new PacketStream({ ...this.#options, connection, onOver });
    stream.setReadTimeout(initTimeoutMs);
    onStream(stream);
  }

  /** Accepts no more; the streams that exist are their owner's. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#warnings.flush();
    for (const listener of this.#listeners) await listener.close();
  }
}
