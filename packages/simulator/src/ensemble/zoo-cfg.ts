/** The zoo.cfg of each simulated server. */
import type { SwarmOptions } from "../faults/swarm.ts";

export const CLIENT_PORT = 2181;

export function serverAddress(id: number): string {
  return `10.0.0.${id}`;
}

export function clientAddress(number: number): string {
  return `10.0.1.${number}`;
}

/** In ticks: how long a follower may be out of touch with its leader, and so how much a leader's word may be behind. */
export const SYNC_LIMIT = 5;

export function zooCfg(id: number, swarm: SwarmOptions): string {
  const { servers, observers, tickTimeMs, snapCount, preAllocKb, compression, flushDelayMs, outstandingLimit } = swarm;
  const lines = [
    `dataDir=/data`,
    `clientPort=${CLIENT_PORT}`,
    `clientPortAddress=${serverAddress(id)}`,
    `tickTime=${tickTimeMs}`,
    `maxSessionTimeout=${Math.max(tickTimeMs * 20, 400)}`,
    `snapCount=${snapCount}`,
    `preAllocSize=${preAllocKb}`,
    `flushDelay=${flushDelayMs}`,
    `globalOutstandingLimit=${outstandingLimit}`,
    `maxClientCnxns=0`,
    ...(compression === "" ? [] : [`snapshot.compression.method=${compression}`]),
    ...(servers === 1 ? [] : ["initLimit=10", `syncLimit=${SYNC_LIMIT}`]),
    ...(id > servers ? ["peerType=observer"] : []),
  ];
  for (let server = 1; servers > 1 && server <= servers + observers; server++) {
    lines.push(`server.${server}=${serverAddress(server)}:2888:3888${server > servers ? ":observer" : ""}`);
  }
  return `${lines.join("\n")}\n`;
}
