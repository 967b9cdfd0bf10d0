// authProvider.X: further authentication schemes, from npm modules.
//
// A module exports `createAuthProvider(settings)`, which returns an AuthProvider (or a promise of one); `settings` are all
// settings given, by name, so that a provider can have its own. Modules are looked up from the working directory, where an
// operator installs them, then from where Vivarium itself is installed.

import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AuthProvider } from "@vivarium/tree";
import { ConfigError } from "./config-error.ts";
import type { ServerConfig } from "./server-config.ts";

/** What a module named by authProvider.X exports. */
export interface AuthProviderModule {
  createAuthProvider(settings: ReadonlyMap<string, string>): AuthProvider | Promise<AuthProvider>;
}

/**
 * Loads the providers in the order of their keys.
 *
 * @throws ConfigError for a module that cannot be loaded or is none: a server that lacks a scheme refuses its users.
 */
export async function loadAuthProviders(
  config: Pick<ServerConfig, "authProviders" | "file" | "given">,
  directory: string = process.cwd(),
): Promise<AuthProvider[]> {
  const providers: AuthProvider[] = [];
  for (const { key, module } of config.authProviders) {
    const refuse = (message: string, hint: string): ConfigError => {
      const problem = { file: config.file, line: undefined, key: `authProvider.${key}`, message, hint };
      return new ConfigError([problem]);
    };
    const loaded = await importFrom(directory, module).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw refuse(
        `"${module}" cannot be loaded: ${reason}`,
        `Run npm install ${module} in ${directory}, or correct the name.`,
      );
    });
    if (!isProviderModule(loaded)) {
      throw refuse(`"${module}" does not export createAuthProvider`, "Write the name of a module made for Vivarium.");
    }
    let provider: AuthProvider;
    try {
      provider = await loaded.createAuthProvider(config.given);
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      throw refuse(`"${module}" does not start: ${String(error)}`, "Correct its settings.");
    }
    if (!isProvider(provider)) {
      throw refuse(
        `what createAuthProvider of "${module}" returned is not an AuthProvider`,
        "See AuthProvider in @vivarium/tree.",
      );
    }
    providers.push(provider);
  }
  return providers;
}

async function importFrom(directory: string, module: string): Promise<unknown> {
  if (module.startsWith(".") || isAbsolute(module)) return await import(pathToFileURL(resolve(directory, module)).href);
  try {
    const path = createRequire(join(directory, "zoo.cfg")).resolve(module);
    return await import(pathToFileURL(path).href);
  } catch (error) {
    // A package without a CommonJS entry cannot be resolved like this; import() from here finds it if it is beside us.
    if (!(error instanceof Error && "code" in error)) throw error;
    return await import(module);
  }
}

function isProviderModule(value: unknown): value is AuthProviderModule {
  return (
    typeof value === "object" &&
    value !== null &&
    "createAuthProvider" in value &&
    typeof value.createAuthProvider === "function"
  );
}

function isProvider(value: unknown): value is AuthProvider {
  if (typeof value !== "object" || value === null) return false;
  const { scheme, authenticate, isValid, matches } = value as Partial<AuthProvider>;
  return typeof scheme === "string" && [authenticate, isValid, matches].every((one) => typeof one === "function");
}
