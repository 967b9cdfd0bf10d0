import { type Infer, int, nullableUstring, record } from "@vivarium/jute";

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

/** Permissions as people write them: a subset of "cdrwa" in that order. */
export function permsText(perms: number): string {
  return [..."cdrwa"].filter((_, i) => (perms & (PERM_ORDER[i] as number)) !== 0).join("");
}
const PERM_ORDER = [Perms.CREATE, Perms.DELETE, Perms.READ, Perms.WRITE, Perms.ADMIN];
