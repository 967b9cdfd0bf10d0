/** Reads and writes of values from nothing to nearly as much as a request may hold. */
import { makeNode } from "../bulk.ts";
import { readsAndWrites } from "../traffic.ts";
import { type Figure, opsPerSecond, type Settings, type Workload } from "../workload.ts";
import { driveOnce, makeKeys } from "./traffic.ts";

const SIZES = [0, 100, 1024, 10_240, 102_400, 1_000_000];
const KEYS = 20;
/** All that may be in flight at once, both ways. */
const IN_FLIGHT_BYTES = 8_000_000;

const sizeText = (bytes: number) =>
  bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${Math.round(bytes / 1024)} KiB` : "1 MB";

export const sizes: Workload = {
  name: "sizes",
  about: "reads and writes of values of 0 B to 1 MB",
  async run(arena) {
    const figures: Figure[] = [];
    for (const sizeBytes of SIZES) {
      const root = `${arena.root}/of-${sizeBytes}`;
      const paths = await makeKeys({ ...arena, root: await makeNode(arena.control, root) }, KEYS, sizeBytes);
      const load = fitting(arena.settings, sizeBytes);
      for (const [kind, readPercent] of [
        ["read", 100],
        ["write", 0],
      ] as const) {
        const title = `${kind}s of ${sizeText(sizeBytes)}`;
        const result = await driveOnce(arena, title, readsAndWrites(paths, { readPercent, sizeBytes }), load);
        figures.push(opsPerSecond(`sizes.${sizeBytes}.${kind}`, title, result.perSecond));
      }
    }
    return figures;
  },
};

/** As many requests in flight as the values allow: first fewer per connection, then fewer connections. */
function fitting({ connections, window }: Settings, sizeBytes: number): { connections: number; window: number } {
  const requests = Math.max(1, Math.floor(IN_FLIGHT_BYTES / Math.max(1, sizeBytes)));
  const used = Math.min(connections, requests);
  return { connections: used, window: Math.max(1, Math.min(window, Math.floor(requests / used))) };
}
