/** From what a test asks for to the configuration of a server. */
import { ConfigError, type Logger, type Override, parseConfig, type ServerConfig } from "@vivarium/server";

export interface TestServerOptions {
  /** As in zoo.cfg, or names of zookeeper.* properties: { tickTime: 500, extendedTypesEnabled: true }. */
  settings?: Readonly<Record<string, string | number | boolean>>;
  /** Keeps the data in this directory instead of in memory. */
  dataDir?: string;
  /**
   * "virtual": time moves only by `advance`, everything else happens at once, and clients come from `connect` or use
   * `clientOptions`. Default "real".
   */
  time?: "real" | "virtual";
  /** Default 0, any free port. */
  port?: number;
  /** Where the server logs to; default nowhere. */
  logger?: Logger;
}

export const HOST = "127.0.0.1";

/** Sessions of 4 to 40 seconds may be asked for, as with the zoo.cfg that ZooKeeper comes with. */
const DEFAULTS = { tickTime: 2000, "4lw.commands.whitelist": "*" };

/** @throws ConfigError, also for what a running server would only warn of: in a test it is a mistake */
export function serverConfig({ settings, dataDir }: TestServerOptions, port: number): ServerConfig {
  const overrides: Override[] = Object.entries({ ...DEFAULTS, ...settings }).map(([name, value]) => ({
    name,
    value: String(value),
    option: `settings["${name}"]`,
  }));
  const own = {
    dataDir: dataDir ?? "/testkit",
    clientPort: String(port),
    clientPortAddress: HOST,
    // A log file grown ahead of its content is for disks, not for memory.
    ...(dataDir === undefined && settings?.["preAllocSize"] === undefined && { preAllocSize: "0" }),
  };
  for (const [name, value] of Object.entries(own)) {
    if (settings?.[name] !== undefined) {
      throw new Error(`settings["${name}"] is the test server's own business: use its options dataDir and port`);
    }
    overrides.push({ name, value });
  }
  const { config, warnings } = parseConfig({ overrides });
  const [first, ...others] = warnings;
  if (first !== undefined) throw new ConfigError([first, ...others]);
  return config;
}
