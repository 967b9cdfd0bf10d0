/**
 * One node that many sessions watch is changed: how long until the last of them knows, and what others wait meanwhile.
 * Then all come for their watch again, as clients do.
 */
import { OpCode } from "@vivarium/protocol";
import { bodies, dataOf } from "../bodies.ts";
import { makeNode, withSessions } from "../bulk.ts";
import { elapse, within } from "../elapse.ts";
import { type Prober, withProber } from "../prober.ts";
import type { LoadSession } from "../session.ts";
import { type Arena, addressOf, milliseconds, type Workload } from "../workload.ts";

const ROUNDS = 5;
const CALM_MS = 500;
const DEADLINE_MS = 60_000;

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export const watches: Workload = {
  name: "watches",
  about: "many watches on one node: time until all have the event, and what pings and reads of others wait",
  async run(arena) {
    const { network, hosts, settings, root, control, onProgress } = arena;
    const count = settings.sessions;
    const path = await makeNode(control, `${root}/watched`);
    const other = await makeNode(control, `${root}/other`);
    onProgress(`opening ${count} sessions`, 0);
    const rounds = await withSessions(network, hosts, { count }, (watchers) =>
      withProber({ address: addressOf(hosts), path: other }, (prober) => tell(arena, { path, watchers, prober })),
    );
    const name = `${count.toLocaleString("en-US")} watches on one node`;
    const of = (pick: (round: Round) => number) => median(rounds.map(pick));
    return [
      milliseconds(
        "watches.fan-out",
        `${name}: until all have the event`,
        of(({ fanOutMs }) => fanOutMs),
      ),
      milliseconds(
        "watches.ping",
        `${name}: longest ping of another client meanwhile`,
        of(({ pingMs }) => pingMs),
      ),
      milliseconds(
        "watches.read",
        `${name}: longest read of another client meanwhile`,
        of(({ readMs }) => readMs),
      ),
    ];
  },
};

interface Round {
  readonly fanOutMs: number;
  readonly pingMs: number;
  readonly readMs: number;
}

/** Changes the node a few times, each time when all watch it again and the server is calm. */
async function tell(
  { control, signal, onProgress }: Arena,
  { path, watchers, prober }: { path: string; watchers: readonly LoadSession[]; prober: Prober },
): Promise<Round[]> {
  const rounds: Round[] = [];
  const change = bodies.setData(path, dataOf(10));
  while (rounds.length < ROUNDS) {
    onProgress("changing a watched node", rounds.length / ROUNDS);
    await within(DEADLINE_MS, "setting the watches", signal, watchAll(watchers, path));
    await elapse(CALM_MS, signal);
    await prober.report();
    const told = allTold(watchers);
    const startMs = performance.now();
    control.send(OpCode.setData, change);
    control.flush();
    await within(DEADLINE_MS, "telling the watchers", signal, told);
    const fanOutMs = performance.now() - startMs;
    const { pingMostUs, readMostUs } = await prober.report();
    rounds.push({ fanOutMs, pingMs: pingMostUs / 1000, readMs: readMostUs / 1000 });
  }
  return rounds;
}

async function watchAll(sessions: readonly LoadSession[], path: string): Promise<void> {
  const body = bodies.read(path, true);
  await Promise.all(sessions.map((session) => session.call(OpCode.getData, (writer) => writer.raw(body))));
}

function allTold(sessions: readonly LoadSession[]): Promise<void> {
  let left = sessions.length;
  return new Promise((resolve, reject) => {
    for (const session of sessions) {
      session.onEvent = () => {
        if (--left === 0) resolve();
      };
      session.onLost = reject;
    }
  });
}
