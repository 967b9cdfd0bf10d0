/** Listens for other servers, on all addresses that the configuration gives this one. */
import { formatHostAndPort, type HostAndPort } from "@vivarium/protocol";
import type { Clock, Connection, Listener, Network } from "@vivarium/runtime";

export interface ListenForPeersOptions {
  network: Network;
  /** This server's own, as configured. */
  addresses: readonly HostAndPort[];
  /** `quorumListenOnAllIPs`: the ports of `addresses`, on every address of this machine. */
  onAllAddresses?: boolean;
  keepAlive?: boolean;
  /** See the same of the network. */
  lendsInput?: boolean;
  onConnection: (connection: Connection) => void;
  onError?: (error: Error) => void;
}

export interface BindRetry {
  clock: Clock;
  /** Tries before it is given up; 0 for no end. */
  attempts: number;
  pauseMs: number;
  onFailure: (error: Error, attempt: number) => void;
}

/** An address of this server's own server.N line cannot be listened on. */
export class PeerListenError extends Error {
  override readonly name = "PeerListenError";
}

/** All or none. @throws PeerListenError that names the address */
export async function listenForPeers(options: ListenForPeersOptions): Promise<Listener[]> {
  const { network, addresses, onAllAddresses = false, keepAlive = false, lendsInput = false } = options;
  const { onConnection, onError } = options;
  const everywhere = [...new Set(addresses.map(({ port }) => port))].map((port) => ({ port }));
  const listeners: Listener[] = [];
  for (const at of onAllAddresses ? everywhere : addresses) {
    try {
      const extra = onError === undefined ? {} : { onError };
      listeners.push(await network.listen({ ...at, keepAlive, lendsInput, ...extra }, onConnection));
    } catch (error) {
      for (const listener of listeners) await listener.close();
      const where = "host" in at ? formatHostAndPort(at) : `port ${at.port}`;
      const problem = `cannot listen for other servers on ${where}: ${(error as Error).message}`;
      throw new PeerListenError(`${problem}. Stop what listens there, or correct this server's own server.N line.`, {
        cause: error,
      });
    }
  }
  return listeners;
}

/** The same, tried again: a server that was just restarted may find its port not yet free. */
export async function listenPersistently(options: ListenForPeersOptions, retry: BindRetry): Promise<Listener[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listenForPeers(options);
    } catch (error) {
      if (attempt === retry.attempts) throw error;
      retry.onFailure(error as Error, attempt);
      await new Promise<void>((resolve) => retry.clock.setTimer(retry.pauseMs, resolve));
    }
  }
}
