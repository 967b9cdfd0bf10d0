/** Many sessions that do nothing but ping: what each costs the server in memory, and what all of them cost it in CPU time. */
import { closeSessions, openSessions } from "../bulk.ts";
import { elapse } from "../elapse.ts";
import type { LoadSession } from "../session.ts";
import { type Arena, type Figure, kilobytes, opsPerSecond, percent, type Workload } from "../workload.ts";

const SETTLE_MS = 3000;
const TIMEOUT_MS = 30_000;
/** A whole third of the timeout, in which every session pings once. */
const IDLE_MS = TIMEOUT_MS / 3;

export const sessions: Workload = {
  name: "sessions",
  about: "many connected sessions: opening them, memory of each, CPU time while they only ping",
  async run(arena) {
    const { network, hosts, settings, process, onProgress } = arena;
    const count = settings.sessions;
    const name = `${count.toLocaleString("en-US")} sessions`;
    const before = process?.residentMegabytes() ?? 0;
    onProgress(`opening ${name}`, 0);
    const startMs = performance.now();
    let held: LoadSession[] = [];
    try {
      held = await openSessions(network, hosts, count, { timeoutMs: TIMEOUT_MS });
      const perSecond = (count / (performance.now() - startMs)) * 1000;
      const figures = [
        opsPerSecond("sessions.open", `opening ${name}`, perSecond),
        ...(await idle(arena, name, before)),
      ];
      await closeSessions(held);
      return figures;
    } finally {
      for (const session of held) session.drop();
    }
  },
};

/** What the server's process shows while nothing but pings arrives. */
async function idle({ process, settings, signal, onProgress }: Arena, name: string, before: number): Promise<Figure[]> {
  if (process === undefined) return [];
  await elapse(SETTLE_MS, signal);
  const eachKilobytes = ((process.residentMegabytes() - before) * 1024) / settings.sessions;
  const cpu = process.cpuSeconds();
  await elapse(IDLE_MS, signal, (share) => onProgress(`${name}, idle`, share));
  const busy = ((process.cpuSeconds() - cpu) / (IDLE_MS / 1000)) * 100;
  return [
    kilobytes("sessions.memory", `${name}: memory of each`, eachKilobytes),
    percent("sessions.idle", `${name}: CPU time while they only ping`, busy),
  ];
}
