// The two servers, each in an empty directory in memory and with the same settings.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApache } from "../lib/apache.mjs";
import { superProperties } from "../lib/dump-tree.mjs";
import { startVivarium } from "../lib/vivarium.mjs";

const starters = { apache: startApache, vivarium: startVivarium };

export const serverNames = Object.keys(starters);

const config = {
  tickTime: 200,
  minSessionTimeout: 1000,
  maxSessionTimeout: 120_000,
  maxClientCnxns: 0,
  preAllocSize: 64,
};

/** Nothing that happens by itself, except the expiry of sessions that ask for it. */
const plain = { ...superProperties, "zookeeper.forceSync": "no", "znode.container.checkIntervalMs": 3_600_000 };

const features = { "zookeeper.extendedTypesEnabled": "true", "zookeeper.enforceQuota": "true" };

/**
 * Starts one server by its name; `remove` stops it and deletes its directory.
 * @param {string} name
 * @param {{isPlain?: boolean, properties?: Record<string, string | number>}} [settings] plain: features that are off by
 *   default stay off
 */
export async function start(name, { isPlain = false, properties = {} } = {}) {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const dataDir = mkdtempSync(join(parent, `differential-${name}-`));
  const server = await starters[name]({
    dataDir,
    config,
    properties: { ...plain, ...(isPlain ? {} : features), ...properties },
  });
  return {
    server,
    remove: async () => {
      await server.kill();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
