import { MemoryDisk, NodeClock, NodeRandom } from "@vivarium/runtime";
import { parseConfig, type RunningServer, silentLogger, startServer } from "@vivarium/server";

/** A real server on a free port of this machine, with its data in memory. */
export function startLiveServer(settings: Record<string, string | number> = {}): Promise<RunningServer> {
  const all = { dataDir: "/data", clientPort: 0, clientPortAddress: "127.0.0.1", preAllocSize: 0, ...settings };
  const overrides = Object.entries(all).map(([name, value]) => ({ name, value: String(value) }));
  const disk = new MemoryDisk({ clock: new NodeClock(), random: new NodeRandom() });
  return startServer({ config: parseConfig({ overrides }).config, logger: silentLogger, ports: { disk } });
}
