/**
 * Who may do what. A connection carries a list of ids (at first only its address); a node carries an ACL; the registry
 * knows the providers that say whether the one is meant by the other.
 *
 * Two schemes have no provider: "world", whose only id "anyone" is everybody, and "super", which no ACL may name and
 * which may do everything. "auth" in a request's ACL stands for whatever its connection has proven and never reaches
 * the tree.
 *
 * Source: client protocol facts, section 11. @see ProviderRegistry, PrepRequestProcessor.fixupACL, ZooKeeperServer.checkACL
 */
import { type ACL, type ClientInfo, ErrorCode, type Id } from "@vivarium/protocol";
import type { AuthContext, AuthProvider } from "./auth-provider.ts";

const NO_DATA = new Uint8Array(0);

export class AuthRegistry {
  readonly #providers = new Map<string, AuthProvider>();
  readonly #skipAcl: boolean;

  /** `skipAcl` lets everybody do everything: `zookeeper.skipACL`. */
  constructor(providers: Iterable<AuthProvider>, options: { skipAcl?: boolean } = {}) {
    for (const provider of providers) this.#providers.set(provider.scheme, provider);
    this.#skipAcl = options.skipAcl ?? false;
  }

  provider(scheme: string): AuthProvider | undefined {
    return this.#providers.get(scheme);
  }

  get schemes(): Iterable<string> {
    return this.#providers.keys();
  }

  /** The ids that an auth packet proves, or undefined: AUTHFAILED. Without data (null) no secret can be proven. */
  authenticate(scheme: string | null, auth: Uint8Array | null, context: AuthContext): Id[] | undefined {
    const provider = scheme === null ? undefined : this.#providers.get(scheme);
    if (auth === null && provider?.isAuthenticated) return undefined;
    return provider?.authenticate(auth ?? NO_DATA, context);
  }

  /** Whether a connection with these ids has one of the permissions `perms` under this ACL. */
  checkACL(acl: readonly ACL[], perms: number, authInfo: readonly Id[]): boolean {
    if (this.#skipAcl || acl.length === 0 || isSuper(authInfo)) return true;
    for (const entry of acl) {
      if ((entry.perms & perms) !== 0 && this.#means(entry.id, authInfo)) return true;
    }
    return false;
  }

  #means(meant: Id, authInfo: readonly Id[]): boolean {
    if (isAnyone(meant)) return true;
    if (meant.scheme === null || meant.id === null) return false;
    const provider = this.#providers.get(meant.scheme);
    if (provider === undefined) return false;
    for (const id of authInfo) {
      if (id.scheme === meant.scheme && id.id !== null && provider.matches(id.id, meant.id)) return true;
    }
    return false;
  }

  /** The ACL to store for one that a client sent, or the ErrorCode with which it is refused. */
  fixupACL(acl: readonly ACL[], authInfo: readonly Id[]): ACL[] | number {
    if (acl.length === 0) return ErrorCode.INVALIDACL;
    const fixed: ACL[] = [];
    for (let i = 0; i < acl.length; i++) {
      const entry = acl[i] as ACL;
      if (acl.findIndex((other) => sameACL(other, entry)) < i) continue;
      if (entry.id.scheme === "auth") {
        const proven = authInfo.filter((id) => this.#isProven(id));
        if (proven.length === 0) return ErrorCode.INVALIDACL;
        for (const id of proven) fixed.push({ perms: entry.perms, id });
      } else {
        const refused = this.#refuseId(entry.id);
        if (refused !== ErrorCode.OK) return refused;
        fixed.push(entry);
      }
    }
    return fixed;
  }

  #isProven(id: Id): boolean {
    return id.scheme !== null && (this.#providers.get(id.scheme)?.isAuthenticated ?? false);
  }

  /** A null id is nonsense to whoever would have to judge it, and an invalid one where there is nobody to. */
  #refuseId({ scheme, id }: Id): number {
    if (scheme === null) return ErrorCode.INVALIDACL;
    const provider = this.#providers.get(scheme);
    if (id === null) return provider || scheme === "world" ? ErrorCode.MARSHALLINGERROR : ErrorCode.INVALIDACL;
    return isAnyone({ scheme, id }) || provider?.isValid(id) ? ErrorCode.OK : ErrorCode.INVALIDACL;
  }

  /** What whoAmI answers. */
  clientInfo(authInfo: readonly Id[]): ClientInfo[] {
    return authInfo.map(({ scheme, id }) => ({
      authScheme: scheme ?? "",
      user: this.#providers.get(scheme ?? "")?.userName(id ?? "") ?? "",
    }));
  }
}

/** The ids of a connection after an auth packet. The list given is left as it is: requests under way keep theirs. */
export function withIds(authInfo: readonly Id[], ids: readonly Id[]): readonly Id[] {
  const added = ids.filter((id) => !authInfo.some((known) => sameId(known, id)));
  return added.length === 0 ? authInfo : [...authInfo, ...added];
}

/** The ACL as someone without ADMIN may see it: password hashes are hidden. */
export function maskDigests(acl: readonly ACL[]): ACL[] {
  return acl.map((entry) => {
    const { scheme, id } = entry.id;
    const colon = id?.indexOf(":") ?? -1;
    if (scheme !== "digest" || id === null || colon === -1) return entry;
    return { perms: entry.perms, id: { scheme, id: `${id.slice(0, colon)}:x` } };
  });
}

function isSuper(authInfo: readonly Id[]): boolean {
  for (const id of authInfo) if (id.scheme === "super") return true;
  return false;
}

function isAnyone(id: Id): boolean {
  return id.scheme === "world" && id.id === "anyone";
}

function sameId(a: Id, b: Id): boolean {
  return a.scheme === b.scheme && a.id === b.id;
}

function sameACL(a: ACL, b: ACL): boolean {
  return a.perms === b.perms && sameId(a.id, b.id);
}
