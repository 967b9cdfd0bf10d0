// Our own server, started through its real entry point with the same options as Apache's.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { repoDir } from "./paths.mjs";
import { prepareServer, ServerProcess } from "./server-process.mjs";

const entry = join(repoDir, "packages", "vivarium", "bin", "vivarium.js");
const built = join(repoDir, "packages", "vivarium", "dist", "main.js");

/**
 * Starts Vivarium and waits until it serves.
 * @param {import("./server-process.mjs").ServerOptions} [options]
 */
export async function startVivarium(options = {}) {
  if (!existsSync(built)) throw new Error("packages/vivarium is not built: run `npm run build`");
  const { dataDir, port, configFile } = await prepareServer(options);
  const sets = Object.entries(options.properties ?? {}).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  const args = [entry, "server", configFile, ...sets];
  const { inheritOutput, enter } = options;
  const command = process.execPath;
  const server = new ServerProcess({ name: "vivarium", port, dataDir, command, args, inheritOutput, enter });
  return options.wait === false ? server : server.serving();
}
