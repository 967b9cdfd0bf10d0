/** What the plots show and no single number does, by our own generator. */
import {
  childPaths,
  closeSessions,
  createMany,
  creates,
  type DriveResult,
  dataOf,
  drive,
  makeNode,
  openSessions,
  readsAndWrites,
  TIMELINE_MS,
  type Traffic,
} from "@vivarium/load";
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

type Drive = (
  doing: string,
  traffic: Traffic,
  load: { connections: number; window: number; seconds: number },
) => Promise<DriveResult>;

export const curves: Part = {
  name: "curves",
  about:
    "what the plots show: throughput against window, distribution of latencies, throughput while snapshots are written",
  roles: ["ours", "theirs"],
  turns: oneTurn,
  run: (stage) =>
    withServer(stage, async ({ port }) => {
      const hosts = hostsOf({ port });
      const run: Drive = async (doing, traffic, { connections, ...load }) => {
        stage.doing(doing);
        const sessions = await openSessions(network, hosts, connections);
        const result = await drive(sessions, traffic, { ...load, warmUpSeconds: 0.5 });
        await closeSessions(sessions);
        if (result.generatorBusy > 0.95)
          stage.remark(`${doing}: the generator was busy all the time, the server can do more`);
        return result;
      };
      const [control] = await openSessions(network, hosts, 1);
      if (control === undefined) throw new RangeError("no session");
      const paths = childPaths(await makeNode(control, "/bench"), KEYS);
      await createMany(control, KEYS, (index) => paths[index] as string, { data: dataOf(SIZE_BYTES) });
      await makeNode(control, "/created");
      await control.close();
      await windows(stage, run, paths);
      await timeline(stage, run);
    }),
};

/** Throughput for each window, and with the usual one all percentiles. */
async function windows({ draw, scale }: Stage, run: Drive, paths: readonly string[]): Promise<void> {
  for (const [name, readPercent] of [
    ["reads", 100],
    ["writes", 0],
  ] as const) {
    const traffic = readsAndWrites(paths, { readPercent, sizeBytes: SIZE_BYTES });
    await run("warming up", traffic, { connections: CONNECTIONS, window: WINDOW, seconds: 1 });
    const points: [number, number][] = [];
    for (const window of WINDOWS) {
      const load = { connections: CONNECTIONS, window, seconds: scale.seconds / 2 };
      const { perSecond, all } = await run(`${name}, window ${window}`, traffic, load);
      points.push([window, Math.round(perSecond)]);
      if (window !== WINDOW) continue;
      draw({ plot: "latency", name, points: SHARES.map((share) => [share, all.percentileUs(share) / 1000]) });
    }
    draw({ plot: "window", name, points });
  }
}

/** Creates per second, half a second at a time. */
async function timeline({ draw, scale }: Stage, run: Drive): Promise<void> {
  const load = { connections: 20, window: 100, seconds: scale.createSeconds };
  const { timeline: tenths } = await run("creates", creates("/created", 100), load);
  const perSlot = SLOT_MS / TIMELINE_MS;
  const points: [number, number][] = [];
  for (let at = 0; at + perSlot <= tenths.length; at += perSlot) {
    const count = tenths.slice(at, at + perSlot).reduce((sum, tenth) => sum + tenth, 0);
    points.push([(at * TIMELINE_MS) / 1000, (count / SLOT_MS) * 1000]);
  }
  draw({ plot: "snapshots", name: "creates", points });
}
