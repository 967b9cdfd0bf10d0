/** Stretches of the log on disk: for a learner that the committed log in memory cannot serve, and to bring that log back. */
import type { Zxid } from "@vivarium/protocol";
import type { Storage } from "@vivarium/storage";
import { CommittedLog, type LogEntry } from "@vivarium/zab";

const RECALL_BYTES = 64 << 20;

/**
 * Entries after `from`, up to and including `through`, preceded by one that stands at `from` itself when the log has it.
 * @returns null when the log does not go back that far, or the stretch is larger than `limitBytes`
 */
export async function readLogWindow(
  storage: Storage,
  window: { from: Zxid; through: Zxid; limitBytes: number },
): Promise<LogEntry[] | null> {
  const entries: LogEntry[] = [];
  let bytes = 0;
  let isTooLarge = false;
  try {
    await storage.readLog(window.from - 1, (reader, zxid) => {
      if (zxid > window.through) return false;
      const entry = reader.bytes.slice(reader.offset, reader.end);
      bytes += entry.length;
      isTooLarge = bytes > window.limitBytes;
      entries.push({ zxid, entry });
      return !isTooLarge;
    });
  } catch {
    // A log that cannot be read that far back is no disaster: the learner gets a snapshot.
    return null;
  }
  return isTooLarge ? null : entries;
}

/** The end of the log on disk, as the committed log in memory would hold it had this server not been restarted. */
export async function recallCommitted(
  storage: Storage,
  { last, limit }: { last: Zxid; limit: number },
): Promise<CommittedLog> {
  const nothing = new CommittedLog(last, limit);
  if (last <= 0) return nothing;
  const from = Math.max(0, last - limit);
  const [first, ...more] = (await readLogWindow(storage, { from, through: last, limitBytes: RECALL_BYTES })) ?? [];
  if (first === undefined) return nothing;
  // The entry at `from` itself is where the log begins; any other first one is part of it.
  const log = new CommittedLog(first.zxid === from ? from : first.zxid - 1, limit);
  if (first.zxid !== from) log.add(first.zxid, first.entry);
  for (const { zxid, entry } of more) log.add(zxid, entry);
  return log.last === last ? log : nothing;
}
