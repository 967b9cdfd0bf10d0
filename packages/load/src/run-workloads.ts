/** Runs workloads one after the other, each below a node of its own, and takes away what they made whatever happens. */
import type { Network } from "@vivarium/runtime";
import { makeNode, removeTree } from "./bulk.ts";
import { type Address, LoadSession } from "./session.ts";
import type { Arena, Figure, Workload } from "./workload.ts";

export interface RunOptions extends Pick<Arena, "network" | "hosts" | "settings" | "signal" | "onRemark"> {
  readonly process?: Arena["process"];
  /** A node that is made for all of it and removed at the end. */
  readonly root: string;
  readonly workloads: readonly Workload[];
  /** The workload, what it does, and which share of all workloads is over. */
  readonly onProgress: (workload: Workload, doing: string, share: number) => void;
  readonly onFigures?: (workload: Workload, figures: readonly Figure[]) => void;
}

/** @throws the first error of a workload, the signal's reason among them, after everything has been removed */
export async function runWorkloads(options: RunOptions): Promise<Figure[]> {
  const { network, hosts, root, workloads, onProgress, onFigures = () => {} } = options;
  const figures: Figure[] = [];
  await withSession(network, hosts, (session) => makeNode(session, root));
  try {
    for (const [index, workload] of workloads.entries()) {
      const own = `${root}/${workload.name}`;
      const found = await withSession(network, hosts, async (control) => {
        await makeNode(control, own);
        const { settings, signal, process, onRemark } = options;
        return workload.run({
          ...{ network, hosts, settings, signal, control, onRemark, root: own },
          ...(process === undefined ? {} : { process }),
          onProgress: (doing, share) => onProgress(workload, doing, (index + share) / workloads.length),
        });
      });
      figures.push(...found);
      onFigures(workload, found);
      await withSession(network, hosts, (session) => removeTree(session, own));
    }
  } finally {
    await remove(options);
  }
  return figures;
}

/** Over a new session: the one at hand may be what broke. */
async function remove({ network, hosts, root }: RunOptions): Promise<void> {
  try {
    await withSession(network, hosts, (session) => removeTree(session, root));
  } catch (cause) {
    throw new Error(`${root} could not be removed: delete it, and all below it, by hand`, { cause });
  }
}

/** The first server that gives a session. */
async function openAny(network: Network, hosts: readonly Address[]): Promise<LoadSession> {
  const problems: string[] = [];
  for (const address of hosts) {
    try {
      return await LoadSession.open(network, address);
    } catch (error) {
      problems.push(`${address.host}:${address.port}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no server gives a session (${problems.join("; ")})`);
}

async function withSession<T>(
  network: Network,
  hosts: readonly Address[],
  work: (session: LoadSession) => Promise<T>,
): Promise<T> {
  const session = await openAny(network, hosts);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
