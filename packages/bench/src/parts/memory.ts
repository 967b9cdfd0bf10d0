/**
 * A server that gets many znodes: how fast, what it holds at most, how long a restart takes, what it holds then, and what
 * reads and writes cost it compared with a server of a thousand znodes.
 */
import { createMany, dataOf, LoadSession, megabytes, opsPerSecond, readsAndWritesAmong, seconds } from "@vivarium/load";
import type { RunningServer } from "../contender.ts";
import { driveServer, loadServers } from "../load-server.ts";
import { fewerTurns, type Part, type Stage } from "../part.ts";
import { hostsOf, network, peakMegabytes, residentMegabytes, settle, untilServing } from "../server-view.ts";
import { recordStall } from "../with-server.ts";

const ZNODE_BYTES = 100;
const FOLDER = 1000;
const ROOT = "/fill";
/** How many points the plot gets. */
const SAMPLES = 20;
const CROWD = { connections: 50, window: 20, sizeBytes: ZNODE_BYTES };

/** A root, then folders of a thousand each, every folder before what is in it. */
export function filledPath(index: number): string {
  if (index === 0) return ROOT;
  const folder = `${ROOT}/d${Math.floor((index - 1) / FOLDER)}`;
  const at = (index - 1) % FOLDER;
  return at === 0 ? folder : `${folder}/n${at}`;
}

export const memory: Part = {
  name: "memory",
  about: "znodes of 100 B: memory at peak and after a restart, time of the restart, cost of reads and writes then",
  roles: ["ours", "theirs"],
  turns: fewerTurns,
  async run(stage) {
    const { contender, record, scale } = stage;
    const znodes = scale.znodes.toLocaleString("en-US");
    let server = await contender.start();
    try {
      await untilServing(server.port);
      await server.longestStall();
      if (contender.role === "ours") await grown(stage, server, "small", "1,000 znodes");
      stage.doing("filling");
      const rate = await fill(stage, server);
      record(opsPerSecond("fill", "creating 100 B znodes over one connection", rate));
      await settle();
      record(megabytes("memory.peak", `memory with ${znodes} znodes of 100 B, at peak`, peakMegabytes(server.pid)));
      await recordStall(stage, [server]);
      await server.stop();
      stage.doing("restarting");
      const startMs = performance.now();
      server = await contender.start(server.dataDir);
      await untilServing(server.port);
      record(seconds("restart", "restart with them, to the first session", (performance.now() - startMs) / 1000));
      await server.longestStall();
      await settle();
      record(megabytes("memory.restarted", "memory after the restart", residentMegabytes(server.pid)));
      if (contender.role === "ours") {
        await grown(stage, server, "large", `${znodes} znodes`);
        await scattered(stage, server, `${znodes} znodes`);
      }
      await recordStall(stage, [server]);
    } finally {
      await server.stop();
      contender.remove(server.dataDir);
    }
  },
};

/** @returns znodes per second */
async function fill({ scale, draw, doing }: Stage, { port, pid }: RunningServer): Promise<number> {
  const [address] = hostsOf({ port });
  if (address === undefined) throw new RangeError("no server");
  const session = await LoadSession.open(network, address);
  const points: [number, number][] = [];
  const startMs = performance.now();
  await createMany(session, scale.znodes, filledPath, {
    data: dataOf(ZNODE_BYTES),
    onProgress(done) {
      if (done < (points.length * scale.znodes) / SAMPLES) return;
      points.push([done, residentMegabytes(pid)]);
      doing(`filling, ${Math.round((done / scale.znodes) * 100)} %`);
    },
  });
  const tookMs = performance.now() - startMs;
  points.push([scale.znodes, residentMegabytes(pid)]);
  draw({ plot: "memory", name: "resident memory", points });
  await session.close();
  return (scale.znodes / tookMs) * 1000;
}

/** Reads and writes of a thousand znodes while the server holds that many. */
async function grown(stage: Stage, server: RunningServer, key: string, size: string): Promise<void> {
  const load = (doing: string, readPercent: number) =>
    loadServers(stage, `${doing} with ${size}`, [server], { ...CROWD, readPercent });
  await load("warming up", 50);
  stage.record(opsPerSecond(`grown.${key}.reads`, `reads of 100 B with ${size}`, (await load("reads", 100)).ops_s));
  stage.record(opsPerSecond(`grown.${key}.writes`, `writes of 100 B with ${size}`, (await load("writes", 0)).ops_s));
}

/** The same all over the tree, by our own generator. */
async function scattered(stage: Stage, server: RunningServer, size: string): Promise<void> {
  const { znodes, seconds: duration } = stage.scale;
  for (const [key, count] of [
    ["small", FOLDER],
    ["large", znodes],
  ] as const) {
    const among = `reads among ${key === "small" ? "1,000" : size.split(" ")[0]} of ${size}`;
    const traffic = readsAndWritesAmong(count, filledPath, { readPercent: 100, sizeBytes: ZNODE_BYTES });
    const { connections, window } = CROWD;
    const { perSecond } = await driveServer(stage, among, server, { traffic, connections, window, seconds: duration });
    stage.record(opsPerSecond(`scattered.${key}`, among, perSecond));
  }
}
