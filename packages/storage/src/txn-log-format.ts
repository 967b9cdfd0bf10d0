/**
 * A transaction log file:
 *
 *   header: int "ZKLG" | int version 2 | long dbid 0
 *   record: long Adler-32 of the entry | int length | entry | 'B'        … any number of them
 *   zeros to the end of what was reserved
 *
 * @see fact sheet "disk-format", section 2
 */
import type { Writer } from "@vivarium/jute";
import type { Zxid } from "@vivarium/protocol";
import { adler32 } from "./adler32.ts";

export const LOG_MAGIC = 0x5a4b4c47;
export const LOG_HEADER_BYTES = 16;
const LOG_VERSION = 2;

/** Checksum and length, before the entry. */
export const RECORD_HEADER_BYTES = 12;
/** The byte after every entry: 'B'. */
export const RECORD_END = 0x42;
/** What a record takes beside its entry. */
export const RECORD_OVERHEAD_BYTES = RECORD_HEADER_BYTES + 1;

/** Records that are written and synced together, at most. No torn write reaches further beyond its first bad record. */
export const MAX_GROUP_BYTES = 8 * 1024 * 1024;

/** Where TxnHeader.zxid lies in an entry: after clientId and cxid. */
const ENTRY_ZXID_AT = 12;
/** The least an entry can be: a TxnHeader. */
export const ENTRY_MIN_BYTES = 32;

export function writeLogHeader(writer: Writer): void {
  writer.int(LOG_MAGIC);
  writer.int(LOG_VERSION);
  writer.number(0);
}

export function writeRecord(writer: Writer, entry: Uint8Array): void {
  const size = entry.length;
  const at = writer.reserve(size + RECORD_OVERHEAD_BYTES);
  const { bytes, view } = writer;
  bytes.set(entry, at + RECORD_HEADER_BYTES);
  view.setUint32(at, 0);
  view.setUint32(at + 4, adler32(entry));
  view.setInt32(at + 8, size);
  bytes[at + RECORD_HEADER_BYTES + size] = RECORD_END;
  writer.length = at + RECORD_OVERHEAD_BYTES + size;
}

/** The zxid of the entry that begins at `at`. */
export function entryZxid(view: DataView, at: number): Zxid {
  return view.getInt32(at + ENTRY_ZXID_AT) * 0x1_0000_0000 + view.getUint32(at + ENTRY_ZXID_AT + 4);
}
