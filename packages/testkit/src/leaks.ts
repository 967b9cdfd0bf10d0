/** What tests have left behind on a server. */
import type { ZooKeeperServer } from "@vivarium/server";
import { BACK_DOOR_ADDRESS } from "./fault-network.ts";

/** What was not given back. Sessions and sockets of clients that the test server itself will close are not among it. */
export interface Leaks {
  /** Sessions that nobody has closed. */
  sessions: bigint[];
  /** Paths of ephemeral nodes, whosever they are. */
  ephemerals: string[];
  /** Paths that are watched, each once, whoever watches. */
  watches: string[];
  /** The clients' ends of open connections, "address:port". */
  sockets: string[];
}

/** @param ours ids of sessions that will be closed without the test's doing */
export function findLeaks({ tree, tracker, listener }: ZooKeeperServer, ours: ReadonlySet<bigint>): Leaks {
  const connections = [...listener.connections()].filter(
    ({ sessionId, socket }) => !ours.has(sessionId) && socket.remoteAddress !== BACK_DOOR_ADDRESS,
  );
  const { data, child } = tree.watches;
  return {
    sessions: [...tracker.all()].filter(({ id, closing }) => !closing && !ours.has(id)).map(({ id }) => id),
    ephemerals: [...tree.owned.sessions()].flatMap((owner) => tree.ephemerals(owner)).sort(),
    watches: [...new Set([...data.byPath(), ...child.byPath()].map(([path]) => path))].sort(),
    sockets: connections.map(({ peer }) => peer),
  };
}

export const sessionText = (id: bigint): string => `0x${BigInt.asUintN(64, id).toString(16)}`;

/** One sentence that names everything, or undefined when there is nothing. */
export function describeLeaks({ sessions, ephemerals, watches, sockets }: Leaks): string | undefined {
  const kinds = [
    ["session", sessions.map(sessionText)],
    ["ephemeral node", ephemerals],
    ["watch", watches],
    ["socket", sockets],
  ] as const;
  const found = kinds.filter(([, names]) => names.length > 0).map(([kind, names]) => count(kind, names));
  return found.length === 0 ? undefined : `left behind on the test server: ${found.join("; ")}`;
}

const MAX_NAMED = 10;

function count(kind: string, names: readonly string[]): string {
  const plural = names.length === 1 ? kind : kind.endsWith("ch") ? `${kind}es` : `${kind}s`;
  const more = names.length > MAX_NAMED ? ", ..." : "";
  return `${names.length} ${plural} (${names.slice(0, MAX_NAMED).join(", ")}${more})`;
}
