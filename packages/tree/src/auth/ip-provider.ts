/**
 * "ip": a connection is where it comes from. In an ACL the id is an address or a network, "10.0.0.0/8" or
 * "2001:db8::/32". Being somewhere proves nothing, so "auth" does not stand for it. @see IPAuthenticationProvider
 */
import type { Id } from "@vivarium/protocol";
import type { AuthContext, AuthProvider } from "./auth-provider.ts";

export class IpProvider implements AuthProvider {
  readonly scheme = "ip";
  readonly isAuthenticated = false;

  authenticate(_auth: Uint8Array, context: AuthContext): Id[] {
    return [ipId(context.remoteAddress)];
  }

  isValid(expression: string): boolean {
    return parseNetwork(expression) !== undefined;
  }

  matches(id: string, expression: string): boolean {
    const network = parseNetwork(expression);
    const address = parseAddress(id);
    if (network === undefined || address === undefined || address.length !== network.address.length) return false;
    return samePrefix(address, network.address, network.bits);
  }

  userName(id: string): string {
    return id;
  }
}

/** The id of a connection from this address: IPv4 inside IPv6 is IPv4, and the zone of a local address is left out. */
export function ipId(remoteAddress: string): Id {
  const withoutZone = remoteAddress.replace(/%.*$/, "");
  return { scheme: "ip", id: withoutZone.replace(/^::ffff:(?=\d+\.)/i, "") };
}

interface IpNetwork {
  readonly address: readonly number[];
  readonly bits: number;
}

function parseNetwork(expression: string): IpNetwork | undefined {
  const slash = expression.indexOf("/");
  const address = parseAddress(slash === -1 ? expression : expression.slice(0, slash));
  if (address === undefined) return undefined;
  const allBits = address.length * 8;
  if (slash === -1) return { address, bits: allBits };
  const bits = decimal(expression.slice(slash + 1), allBits);
  return bits === undefined ? undefined : { address, bits };
}

/** The bytes of an address, 4 or 16 of them. */
function parseAddress(text: string): number[] | undefined {
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): number[] | undefined {
  const bytes = text.split(".").map((part) => decimal(part, 255));
  return bytes.length === 4 && bytes.every((byte) => byte !== undefined) ? bytes : undefined;
}

function parseV6(text: string): number[] | undefined {
  const halves = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], tail = []] = halves;
  const written = head.length + tail.length;
  // "::" stands for at least one group, and may stand only once.
  if (halves.length === 1 ? written !== 8 : halves.length > 2 || written > 7) return undefined;
  const groups = [...head, ...Array<string>(8 - written).fill("0"), ...tail];
  const bytes: number[] = [];
  for (const group of groups) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 0xff);
  }
  return bytes;
}

function decimal(text: string, max: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : max + 1;
  return value <= max ? value : undefined;
}

function samePrefix(a: readonly number[], b: readonly number[], bits: number): boolean {
  for (let i = 0; i * 8 < bits; i++) {
    const difference = (a[i] as number) ^ (b[i] as number);
    // The last byte may count only in its upper bits.
    if (difference >> Math.max(0, 8 - (bits - i * 8)) !== 0) return false;
  }
  return true;
}
