/** Throughput and latency of reads, writes and both, with many requests in flight and with one. */
import { errorName } from "@vivarium/protocol";
import { childPaths, dataOf } from "../bodies.ts";
import { createMany, withSessions } from "../bulk.ts";
import { type DriveResult, drive, type Traffic } from "../drive.ts";
import { readsAndWrites } from "../traffic.ts";
import { type Arena, type Figure, microseconds, opsPerSecond, p50, p99, type Workload } from "../workload.ts";

const KEYS = 1000;
/** From here on the generator may be what is measured. */
const BUSY = 0.95;

/** Drives over sessions that are opened for it. Refusals make the figures worthless, so that they are an error. */
export async function driveOnce(
  arena: Arena,
  doing: string,
  traffic: Traffic,
  load: Partial<Arena["settings"]> = {},
): Promise<DriveResult> {
  const { connections, window, seconds } = { ...arena.settings, ...load };
  const { network, hosts, signal, onProgress, onRemark } = arena;
  const result = await withSessions(network, hosts, { count: connections }, (sessions) =>
    drive(sessions, traffic, { window, seconds, signal, onProgress: (share) => onProgress(doing, share) }),
  );
  if (result.errors.size > 0) {
    const list = [...result.errors].map(([code, count]) => `${count} × ${errorName(code)}`).join(", ");
    throw new Error(`${doing}: requests were refused (${list})`);
  }
  if (result.generatorBusy > BUSY) onRemark(`${doing}: the generator was busy all the time, the server can do more`);
  return result;
}

/** Makes the nodes that reads and writes go to. */
export async function makeKeys(arena: Arena, count: number, sizeBytes: number): Promise<string[]> {
  const paths = childPaths(arena.root, count);
  await createMany(arena.control, count, (index) => paths[index] as string, { data: dataOf(sizeBytes) });
  return paths;
}

const crowds = [
  { name: "reads", title: "reads", readPercent: () => 100 },
  { name: "writes", title: "writes", readPercent: () => 0 },
  { name: "mixed", title: "reads and writes", readPercent: (arena: Arena) => arena.settings.readPercent },
] as const;

export const crowdWorkloads: Workload[] = crowds.map(({ name, title, readPercent }) => ({
  name,
  about: `${title} with many requests in flight: throughput and 99th percentile`,
  async run(arena) {
    const { sizeBytes } = arena.settings;
    const paths = await makeKeys(arena, KEYS, sizeBytes);
    const mix = { readPercent: readPercent(arena), sizeBytes };
    const result = await driveOnce(arena, title, readsAndWrites(paths, mix));
    return [opsPerSecond(name, title, result.perSecond), ...percentiles(name, title, result)];
  },
}));

function percentiles(name: string, title: string, { byKind }: DriveResult): Figure[] {
  return [...byKind]
    .filter(([, { count }]) => count > 0)
    .map(([kind, histogram]) =>
      microseconds(`${name}.${kind}.p99`, `${title}: 99th percentile of a ${kind}`, p99(histogram)),
    );
}

export const sequential: Workload = {
  name: "sequential",
  about: "one connection with one request at a time: median of a read and of a write",
  async run(arena) {
    const { sizeBytes } = arena.settings;
    const paths = await makeKeys(arena, KEYS, sizeBytes);
    const figures: Figure[] = [];
    for (const [kind, readPercent] of [
      ["read", 100],
      ["write", 0],
    ] as const) {
      const title = `one ${kind} at a time`;
      const traffic = readsAndWrites(paths, { readPercent, sizeBytes });
      const { all } = await driveOnce(arena, title, traffic, { connections: 1, window: 1 });
      figures.push(microseconds(`sequential.${kind}`, `${title}, median`, p50(all)));
    }
    return figures;
  },
};
