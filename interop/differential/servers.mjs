// The two servers, each in an empty directory in memory and with the same settings.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApache } from "../lib/apache.mjs";
import { superProperties } from "../lib/dump-tree.mjs";
import { startVivarium } from "../lib/vivarium.mjs";

const starters = { apache: startApache, vivarium: startVivarium };

export const serverNames = Object.keys(starters);

/** Every feature on; nothing that happens by itself, except the expiry of sessions that ask for it. */
const options = {
  config: { tickTime: 200, minSessionTimeout: 400, maxSessionTimeout: 120_000, maxClientCnxns: 0, preAllocSize: 64 },
  properties: {
    ...superProperties,
    "zookeeper.extendedTypesEnabled": "true",
    "zookeeper.enforceQuota": "true",
    "zookeeper.forceSync": "no",
    "znode.container.checkIntervalMs": 3_600_000,
  },
};

/** Starts one server by its name; `remove` stops it and deletes its directory. */
export async function start(name) {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const dataDir = mkdtempSync(join(parent, `differential-${name}-`));
  const server = await starters[name]({ ...options, dataDir });
  return {
    server,
    remove: async () => {
      await server.kill();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
