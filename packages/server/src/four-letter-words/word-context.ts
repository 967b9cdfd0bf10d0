import type { EnsembleView } from "../peer/ensemble-view.ts";
import type { LeaderFigures } from "../peer/peer-context.ts";
import type { ServerStats } from "../server-stats.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";

/** What four-letter words can see. */
export interface WordContext {
  /** Null while this process serves nobody. */
  readonly server: ZooKeeperServer | null;
  readonly stats: ServerStats;
  /** The words that `4lw.commands.whitelist` lets through. */
  readonly allowed: ReadonlySet<string>;
  readonly serverState: "standalone" | "leader" | "follower" | "observer" | "read-only";
  /** What a member of an ensemble knows of it; undefined on a standalone server. `leader` only where this is the leader. */
  readonly ensemble?: { readonly view: EnsembleView; readonly leader: LeaderFigures | undefined };
  /** As in server.N and myid; 0 when there is none. */
  readonly serverId: number;
  clientPort(): number;
  directorySizes(): Promise<{ dataDirBytes: number; dataLogDirBytes: number }>;
}
