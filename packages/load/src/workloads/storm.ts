/** All sessions lose their connection in the same moment and come back at once, as after a switch was restarted. */
import { closeSessions, makeNode, withSessions } from "../bulk.ts";
import { within } from "../elapse.ts";
import { withProber } from "../prober.ts";
import { LoadSession } from "../session.ts";
import { type Arena, addressOf, milliseconds, type Workload } from "../workload.ts";

const DEADLINE_MS = 120_000;

export const storm: Workload = {
  name: "storm",
  about: "half as many sessions as `sessions` lose their connection and come back all at once",
  async run(arena) {
    const { network, hosts, settings, root, control, onProgress } = arena;
    const count = Math.max(1, settings.sessions >> 1);
    const name = `${count.toLocaleString("en-US")} sessions come back at once`;
    const path = await makeNode(control, `${root}/other`);
    onProgress(`opening ${count} sessions`, 0);
    return withSessions(network, hosts, { count }, (sessions) =>
      withProber({ address: addressOf(hosts), path }, async (prober) => {
        await prober.report();
        onProgress(name, 0.5);
        const tookMs = await comeBack(arena, sessions);
        const { pingMostUs, readMostUs } = await prober.report();
        const othersMs = Math.max(pingMostUs, readMostUs) / 1000;
        return [
          milliseconds("storm", `${name}: until all are back`, tookMs),
          milliseconds("storm.others", `${name}: longest ping or read of another client`, othersMs),
        ];
      }),
    );
  },
};

/** @returns milliseconds from the loss of all connections until all sessions have a new one */
async function comeBack({ network, signal }: Arena, sessions: readonly LoadSession[]): Promise<number> {
  for (const session of sessions) session.drop();
  const startMs = performance.now();
  const opening = sessions.map(({ address, id, password }) =>
    LoadSession.open(network, address, { deadlineMs: DEADLINE_MS, resume: { id, password } }),
  );
  const back = await within(DEADLINE_MS, "coming back", signal, Promise.all(opening));
  const tookMs = performance.now() - startMs;
  await closeSessions(back);
  return tookMs;
}
