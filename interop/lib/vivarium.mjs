// Our own server, started through its real entry point with the same options as Apache's.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { repoDir } from "./paths.mjs";
import { prepareServer, ServerProcess } from "./server-process.mjs";

/**
 * Starts Vivarium and waits until it serves.
 * @param {import("./server-process.mjs").ServerOptions & {checkout?: string, nodeFlags?: string[], env?: NodeJS.ProcessEnv}} [options]
 *   `checkout`: where the sources are, if not here; `nodeFlags` come before the program, `env` goes beside this process's own
 */
export async function startVivarium(options = {}) {
  const { checkout = repoDir, nodeFlags = [], env = {}, inheritOutput, enter } = options;
  const program = join(checkout, "packages", "vivarium");
  if (!existsSync(join(program, "dist", "main.js"))) throw new Error(`${program} is not built: run \`npm run build\``);
  const { dataDir, port, configFile } = await prepareServer(options);
  const sets = Object.entries(options.properties ?? {}).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const args = [...nodeFlags, join(program, "bin", "vivarium.js"), "server", configFile, ...sets];
  const server = new ServerProcess({
    ...{ name: "vivarium", port, dataDir, command: process.execPath, args, inheritOutput, enter },
    env: { ...process.env, ...env },
  });
  return options.wait === false ? server : server.serving();
}
