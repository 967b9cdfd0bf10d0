/** Helpers for access control lists. The ready-made ones are ZooKeeper's own: OPEN_ACL_UNSAFE and its neighbours. */
import { createHash } from "node:crypto";
import { type ACL, ANYONE, Perms } from "@vivarium/protocol";
import { ClientOptionError } from "./errors.ts";

const BITS: Record<string, number> = {
  c: Perms.CREATE,
  d: Perms.DELETE,
  r: Perms.READ,
  w: Perms.WRITE,
  a: Perms.ADMIN,
};

/** The sum of Perms that letters of "cdrwa" stand for. */
export function parsePerms(letters: string): number {
  let perms = 0;
  for (const letter of letters) {
    const bit = BITS[letter];
    if (bit === undefined) throw new ClientOptionError(`permissions "${letters}": write letters of "cdrwa"`);
    perms |= bit;
  }
  return perms;
}

/** An entry for any scheme; `perms` as a number or as letters. */
export function acl(scheme: string, id: string, perms: number | string = Perms.ALL): ACL {
  return { perms: typeof perms === "number" ? perms : parsePerms(perms), id: { scheme, id } };
}

export function worldAcl(perms: number | string): ACL {
  return acl(ANYONE.scheme ?? "world", ANYONE.id ?? "anyone", perms);
}

/** Whoever proves user and password with `addAuth("digest", "user:password")`. */
export function digestAcl(user: string, password: string, perms: number | string = Perms.ALL): ACL {
  return acl("digest", digestId(user, password), perms);
}

/** An address or a network: "10.0.0.1", "10.0.0.0/8", "fd00::/8". */
export function ipAcl(address: string, perms: number | string = Perms.ALL): ACL {
  return acl("ip", address, perms);
}

/** The identity that the digest scheme makes of user and password: "user:base64(sha1(user:password))". */
export function digestId(user: string, password: string): string {
  return `${user}:${createHash("sha1").update(`${user}:${password}`).digest("base64")}`;
}
