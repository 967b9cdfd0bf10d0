/**
 * Access control lists as they travel and are stored: a list of who may do what. The list that nearly every node has is
 * known by its bytes.
 */
import { type Infer, int, nullableUstring, type Reader, record, type Writer } from "@vivarium/jute";

/** Permission bits of an ACL entry. Unknown bits are stored untouched. @see ZooDefs.Perms */
export const Perms = { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 } as const;

/** Who: an authentication scheme and an identity in it. */
export const Id = record({ scheme: nullableUstring, id: nullableUstring });
export type Id = Infer<typeof Id>;

export const ACL = record({
  /** Sum of {@link Perms} bits. */
  perms: int,
  id: Id,
});
export type ACL = Infer<typeof ACL>;

export const ANYONE: Id = { scheme: "world", id: "anyone" };
/** Everyone may do everything: the ACL that takes no room in the ACL table. */
export const OPEN_ACL_UNSAFE: ACL[] = [{ perms: Perms.ALL, id: ANYONE }];
export const READ_ACL_UNSAFE: ACL[] = [{ perms: Perms.READ, id: ANYONE }];
/** Whoever creates the node, by all the identities its connection has proven. */
export const CREATOR_ALL_ACL: ACL[] = [{ perms: Perms.ALL, id: { scheme: "auth", id: "" } }];

/** {@link OPEN_ACL_UNSAFE} as it is written. */
const OPEN_ACL_BYTES = Uint8Array.of(
  ...[0, 0, 0, 1, 0, 0, 0, 31],
  ...[0, 0, 0, 5, 119, 111, 114, 108, 100],
  ...[0, 0, 0, 6, 97, 110, 121, 111, 110, 101],
);

/** A list as requests and transactions have it. Nearly always it is the open one: known by its bytes, that needs no strings. */
export function readAcl(reader: Reader): ACL[] {
  if (isOpenAclAhead(reader)) {
    reader.skip(OPEN_ACL_BYTES.length);
    return OPEN_ACL_UNSAFE;
  }
  const acl: ACL[] = [];
  for (let left = reader.count(); left > 0; left--) acl.push(ACL.read(reader));
  return acl;
}

/** The same way out. */
export function writeAcl(writer: Writer, acl: readonly ACL[]): void {
  if (acl === OPEN_ACL_UNSAFE) return writer.raw(OPEN_ACL_BYTES);
  writer.int(acl.length);
  for (const entry of acl) ACL.write(writer, entry);
}

function isOpenAclAhead(reader: Reader): boolean {
  if (reader.remaining < OPEN_ACL_BYTES.length) return false;
  for (let i = 0; i < OPEN_ACL_BYTES.length; i++) {
    if (reader.bytes[reader.offset + i] !== OPEN_ACL_BYTES[i]) return false;
  }
  return true;
}

/** Permissions as people write them: a subset of "cdrwa" in that order. */
export function permsText(perms: number): string {
  return [..."cdrwa"].filter((_, i) => (perms & (PERM_ORDER[i] as number)) !== 0).join("");
}
const PERM_ORDER = [Perms.CREATE, Perms.DELETE, Perms.READ, Perms.WRITE, Perms.ADMIN];
