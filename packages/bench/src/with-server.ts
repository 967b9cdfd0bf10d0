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
    await server.longestStallMs();
    await work(server);
    await recordStall(stage, [server]);
  } finally {
    await server.stop();
    contender.remove(server.dataDir);
  }
}

/** How the keys of stalls begin; the name of the part follows. */
export const STALL = "stall.";

/** The longest stall of any of the servers since it was last asked for. */
export async function recordStall(stage: Stage, servers: readonly RunningServer[]): Promise<void> {
  for (const server of servers) {
    const stallMs = await server.longestStallMs();
    if (stallMs !== undefined)
      stage.record(milliseconds(`${STALL}${stage.part}`, `longest stall of the event loop: ${stage.part}`, stallMs));
  }
}
