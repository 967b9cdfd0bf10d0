/** The door by which a server comes to life from its configuration: alone, or as a member of an ensemble. */
import type { Rules } from "@vivarium/zab";
import type { ServerConfig } from "./config/index.ts";
import type { Logger } from "./log/index.ts";
import type * as Membership from "./peer/start-peer.ts";
import { portsOf, type ServerPorts } from "./server-ports.ts";
import { StandaloneServer } from "./standalone-server.ts";
import type { ZooKeeperServer } from "./zookeeper-server.ts";

export interface StartServerOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly ports?: Partial<ServerPorts>;
  /** Rules of agreement to be switched off, by tests that show what each one prevents. */
  readonly rules?: Partial<Rules>;
}

export interface RunningServer {
  readonly address: { readonly host: string; readonly port: number };
  /** The server in service, for those who hold it in their own process. @throws Error while there is none */
  readonly server: ZooKeeperServer;
  /** Takes no more requests, lets what was proposed reach the disk, closes connections and files. */
  stop(): Promise<void>;
  /** Resolves once stopped; rejects if a fault was the reason. */
  readonly stopped: Promise<void>;
}

let membership: typeof Membership | null = null;

/**
 * Loads what only members of an ensemble need, a fifth of all code, which a standalone server starts without. Where time
 * is virtual this has to be done first, because loading takes real time.
 */
export async function loadMembership(): Promise<typeof Membership> {
  membership ??= await import("./peer/start-peer.ts");
  return membership;
}

/** @throws StorageError, ConfigError, or the error of listening, each with what to do about it */
export async function startServer({ config, logger, ports, rules }: StartServerOptions): Promise<RunningServer> {
  const options = { config, logger, ports: portsOf(ports) };
  const server = config.isDistributed
    ? (membership ?? (await loadMembership())).newPeer(options, rules)
    : new StandaloneServer(options);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
