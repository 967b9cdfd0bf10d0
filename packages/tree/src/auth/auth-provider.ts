import type { Id } from "@vivarium/protocol";

/** What a provider may know about the connection that presents itself. */
export interface AuthContext {
  readonly remoteAddress: string;
}

/**
 * A way to prove who one is, and the meaning of its ids in ACLs. Anyone may write one: it is synchronous, and `matches`
 * is asked on the way of every request to a node whose ACL names the scheme. @see AuthenticationProvider
 */
export interface AuthProvider {
  /** The scheme of its ids, in ACLs and in auth packets. */
  readonly scheme: string;
  /** Whether an id of this scheme was proven by a secret, so that ACLs of the scheme "auth" stand for it. */
  readonly isAuthenticated: boolean;
  /** The identities that an auth packet proves; none of them when it proves nothing: undefined. */
  authenticate(auth: Uint8Array, context: AuthContext): Id[] | undefined;
  /** Whether `expression` may stand in an ACL. */
  isValid(expression: string): boolean;
  /** Whether a connection with identity `id` is meant by an ACL's `expression`. */
  matches(id: string, expression: string): boolean;
  /** The name to show to people. */
  userName(id: string): string;
}
