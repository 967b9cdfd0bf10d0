/**
 * The setWatches packets that follow a reconnect. A server refuses packets above its jute.maxbuffer, and a session with
 * very many watches could then never be resumed (ZOOKEEPER-706), so they are cut into chunks.
 */
import type { Writer } from "@vivarium/jute";
import { utf8Length } from "@vivarium/jute";
import { OpCode, SetWatches, SetWatches2, SpecialXid } from "@vivarium/protocol";
import type { RearmLists } from "./watch-registry.ts";

export const REARM_CHUNK_BYTES = 128 * 1024;
const KINDS = ["data", "exist", "child", "persistent", "recursive"] as const;

/** Cuts the lists into chunks of at most `limitBytes` of paths each; none when there is nothing to set. */
export function rearmChunks(lists: RearmLists, limitBytes = REARM_CHUNK_BYTES): RearmLists[] {
  const chunks: RearmLists[] = [];
  let chunk = noLists();
  let bytes = 0;
  for (const kind of KINDS) {
    for (const path of lists[kind]) {
      const size = 4 + utf8Length(path);
      if (bytes > 0 && bytes + size > limitBytes) {
        chunks.push(chunk);
        chunk = noLists();
        bytes = 0;
      }
      chunk[kind].push(path);
      bytes += size;
    }
  }
  if (bytes > 0) chunks.push(chunk);
  return chunks;
}

/** Writes one packet, length included. Servers before 3.6 know only the older form, so it is used where it suffices. */
export function writeRearm(writer: Writer, lists: RearmLists, relativeZxid: number): void {
  const persistent = lists.persistent.length + lists.recursive.length > 0;
  const at = writer.reserve(12);
  writer.length = at + 12;
  const common = {
    relativeZxid,
    dataWatches: lists.data,
    existWatches: lists.exist,
    childWatches: lists.child,
  };
  if (persistent) {
    const { persistent: persistentWatches, recursive: persistentRecursiveWatches } = lists;
    SetWatches2.write(writer, { ...common, persistentWatches, persistentRecursiveWatches });
  } else {
    SetWatches.write(writer, common);
  }
  writer.view.setInt32(at, writer.length - at - 4);
  writer.view.setInt32(at + 4, SpecialXid.setWatches);
  writer.view.setInt32(at + 8, persistent ? OpCode.setWatches2 : OpCode.setWatches);
}

function noLists(): RearmLists {
  return { data: [], exist: [], child: [], persistent: [], recursive: [] };
}
