/** One load in a part: by the independent generator, or by ours where that one cannot. Both say when they were the limit. */
import { type DriveResult, drive, type Traffic, withSessions } from "@vivarium/load";
import type { Stage } from "./part.ts";
import { hostsOf, network } from "./server-view.ts";
import { type Load, type LoadResult, runLoad } from "./zkload.ts";

/** From here on the generator may be what is measured. */
const BUSY = 0.95;

function judge(stage: Stage, doing: string, busy: number): void {
  if (busy > BUSY) stage.remark(`${stage.part}, ${doing}: the generator was busy all the time, the server can do more`);
}

/** zkload; `seconds` are those of the scale unless given. */
export async function loadServers(
  stage: Stage,
  doing: string,
  servers: readonly { readonly port: number }[],
  load: Omit<Load, "seconds"> & { readonly seconds?: number },
): Promise<LoadResult> {
  stage.doing(doing);
  const ports = servers.map(({ port }) => port);
  const result = await runLoad(stage.zkload, ports, { seconds: stage.scale.seconds, ...load });
  judge(stage, doing, result.busy);
  return result;
}

/** Our own generator. */
export async function driveServer(
  stage: Stage,
  doing: string,
  server: { readonly port: number },
  { traffic, connections, ...load }: { traffic: Traffic; connections: number; window: number; seconds: number },
): Promise<DriveResult> {
  stage.doing(doing);
  const result = await withSessions(network, hostsOf(server), { count: connections }, (sessions) =>
    drive(sessions, traffic, load),
  );
  judge(stage, doing, result.generatorBusy);
  return result;
}
