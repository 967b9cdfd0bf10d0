/** What Linux tells of a process, and what is true of a server from outside. */
import { readFileSync } from "node:fs";
import { LoadSession, makeNode, type ServerProcessView } from "@vivarium/load";
import { NodeNetwork } from "@vivarium/runtime";

export const network = new NodeNetwork();
const HOST = "127.0.0.1";
const START_DEADLINE_MS = 300_000;
/** Apache's server may forget a connection that came before it was ready. */
const SESSION_DEADLINE_MS = 200;
const RETRY_MS = 2;
/** A server collects garbage and ends what it still writes before its memory is looked at. */
const SETTLE_MS = 3000;
/** Clock ticks of /proc/PID/stat in a second: the same on all Linux systems that Node.js runs on. */
const TICKS_PER_SECOND = 100;

export const hostsOf = (...servers: readonly { port: number }[]) => servers.map(({ port }) => ({ host: HOST, port }));

function statusMegabytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
}

export const residentMegabytes = (pid: number): number => statusMegabytes(pid, "VmRSS");
/** The most that was ever resident. */
export const peakMegabytes = (pid: number): number => statusMegabytes(pid, "VmHWM");

export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // After the name in brackets, which may hold spaces: state is field 3, utime 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export const viewOf = (pid: number): ServerProcessView => ({
  residentMegabytes: () => residentMegabytes(pid),
  cpuSeconds: () => cpuSeconds(pid),
});

export const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

/** Resolves when the server has given a session, and made a znode if one is asked for. */
export async function untilServing(port: number, znode?: string): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      const session = await LoadSession.open(network, { host: HOST, port }, { deadlineMs: SESSION_DEADLINE_MS });
      if (znode !== undefined) await makeNode(session, znode);
      session.drop();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
