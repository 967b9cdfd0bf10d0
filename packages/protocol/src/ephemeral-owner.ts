/**
 * The stored owner says what kind of node it is: 0 for a plain one, a session id for an ephemeral, and marks in the
 * top byte for containers and TTL nodes. Clients see the session id or 0. @see EphemeralType
 */
export const CONTAINER_OWNER = -0x8000000000000000n;
/** Largest TTL in milliseconds: 40 bits. */
export const MAX_TTL_MS = 0xff_ffff_ffff;
const TTL_MARK = 0xffn << 56n;

export type NodeKind = "normal" | "ephemeral" | "container" | "ttl";

export interface OwnerRules {
  /** `zookeeper.extendedTypesEnabled`: without it a TTL mark is read as a session id. */
  extendedTypes: boolean;
  /** `zookeeper.emulate353TTLNodes`: with extended types, every negative owner but the container's is a TTL. */
  emulate353Ttl: boolean;
}

export function ttlOwner(ttlMs: number): bigint {
  return BigInt.asIntN(64, TTL_MARK | BigInt(ttlMs));
}

export function nodeKind(owner: bigint, rules: OwnerRules): NodeKind {
  if (owner === 0n) return "normal";
  if (owner === CONTAINER_OWNER) return "container";
  if (!rules.extendedTypes) return "ephemeral";
  if (rules.emulate353Ttl && owner < 0n) return "ttl";
  return (BigInt.asUintN(64, owner) & TTL_MARK) === TTL_MARK ? "ttl" : "ephemeral";
}

/** The TTL in milliseconds of an owner whose kind is "ttl". */
export function ownerTtlMs(owner: bigint): number {
  return Number(BigInt.asUintN(64, owner) & BigInt(MAX_TTL_MS));
}
