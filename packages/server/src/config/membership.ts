// The members of an ensemble as a configuration names them: server.N, group.N and weight.N, as plain data.
//
//   server.N = address { "|" address } [ ":" role ] [ ";" [ clientHost ":" ] clientPort ]
//   address  = host ":" quorumPort ":" electionPort          an IPv6 host stands in brackets
//   role     = "participant" | "observer"                    may follow each address, and must be the same
//
// Facts: reference/disk-format.md section 6; QuorumPeer.QuorumServer. Nothing is looked up in the DNS here.

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
  readonly client: { readonly host: string; readonly port: number } | undefined;
}

export interface Membership {
  readonly members: readonly Member[];
  /** Ids of servers by id of their group; empty with majority quorums. */
  readonly groups: ReadonlyMap<number, readonly number[]>;
  /** Votes by server id; a server not listed has 1. */
  readonly weights: ReadonlyMap<number, number>;
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
    const [quorumPort, electionPort, role, ...rest] = parts?.rest ?? [];
    const address = { quorumPort: readPort(quorumPort), electionPort: readPort(electionPort) };
    if (
      parts === undefined ||
      address.quorumPort === undefined ||
      address.electionPort === undefined ||
      rest.length > 0
    ) {
      return { problem: `"${one}" is not host:quorumPort:electionPort` };
    }
    if (address.quorumPort === address.electionPort) return { problem: "quorum and election port are the same" };
    if (role !== undefined) {
      const known = readRole(role);
      if (known === undefined) return { problem: `"${role}" is neither participant nor observer` };
      roles.add(known);
    }
    addresses.push({ host: parts.host, quorumPort: address.quorumPort, electionPort: address.electionPort });
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
export function readWholeNumber(text: string): number | undefined {
  const value = /^[0-9]+$/.test(text) ? Number(text) : undefined;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

function parseClient(text: string): Member["client"] {
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
