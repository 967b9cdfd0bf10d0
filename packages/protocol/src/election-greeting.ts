/**
 * The first message on an election connection, by the side that dialled: who it is and where it can be dialled back.
 *
 *   protocolVersion | serverId | length | addresses
 *
 * Servers before 3.5 send their id alone. Without several addresses per server, version 1 is what everyone understands.
 * @see fact sheet "quorum-protocol", section 2; QuorumCnxManager.InitialMessage
 */
import { ProtocolError, type Reader, utf8Length, utf8Read, Writer } from "@vivarium/jute";

export const ELECTION_PROTOCOL_V1 = -65536;
export const ELECTION_PROTOCOL_V2 = -65535;
/** The longest list of addresses. */
export const MAX_GREETING_ADDRESS_BYTES = 2048;

export interface HostAndPort {
  host: string;
  port: number;
}

/** In place of its id, what an observer of ZooKeeper 3.4 may send: 2^63 - 1. */
export const ANONYMOUS_OBSERVER = Number.POSITIVE_INFINITY;
const MAX_LONG_HIGH = 0x7fff_ffff;

export interface ElectionGreeting {
  /** Or ANONYMOUS_OBSERVER. */
  serverId: number;
  /** The sender's election addresses; none from servers before 3.5. */
  addresses: HostAndPort[];
}

/** An IPv6 host stands in brackets. */
export function formatHostAndPort({ host, port }: HostAndPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @returns undefined for what is not host:port. */
export function parseHostAndPort(text: string): HostAndPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** Version 2 is chosen by having several addresses, as Apache does with multiAddress.enabled. */
export function encodeElectionGreeting({ serverId, addresses }: ElectionGreeting): Uint8Array {
  const text = addresses.map(formatHostAndPort).join("|");
  const writer = new Writer(20 + utf8Length(text));
  writer.number(addresses.length > 1 ? ELECTION_PROTOCOL_V2 : ELECTION_PROTOCOL_V1);
  writer.number(serverId);
  writer.ustring(text);
  return writer.copy();
}

/**
 * Reads one from a window that may hold less or more than it. @returns undefined as long as bytes are missing; the
 * reader then stands where it stood. @throws ProtocolError: close the connection.
 */
export function readElectionGreeting(reader: Reader): ElectionGreeting | undefined {
  const start = reader.offset;
  const greeting = readWhole(reader);
  if (greeting === undefined) reader.offset = start;
  return greeting;
}

function readWhole(reader: Reader): ElectionGreeting | undefined {
  if (reader.remaining < 8) return undefined;
  const version = readServerId(reader);
  if (version >= 0) return { serverId: version, addresses: [] };
  if (version !== ELECTION_PROTOCOL_V1 && version !== ELECTION_PROTOCOL_V2) {
    throw new ProtocolError(`unknown election protocol version ${version}`);
  }
  if (reader.remaining < 12) return undefined;
  const serverId = readServerId(reader);
  const size = reader.int();
  if (size <= 0 || size > MAX_GREETING_ADDRESS_BYTES) {
    throw new ProtocolError(`server ${serverId} sent ${size} bytes of addresses: 1 to ${MAX_GREETING_ADDRESS_BYTES}`);
  }
  if (reader.remaining < size) return undefined;
  const at = reader.skip(size);
  const parts = utf8Read(reader.bytes, at, at + size).split("|");
  const addresses = parts.map((part) => {
    const address = parseHostAndPort(part);
    if (address === undefined) throw new ProtocolError(`server ${serverId} sent ${JSON.stringify(part)} as an address`);
    return address;
  });
  return { serverId, addresses };
}

function readServerId(reader: Reader): number {
  const { view, offset } = reader;
  if (view.getInt32(offset) !== MAX_LONG_HIGH || view.getInt32(offset + 4) !== -1) return reader.number();
  reader.skip(8);
  return ANONYMOUS_OBSERVER;
}
