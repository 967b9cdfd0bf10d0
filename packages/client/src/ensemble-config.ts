/**
 * The client addresses in /zookeeper/config, merged with those that the user gave.
 *
 *   server.1=host:2888:3888:participant;0.0.0.0:2181
 *   server.2=host-a:2888:3888|host-b:2888:3888;2181
 *
 * A server that listens on a wildcard says nothing about where it is reached: then it is the name it has in the
 * ensemble. The user's own list always stays, last in preference to nothing: what the servers call themselves need not
 * be reachable from here (containers, address translation). @see QuorumPeer.QuorumServer
 */
import { type Host, hostText } from "./connect-string.ts";

const WILDCARDS = new Set(["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "*", ""]);

export function clientHosts(config: string): Host[] {
  const hosts: Host[] = [];
  for (const line of config.split("\n")) {
    const match = /^server\.\d+=([^;]+);(.*)$/.exec(line.trim());
    if (match === null) continue;
    const host = clientHost(match[1] as string, match[2] as string);
    if (host !== undefined) hosts.push(host);
  }
  return hosts;
}

function clientHost(quorumPart: string, clientPart: string): Host | undefined {
  const { host, port } = splitPort(clientPart);
  if (port === undefined) return undefined;
  if (!WILDCARDS.has(host)) return { host, port };
  const first = quorumPart.split("|")[0] as string;
  const name = /^\[([^\]]+)\]|^([^:]+)/.exec(first);
  const own = name?.[1] ?? name?.[2];
  return own === undefined || WILDCARDS.has(own) ? undefined : { host: own, port };
}

function splitPort(text: string): { host: string; port: number | undefined } {
  const match = /^(?:\[([^\]]*)\]:|(.*):)?(\d+)$/.exec(text.trim());
  if (match === null) return { host: "", port: undefined };
  return { host: match[1] ?? match[2] ?? "", port: Number(match[3]) };
}

/** The user's servers, then those of the configuration that are not among them. */
export function mergeHosts(seeds: readonly Host[], configured: readonly Host[]): Host[] {
  const known = new Set(seeds.map(hostText));
  return [...seeds, ...configured.filter((host) => !known.has(hostText(host)))];
}

export function sameHosts(a: readonly Host[], b: readonly Host[]): boolean {
  const known = new Set(a.map(hostText));
  return known.size === new Set(b.map(hostText)).size && b.every((host) => known.has(hostText(host)));
}
