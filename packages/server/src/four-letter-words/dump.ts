/** dump: sessions by the time at which they expire, ephemerals by session, connections by the time they are closed. */
import { type ClientConnection, sessionHex } from "../client-connection.ts";
import type { ZooKeeperServer } from "../zookeeper-server.ts";
import type { WordContext } from "./word-context.ts";

export function* dump({ server }: WordContext): Generator<string, void, void> {
  if (server === null) return;
  const { tracker, tree, listener } = server;
  yield "SessionTracker dump:\n";
  if (tracker.isLearner) yield* globalSessions(tree.sessions);
  else {
    yield "Session ";
    yield* expirySets(server, tracker, (session) => `0x${sessionHex(session.id)}`);
  }
  const owners = [...tree.owned.sessions()];
  yield `ephemeral nodes dump:\nSessions with Ephemerals (${owners.length}):\n`;
  for (const owner of owners) {
    yield `0x${sessionHex(owner)}:\n`;
    for (const path of tree.ephemerals(owner)) yield `\t${path}\n`;
  }
  yield "Connections dump:\nConnections ";
  yield* expirySets(server, listener, describe);
}

/** A learner does not know when sessions expire. */
function* globalSessions(sessions: ReadonlyMap<bigint, number>): Generator<string, void, void> {
  yield `Global Sessions(${sessions.size}):\n`;
  const ids = [...sessions.keys()].sort((a, b) => (a < b ? -1 : 1));
  for (const id of ids) yield `0x${sessionHex(id)}\t${sessions.get(id) ?? 0}ms\n`;
}

function describe(connection: ClientConnection): string {
  return `ip: /${connection.peer} sessionId: 0x${sessionHex(connection.sessionId)}`;
}

interface Expiries<T> {
  readonly size: number;
  expirySets(): Iterable<readonly [dueMs: number, entries: ReadonlySet<T>]>;
}

function* expirySets<T>(
  { clock }: ZooKeeperServer,
  expiries: Expiries<T>,
  name: (entry: T) => string,
): Generator<string, void, void> {
  const wallAhead = clock.wallMs() - clock.monotonicMs();
  const sets = [...expiries.expirySets()];
  yield `Sets (${sets.length})/(${expiries.size}):\n`;
  for (const [dueMs, entries] of sets) {
    yield `${entries.size} expire at ${asJavaPrints(new Date(dueMs + wallAhead))}:\n`;
    for (const entry of entries) yield `\t${name(entry)}\n`;
  }
}

/** "Mon Nov 23 04:47:17 UTC 2026", as Java's Date prints itself. */
function asJavaPrints(date: Date): string {
  const [weekday, day, month, year, time] = date.toUTCString().replace(",", "").split(" ");
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}
