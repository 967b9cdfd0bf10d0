/**
 * "digest": who knows "user:password" is "user:base64(SHA1(user:password))". There is no list of users: anyone may
 * claim any pair, and an ACL names the one that counts. @see DigestAuthenticationProvider
 */
import { utf8Length, utf8Read, utf8Write } from "@vivarium/jute";
import type { Id } from "@vivarium/protocol";
import type { AuthProvider } from "./auth-provider.ts";
import { base64 } from "./base64.ts";

export interface DigestProviderOptions {
  /** SHA-1, or what `zookeeper.DigestAuthenticationProvider.digestAlg` names. */
  hash: (bytes: Uint8Array) => Uint8Array;
  /** The id "user:hash" of whoever may do everything: `zookeeper.DigestAuthenticationProvider.superDigest`. */
  superDigest?: string | undefined;
}

export class DigestProvider implements AuthProvider {
  readonly scheme = "digest";
  readonly isAuthenticated = true;
  readonly #hash: (bytes: Uint8Array) => Uint8Array;
  readonly #superDigest: string | undefined;

  constructor(options: DigestProviderOptions) {
    this.#hash = options.hash;
    this.#superDigest = options.superDigest;
  }

  authenticate(auth: Uint8Array): Id[] {
    const id = this.digest(utf8Read(auth, 0, auth.length));
    const own = { scheme: this.scheme, id };
    return id === this.#superDigest ? [{ scheme: "super", id: "" }, own] : [own];
  }

  /** The id of "user:password". */
  digest(userAndPassword: string): string {
    const bytes = new Uint8Array(utf8Length(userAndPassword));
    utf8Write(userAndPassword, bytes, 0);
    return `${this.userName(userAndPassword)}:${base64(this.#hash(bytes))}`;
  }

  /** Exactly two parts; colons at the very end do not count, as in Java's split. */
  isValid(expression: string): boolean {
    const parts = expression.replace(/:+$/, "").split(":");
    return parts.length === 2;
  }

  matches(id: string, expression: string): boolean {
    return id === expression;
  }

  userName(id: string): string {
    const colon = id.indexOf(":");
    return colon === -1 ? id : id.slice(0, colon);
  }
}
