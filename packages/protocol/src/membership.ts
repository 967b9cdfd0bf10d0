/**
 * Who belongs to an ensemble, as data and as the text that configuration files, notifications, NEWLEADER and the znode
 * /zookeeper/config carry:
 *
 *   server.N = address { "|" address } [ ":" role ] [ ";" [ clientHost ":" ] clientPort ]
 *   address  = host ":" quorumPort ":" electionPort          an IPv6 host stands in brackets
 *   role     = "participant" | "observer"                    may follow each address, and must be the same
 *   group.N  = id { ":" id }     weight.N = votes     version = hexadecimal
 *
 * Nothing is looked up in the DNS here. @see QuorumPeer.QuorumServer, QuorumMaj, QuorumHierarchical
 */
import { formatHostAndPort, type HostAndPort } from "./election-greeting.ts";

export const Role = { participant: "participant", observer: "observer" } as const;
export type Role = (typeof Role)[keyof typeof Role];

export interface MemberAddress {
  readonly host: string;
  readonly quorumPort: number;
  readonly electionPort: number;
}

export interface Member {
  readonly id: number;
  readonly role: Role;
  /** At least one. */
  readonly addresses: readonly MemberAddress[];
  readonly client: HostAndPort | undefined;
}

export interface Membership {
  /** In the order of their ids. */
  readonly members: readonly Member[];
  /** Ids of servers by id of their group; empty with majority quorums. */
  readonly groups: ReadonlyMap<number, readonly number[]>;
  /** Votes by server id; a server not listed has 1. Only groups look at them. */
  readonly weights: ReadonlyMap<number, number>;
}

/** A membership that was agreed on: `version` is the zxid that made it, 0 what came from a configuration file. */
export interface VersionedMembership extends Membership {
  readonly version: number;
}

/** A server line in parts, or a sentence without its full stop that says what is wrong with it. */
export function parseServerLine(id: number, line: string): Member | { readonly problem: string } {
  const [serverPart = "", clientPart, ...extra] = line.split(";");
  if (extra.length > 0) return { problem: "it has more than one ;" };
  const client = clientPart === undefined ? undefined : parseClient(clientPart);
  if (clientPart !== undefined && client === undefined) return { problem: `"${clientPart}" is not a client address` };

  const addresses: MemberAddress[] = [];
  const roles = new Set<Role>();
  for (const one of serverPart.split("|")) {
    const parts = splitHostAndPorts(one.trim());
    const [quorum, election, role, ...rest] = parts?.rest ?? [];
    const quorumPort = readPort(quorum);
    const electionPort = readPort(election);
    if (parts === undefined || quorumPort === undefined || electionPort === undefined || rest.length > 0) {
      return { problem: `"${one}" is not host:quorumPort:electionPort` };
    }
    if (quorumPort === electionPort) return { problem: "quorum and election port are the same" };
    if (role !== undefined) {
      const known = readRole(role);
      if (known === undefined) return { problem: `"${role}" is neither participant nor observer` };
      roles.add(known);
    }
    addresses.push({ host: parts.host, quorumPort, electionPort });
  }
  if (roles.size > 1) return { problem: "its addresses have different roles" };
  return { id, role: [...roles][0] ?? Role.participant, addresses, client };
}

/** `1:2:3` as numbers; undefined when one of them is none. */
export function parseGroupLine(line: string): number[] | undefined {
  const ids = line.split(":").map((part) => readWholeNumber(part.trim()));
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

/** A number of digits only, up to 2^53 - 1. */
export function readWholeNumber(text: string | undefined): number | undefined {
  const value = text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

/** The text that stands behind `server.N=`: always with a role, and the client address if there is one. */
export function formatServerLine({ addresses, role, client }: Member): string {
  const sorted = [...addresses].sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0));
  const text = sorted.map(
    ({ host, quorumPort, electionPort }) => `${formatHostAndPort({ host, port: quorumPort })}:${electionPort}`,
  );
  return `${text.join("|")}:${role}${client === undefined ? "" : `;${formatHostAndPort(client)}`}`;
}

/** As in /zookeeper/config: one line each, the version last and without a line end. */
export function formatMembership({ members, groups, weights, version }: VersionedMembership): string {
  const lines = members.map((member) => `server.${member.id}=${formatServerLine(member)}`);
  for (const [id, servers] of groups) lines.push(`group.${id}=${servers.join(":")}`);
  if (groups.size > 0) {
    // Apache writes the weight of every voter, also where the configuration left it out.
    for (const { id } of members.filter(({ role }) => role === Role.participant)) {
      lines.push(`weight.${id}=${weights.get(id) ?? 1}`);
    }
  }
  return [...lines, `version=${version.toString(16)}`].join("\n");
}

/** Reads that text; a sentence without its full stop when it makes no sense. Unknown keys are passed over. */
export function parseMembership(text: string): VersionedMembership | { readonly problem: string } {
  const members: Member[] = [];
  const groups = new Map<number, readonly number[]>();
  const weights = new Map<number, number>();
  let version = 0;
  for (const line of text.split(/\r?\n/)) {
    const equals = line.indexOf("=");
    const key = line.slice(0, Math.max(equals, 0)).trim();
    const value = line.slice(equals + 1).trim();
    const [kind, number = ""] = key.split(".");
    const id = readWholeNumber(number);
    if (key === "version") {
      version = /^[0-9a-f]{1,16}$/i.test(value) ? Number.parseInt(value, 16) : Number.NaN;
      if (!Number.isSafeInteger(version)) return { problem: `"${line}" has no version that can be used` };
    } else if (kind === "server" && id !== undefined) {
      const member = parseServerLine(id, value);
      if ("problem" in member) return { problem: `"${line}": ${member.problem}` };
      members.push(member);
    } else if (kind === "group" || kind === "weight") {
      const values = parseGroupLine(value);
      if (id === undefined || values === undefined) return { problem: `"${line}" is not made of numbers` };
      if (kind === "group") groups.set(id, values);
      else weights.set(id, values[0] as number);
    }
  }
  members.sort((left, right) => left.id - right.id);
  return { members, groups, weights, version };
}

function parseClient(text: string): HostAndPort | undefined {
  const bare = readPort(text.trim());
  if (bare !== undefined) return { host: "0.0.0.0", port: bare };
  const parts = splitHostAndPorts(text.trim());
  const port = readPort(parts?.rest[0]);
  return parts === undefined || port === undefined || parts.rest.length > 1 ? undefined : { host: parts.host, port };
}

function splitHostAndPorts(text: string): { host: string; rest: string[] } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(.+)$/.exec(text);
  if (match === null) return undefined;
  return { host: (match[1] ?? match[2] ?? "").trim(), rest: (match[3] ?? "").split(":").map((part) => part.trim()) };
}

function readPort(text: string | undefined): number | undefined {
  const value = text === undefined ? undefined : readWholeNumber(text);
  return value !== undefined && value <= 65_535 ? value : undefined;
}

function readRole(text: string): Role | undefined {
  const word = text.toLowerCase();
  return word === Role.participant || word === Role.observer ? word : undefined;
}
