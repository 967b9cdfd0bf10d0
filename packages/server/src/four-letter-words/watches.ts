/** wchs, wchc and wchp. As in Apache ZooKeeper they speak of data watches only. */
import type { Watcher } from "@vivarium/tree";
import { ClientConnection, sessionHex } from "../client-connection.ts";
import type { WordContext } from "./word-context.ts";

export function watchSummary({ server }: WordContext): string {
  if (server === null) return "";
  const { data } = server.tree.watches;
  return `${data.watcherCount} connections watching ${data.pathCount} paths\nTotal watches:${data.size}\n`;
}

export function* watchesByPath({ server }: WordContext): Generator<string, void, void> {
  for (const [path, watchers] of server?.tree.watches.data.byPath() ?? []) {
    yield `${path}\n`;
    for (const watcher of watchers) yield `\t0x${sessionOf(watcher)}\n`;
  }
  yield "\n";
}

export function* watchesBySession({ server }: WordContext): Generator<string, void, void> {
  for (const [watcher, paths] of server?.tree.watches.data.byWatcher() ?? []) {
    yield `0x${sessionOf(watcher)}\n`;
    for (const path of paths) yield `\t${path}\n`;
  }
  yield "\n";
}

function sessionOf(watcher: Watcher): string {
  return sessionHex(watcher instanceof ClientConnection ? watcher.sessionId : 0n);
}
