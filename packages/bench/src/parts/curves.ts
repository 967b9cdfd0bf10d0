/** What the plots show and no single number does, by our own generator. */
import {
  childPaths,
  createMany,
  creates,
  dataOf,
  makeNode,
  readsAndWrites,
  TIMELINE_MS,
  withSessions,
} from "@vivarium/load";
import type { RunningServer } from "../contender.ts";
import { driveServer } from "../load-server.ts";
import { oneTurn, type Part, type Stage } from "../part.ts";
import { hostsOf, network } from "../server-view.ts";
import { withServer } from "../with-server.ts";

const CONNECTIONS = 50;
const WINDOW = 20;
const WINDOWS = [1, 2, 5, 10, 20, 50];
const KEYS = 1000;
const SIZE_BYTES = 1024;
/** Shares of requests, closer together towards the end, where the long waits are. */
const SHARES = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999];
const SLOT_MS = 500;

export const curves: Part = {
  name: "curves",
  about:
    "what the plots show: throughput against window, distribution of latencies, throughput while snapshots are written",
  roles: ["ours", "theirs"],
  turns: oneTurn,
  run: (stage) =>
    withServer(stage, async (server) => {
      const paths = childPaths("/bench", KEYS);
      await withSessions(network, hostsOf(server), { count: 1 }, async (sessions) => {
        for (const control of sessions) {
          for (const parent of ["/bench", "/created"]) await makeNode(control, parent);
          await createMany(control, KEYS, (index) => paths[index] as string, { data: dataOf(SIZE_BYTES) });
        }
      });
      await windows(stage, server, paths);
      await timeline(stage, server);
    }),
};

/** Throughput for each window, and with the usual one all percentiles. */
async function windows(stage: Stage, server: RunningServer, paths: readonly string[]): Promise<void> {
  const { draw, scale } = stage;
  for (const [name, readPercent] of [
    ["reads", 100],
    ["writes", 0],
  ] as const) {
    const traffic = readsAndWrites(paths, { readPercent, sizeBytes: SIZE_BYTES });
    const load = { traffic, connections: CONNECTIONS, seconds: scale.seconds / 2 };
    await driveServer(stage, "warming up", server, { ...load, window: WINDOW });
    const points: [number, number][] = [];
    for (const window of WINDOWS) {
      const { perSecond, all } = await driveServer(stage, `${name}, window ${window}`, server, { ...load, window });
      points.push([window, Math.round(perSecond)]);
      if (window !== WINDOW) continue;
      draw({ plot: "latency", name, points: SHARES.map((share) => [share, all.percentileUs(share) / 1000]) });
    }
    draw({ plot: "window", name, points });
  }
}

/** Creates per second, half a second at a time. */
async function timeline(stage: Stage, server: RunningServer): Promise<void> {
  const load = { connections: 20, window: 100, seconds: stage.scale.createSeconds };
  const traffic = creates("/created", 100);
  const { timeline: tenths } = await driveServer(stage, "creates", server, { traffic, ...load });
  const perSlot = SLOT_MS / TIMELINE_MS;
  const points: [number, number][] = [];
  for (let at = 0; at + perSlot <= tenths.length; at += perSlot) {
    const count = tenths.slice(at, at + perSlot).reduce((sum, tenth) => sum + tenth, 0);
    points.push([(at * TIMELINE_MS) / 1000, (count / SLOT_MS) * 1000]);
  }
  stage.draw({ plot: "snapshots", name: "creates", points });
}
