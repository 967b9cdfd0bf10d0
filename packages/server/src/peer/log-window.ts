/** A stretch of the log on disk, for a learner that the committed log in memory cannot serve. */
import type { Zxid } from "@vivarium/protocol";
import type { Storage } from "@vivarium/storage";
import type { LogEntry } from "@vivarium/zab";

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
