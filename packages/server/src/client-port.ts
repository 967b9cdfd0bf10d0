/** The client port of a server: its listener with the limits of its configuration, and four-letter words. */
import type { ClientConnection } from "./client-connection.ts";
import { ClientListener } from "./client-listener.ts";
import type { ServerConfig } from "./config/index.ts";
import { answerFourLetterWord, type WordContext } from "./four-letter-words/index.ts";
import { type Logger, LogThrottle } from "./log/index.ts";
import type { ServerPorts } from "./server-ports.ts";
import type { ServerStats } from "./server-stats.ts";

export interface ClientPortOptions {
  config: ServerConfig;
  ports: ServerPorts;
  logger: Logger;
  stats: ServerStats;
  /** What four-letter words see; asked at each. */
  words: () => Omit<WordContext, "allowed" | "clientPort" | "stats">;
}

export class ClientPort {
  readonly listener: ClientListener;
  address = { host: "", port: 0 };
  readonly #options: ClientPortOptions;

  constructor(options: ClientPortOptions) {
    const { config, ports, logger, stats } = options;
    this.#options = options;
    this.listener = new ClientListener({
      clock: ports.clock,
      stats,
      log: new LogThrottle({ logger, now: () => ports.clock.monotonicMs() }),
      limits: {
        maxClientCnxns: config.maxClientCnxns,
        maxCnxns: config.maxCnxns,
        sessionlessTimeoutMs: config.sessionlessCnxnTimeoutMs,
        maxFrameBytes: config.maxBufferBytes,
      },
      fourLetterWord: (connection, word) => this.#fourLetterWord(connection, word),
    });
  }

  /** Opens the port. @throws the error of listening, such as EADDRINUSE */
  async listen(): Promise<void> {
    const { config, ports } = this.#options;
    const { clientPort: port, clientPortAddress: host, clientPortListenBacklog: backlog } = config;
    const { clientTcpKeepAlive: keepAlive, busyPollMicros } = config;
    const at = { host, port, backlog, keepAlive, busyPollMs: busyPollMicros / 1000 };
    this.address = await this.listener.listen(ports.network, at);
  }

  #fourLetterWord(connection: ClientConnection, word: number): boolean {
    const { config, stats, words } = this.#options;
    const { port } = this.address;
    const context = { ...words(), stats, allowed: config.fourLetterWords, clientPort: () => port };
    return answerFourLetterWord(context, connection, word);
  }
}
