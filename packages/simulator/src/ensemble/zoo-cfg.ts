/** The zoo.cfg of each simulated server. */
import type { SwarmOptions } from "../faults/swarm.ts";

export const CLIENT_PORT = 2181;

export function serverAddress(id: number): string {
  return `10.0.0.${id}`;
}

export function clientAddress(number: number): string {
  return `10.0.1.${number}`;
}

export function longestSessionMs({ tickTimeMs, longestSession }: SwarmOptions): number {
  return Math.max(tickTimeMs * longestSession, 400);
}

export function zooCfg(id: number, swarm: SwarmOptions): string {
  const { servers, observers, tickTimeMs, snapCount, preAllocKb, compression, flushDelayMs, outstandingLimit } = swarm;
  const lines = [
    `dataDir=/data`,
    `clientPort=${CLIENT_PORT}`,
    `clientPortAddress=${serverAddress(id)}`,
    `tickTime=${tickTimeMs}`,
    `maxSessionTimeout=${longestSessionMs(swarm)}`,
    `snapCount=${snapCount}`,
    `preAllocSize=${preAllocKb}`,
    `flushDelay=${flushDelayMs}`,
    `globalOutstandingLimit=${outstandingLimit}`,
    `maxClientCnxns=0`,
    ...(compression === "" ? [] : [`snapshot.compression.method=${compression}`]),
    ...(servers === 1 ? [] : ["initLimit=10", `syncLimit=${swarm.syncLimit}`]),
    ...(id > servers ? ["peerType=observer"] : []),
  ];
  for (let server = 1; servers > 1 && server <= servers + observers; server++) {
    lines.push(`server.${server}=${serverAddress(server)}:2888:3888${server > servers ? ":observer" : ""}`);
  }
  return `${lines.join("\n")}\n`;
}
