/**
 * `host:port,host:port/chroot`, `[::1]:2181`, or `dns-srv://service.name/chroot`.
 * @see ConnectStringParser, and DnsSrvHostProvider of ZooKeeper 3.10
 */
import { pathProblem } from "@vivarium/protocol";
import { ClientOptionError } from "./errors.ts";

export interface Host {
  readonly host: string;
  readonly port: number;
}

export interface ConnectTarget {
  /** Empty when `srvName` is given. */
  hosts: Host[];
  /** Name of the SRV record that lists the servers. */
  srvName: string | undefined;
  /** "" for none, otherwise a path such as "/app". */
  chroot: string;
}

export const DEFAULT_PORT = 2181;
const SRV_PREFIX = "dns-srv://";

/** @throws ClientOptionError that says what is wrong and what to write instead. */
export function parseConnectString(text: string): ConnectTarget {
  if (typeof text !== "string" || text.trim() === "") {
    throw new ClientOptionError('the connect string is empty; write "host:port" or "host:port,host:port/chroot"');
  }
  const srv = text.startsWith(SRV_PREFIX);
  const rest = srv ? text.slice(SRV_PREFIX.length) : text;
  const slash = rest.indexOf("/");
  const servers = slash === -1 ? rest : rest.slice(0, slash);
  const chroot = slash === -1 ? "" : chrootOf(rest.slice(slash));
  if (srv) {
    if (servers === "") throw new ClientOptionError(`${text}: write dns-srv://name-of-the-srv-record`);
    return { hosts: [], srvName: servers, chroot };
  }
  return { hosts: parseHosts(servers), srvName: undefined, chroot };
}

export function parseHosts(text: string): Host[] {
  if (typeof text !== "string") throw new ClientOptionError(`the servers are ${text}; write "host:port,host:port"`);
  const hosts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(parseHost);
  if (hosts.length === 0) throw new ClientOptionError(`"${text}" names no server; write "host:port"`);
  return hosts;
}

/** "" for the root, so that it can simply be put before any path. */
export function chrootOf(path: string): string {
  if (path === "/") return "";
  const problem = typeof path === "string" ? pathProblem(path) : "it must be a string";
  if (problem !== undefined) throw new ClientOptionError(`the chroot ${JSON.stringify(path)}: ${problem}`);
  return path;
}

function parseHost(text: string): Host {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return { host: bracketed[1] as string, port: parsePort(bracketed[2], text) };
  const colon = text.indexOf(":");
  if (colon === -1) return { host: text, port: DEFAULT_PORT };
  if (text.indexOf(":", colon + 1) !== -1) {
    throw new ClientOptionError(`${text}: write an IPv6 address in brackets, such as [::1]:2181`);
  }
  if (colon === 0) throw new ClientOptionError(`${text}: the host before the port is missing`);
  return { host: text.slice(0, colon), port: parsePort(text.slice(colon + 1), text) };
}

function parsePort(text: string | undefined, whole: string): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new ClientOptionError(`${whole}: the port must be a number from 1 to 65535`);
  }
  return port;
}

export function hostText(host: Host): string {
  return host.host.includes(":") ? `[${host.host}]:${host.port}` : `${host.host}:${host.port}`;
}
