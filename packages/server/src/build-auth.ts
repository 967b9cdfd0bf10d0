/** The authentication schemes of a server: digest and ip, unless turned off, and those that its settings name. */
import { createHash } from "node:crypto";
import { type AuthProvider, AuthRegistry, DigestProvider, IpProvider } from "@vivarium/tree";
import { loadAuthProviders, type ServerConfig } from "./config/index.ts";

export async function buildAuth(config: ServerConfig): Promise<AuthRegistry> {
  const providers: AuthProvider[] = [new IpProvider()];
  if (config.digestAuthEnabled) {
    const hash = (bytes: Uint8Array) => createHash(config.digestAlgorithm).update(bytes).digest();
    providers.push(new DigestProvider({ hash, superDigest: config.superDigest }));
  }
  providers.push(...(await loadAuthProviders(config)));
  return new AuthRegistry(providers, { skipAcl: config.skipAcl });
}
