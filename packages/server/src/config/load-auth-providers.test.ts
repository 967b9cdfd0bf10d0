import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "./config-error.ts";
import { loadAuthProviders } from "./load-auth-providers.ts";

const provider = (scheme: string): string => `export const createAuthProvider = (settings) => ({
  scheme: ${scheme}, isAuthenticated: true, authenticate() {}, isValid() {}, matches() {}, userName() {},
});`;

test("providers come from modules of the working directory, in order, and get the settings", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vivarium-auth-"));
  t.after(() => rm(directory, { recursive: true }));
  const installed = join(directory, "node_modules", "@me", "auth");
  await mkdir(installed, { recursive: true });
  await writeFile(join(installed, "package.json"), '{"name":"@me/auth","type":"module","exports":"./index.js"}');
  await writeFile(join(installed, "index.js"), provider('settings.get("my.scheme")'));
  await writeFile(join(directory, "local.mjs"), provider('"local"'));
  const given = new Map([["my.scheme", "mine"]]);
  const authProviders = [
    { key: "1", module: "@me/auth" },
    { key: "2", module: "./local.mjs" },
  ];
  const providers = await loadAuthProviders({ authProviders, given, file: "zoo.cfg" }, directory);
  assert.deepEqual(
    providers.map(({ scheme }) => scheme),
    ["mine", "local"],
  );
});

test("a module that is missing, broken or none of ours is named", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vivarium-auth-"));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "other.mjs"), "export const something = 1;");
  await writeFile(join(directory, "empty.mjs"), "export const createAuthProvider = () => ({ scheme: 'x' });");
  await writeFile(join(directory, "throws.mjs"), "throw new TypeError('broken');");
  await writeFile(
    join(directory, "unset.mjs"),
    "export const createAuthProvider = () => { throw new Error('no key'); };",
  );
  const cases: readonly [string, RegExp][] = [
    [
      "no-such-module",
      /^zoo\.cfg: authProvider\.7: "no-such-module" cannot be loaded.* Run npm install no-such-module/s,
    ],
    ["./missing.mjs", /cannot be loaded/],
    ["./other.mjs", /does not export createAuthProvider/],
    ["./empty.mjs", /is not an AuthProvider/],
    ["./unset.mjs", /does not start: Error: no key/],
    ["./throws.mjs", /cannot be loaded: broken/],
  ];
  for (const [module, wanted] of cases) {
    const config = { authProviders: [{ key: "7", module }], given: new Map<string, string>(), file: "zoo.cfg" };
    await assert.rejects(
      loadAuthProviders(config, directory),
      (error) => error instanceof ConfigError && wanted.test(error.message),
      module,
    );
  }
});
