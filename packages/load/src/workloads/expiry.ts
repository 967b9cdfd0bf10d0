/**
 * Sessions that each own an ephemeral node go silent in the same moment and expire: how long it takes from the first
 * node's going to the last one's, and what each costs the server, for a number of them and for eight times as many.
 */
import { AddWatchMode, AddWatchRequest, CreateMode, EventType, OpCode, WatcherEvent } from "@vivarium/protocol";
import { bodies, dataOf } from "../bodies.ts";
import { makeNode, withSessions } from "../bulk.ts";
import { within } from "../elapse.ts";
import type { LoadSession } from "../session.ts";
import { type Arena, type Figure, microseconds, milliseconds, type Workload } from "../workload.ts";

/** The server raises it to the least it grants, twice its tickTime by default. */
const TIMEOUT_MS = 6000;
const DEADLINE_MS = 120_000;
const STEP = 8;

export const expiry: Workload = {
  name: "expiry",
  about: "sessions with an ephemeral node each go silent at once and expire",
  async run(arena) {
    const most = arena.settings.sessions;
    const figures: Figure[] = [];
    for (const count of [Math.max(1, Math.floor(most / STEP)), most]) figures.push(...(await expire(arena, count)));
    return figures;
  },
};

async function expire(arena: Arena, count: number): Promise<Figure[]> {
  const { network, hosts, root, control, signal, process, onProgress } = arena;
  const name = `${count.toLocaleString("en-US")} sessions expire`;
  const parent = await makeNode(control, `${root}/of-${count}`);
  onProgress(`opening ${count} sessions`, 0);
  const cpuUs = () => (process?.cpuSeconds() ?? 0) * 1e6;
  const { tookMs, usedUs } = await withSessions(network, hosts, { count, timeoutMs: TIMEOUT_MS }, async (sessions) => {
    await Promise.all(sessions.map((session, index) => ownNode(session, `${parent}/e${index}`)));
    await control.call(OpCode.addWatch, (writer) =>
      AddWatchRequest.write(writer, { path: parent, mode: AddWatchMode.PERSISTENT_RECURSIVE }),
    );
    const gone = deletions(arena, count);
    const beforeUs = cpuUs();
    onProgress(name, 0.5);
    for (const session of sessions) session.drop();
    const tookMs = await within(DEADLINE_MS, name, signal, gone);
    return { tookMs, usedUs: cpuUs() - beforeUs };
  });
  const figures = [milliseconds(`expiry.${count}`, `${name}: from the first to the last`, tookMs)];
  if (process !== undefined) {
    figures.push(microseconds(`expiry.${count}.cpu`, `${name}: CPU time of each`, usedUs / count));
  }
  return figures;
}

function ownNode(session: LoadSession, path: string): Promise<unknown> {
  const body = bodies.create(path, dataOf(0), CreateMode.EPHEMERAL);
  return session.call(OpCode.create, (writer) => writer.raw(body));
}

/** @returns milliseconds from the first of `count` nodes seen to go to the last */
function deletions({ control }: Arena, count: number): Promise<number> {
  let left = count;
  let firstMs = 0;
  return new Promise((resolve, reject) => {
    control.onLost = reject;
    control.onEvent = (reader) => {
      if (WatcherEvent.read(reader).type !== EventType.NodeDeleted) return;
      if (left === count) firstMs = performance.now();
      if (--left === 0) resolve(performance.now() - firstMs);
    };
  });
}
