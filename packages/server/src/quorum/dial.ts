/** Dials one server at all its addresses at once; the first that answers is taken, the others are hung up. */
import { formatHostAndPort, type HostAndPort, type MemberAddress } from "@vivarium/protocol";
import type { Connection, Network } from "@vivarium/runtime";

export interface DialOptions {
  network: Network;
  /** At least one. Names are looked up now, so that a server may have moved since the last time. */
  addresses: readonly HostAndPort[];
  timeoutMs: number;
  /** See the same of the network. */
  lendsInput?: boolean;
  /** Within this call the connection's callbacks are set. */
  onConnect: (connection: Connection) => void;
  /** No address answered. */
  onFail: (problem: string) => void;
}

export interface Dial {
  /** Neither callback is called any more. */
  cancel(): void;
}

/** Never calls back within this call. */
export function dial(options: DialOptions): Dial {
  const { network, addresses, timeoutMs, lendsInput = false } = options;
  const waiting = new Map<Connection, HostAndPort>();
  const problems: string[] = [];
  const hangUp = (): void => {
    for (const connection of waiting.keys()) {
      connection.onConnect = connection.onClose = () => {};
      connection.destroy();
    }
    waiting.clear();
  };
  for (const address of addresses) {
    const connection = network.connect({ ...address, timeoutMs, lendsInput });
    waiting.set(connection, address);
    connection.onConnect = () => {
      waiting.delete(connection);
      hangUp();
      connection.onClose = () => {};
      options.onConnect(connection);
    };
    connection.onClose = (error) => {
      waiting.delete(connection);
      problems.push(`${formatHostAndPort(address)}: ${error?.message ?? "closed at once"}`);
      if (waiting.size === 0) options.onFail(problems.join("; "));
    };
  }
  return { cancel: hangUp };
}

/** The other end, as log lines show it. */
export function remoteEnd({ remoteAddress, remotePort }: Connection): string {
  return formatHostAndPort({ host: remoteAddress, port: remotePort });
}

export function quorumAddresses(addresses: readonly MemberAddress[]): HostAndPort[] {
  return addresses.map(({ host, quorumPort }) => ({ host, port: quorumPort }));
}

export function electionAddresses(addresses: readonly MemberAddress[]): HostAndPort[] {
  return addresses.map(({ host, electionPort }) => ({ host, port: electionPort }));
}
