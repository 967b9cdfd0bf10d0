/** A server for one run: started, waited for, looked at, stopped, and its directory taken away. */
import { milliseconds } from "@vivarium/load";
import type { RunningServer } from "./contender.ts";
import type { Stage } from "./part.ts";
import { untilServing } from "./server-view.ts";

export async function withServer(stage: Stage, work: (server: RunningServer) => Promise<void>): Promise<void> {
  const { contender } = stage;
  const server = await contender.start();
  try {
    await untilServing(server.port);
    // From here on, because a server that does not serve yet makes nobody wait.
    await server.longestStall();
    await work(server);
    await recordStall(stage, [server]);
  } finally {
    await server.stop();
    contender.remove(server.dataDir);
  }
}

/** How the keys of stalls, and of turns by processor time, begin; the name of the part follows. */
export const STALL = "stall.";
export const TURN = "turn.";

/** The longest stall of any of the servers since it was last asked for. */
export async function recordStall(stage: Stage, servers: readonly RunningServer[]): Promise<void> {
  const { part } = stage;
  for (const server of servers) {
    const stall = await server.longestStall();
    if (stall === undefined) continue;
    stage.record(milliseconds(`${STALL}${part}`, `longest stall of the event loop: ${part}`, stall.stallMs));
    stage.record(milliseconds(`${TURN}${part}`, `processor time of its longest turn: ${part}`, stall.turnMs));
  }
}
