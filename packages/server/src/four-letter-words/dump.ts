/** dump: sessions by the time at which they expire, ephemerals by session, connections by the time they are closed. */
import { type ClientConnection, sessionHex } from "../client-connection.ts";
import type { WordContext } from "./word-context.ts";

export function dumpSessions({ server }: WordContext): string {
  if (server === null) return "";
  const { tracker, tree } = server;
  let text = "SessionTracker dump:\nSession ";
  text += expirySets(server, tracker.expirySets(), tracker.size, (session) => `0x${sessionHex(session.id)}`);
  const owners = [...tree.owned.sessions()];
  text += `ephemeral nodes dump:\nSessions with Ephemerals (${owners.length}):\n`;
  for (const owner of owners) {
    text += `0x${sessionHex(owner)}:\n`;
    for (const path of tree.ephemerals(owner)) text += `\t${path}\n`;
  }
  return text;
}

export function dumpConnections({ server }: WordContext): string {
  if (server === null) return "";
  const { listener } = server;
  const name = (connection: ClientConnection) =>
    `ip: /${connection.peer} sessionId: 0x${sessionHex(connection.sessionId)}`;
  return `Connections dump:\nConnections ${expirySets(server, listener.expirySets(), listener.size, name)}`;
}

function expirySets<T>(
  server: NonNullable<WordContext["server"]>,
  sets: Iterable<readonly [dueMs: number, entries: ReadonlySet<T>]>,
  total: number,
  name: (entry: T) => string,
): string {
  const wallAhead = server.clock.wallMs() - server.clock.monotonicMs();
  let text = "";
  let count = 0;
  for (const [dueMs, entries] of sets) {
    count++;
    text += `${entries.size} expire at ${asJavaPrints(new Date(dueMs + wallAhead))}:\n`;
    for (const entry of entries) text += `\t${name(entry)}\n`;
  }
  return `Sets (${count})/(${total}):\n${text}`;
}

/** "Mon Nov 23 04:47:17 UTC 2026", as Java's Date prints itself. */
function asJavaPrints(date: Date): string {
  const [weekday, day, month, year, time] = date.toUTCString().replace(",", "").split(" ");
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}
