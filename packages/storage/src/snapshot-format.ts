/**
 * A snapshot, before compression:
 *
 *   int "ZKSN" | int version 2 | long dbid -1
 *   int count, { long session id, int timeout } …
 *   int count, { long ACL id, vector<ACL> } …
 *   { ustring path, buffer data, long ACL id, StatPersisted } … parents first, the root's path is ""
 *   ustring "/" | seal
 *   [ long zxid, int digest version, long tree digest | seal ]
 *   [ long last processed zxid | seal ]
 *
 * A seal is the Adler-32, as a long, of every byte before it, earlier seals included, then ustring "/".
 *
 * @see fact sheet "disk-format", section 3
 */
import { int, number, record, type Writer } from "@vivarium/jute";

export const SNAPSHOT_MAGIC = 0x5a4b534e;
export const SNAPSHOT_VERSION = 2;
export const SnapshotHeader = record({ magic: int, version: int, dbid: number });

/** ustring "/", which ends the nodes and every seal, and so every whole file. */
export const END_MARK = Uint8Array.of(0, 0, 0, 1, 0x2f);
export const SEAL_BYTES = 8 + END_MARK.length;
export const DIGEST_SECTION_BYTES = 8 + 4 + 8 + SEAL_BYTES;
export const ZXID_SECTION_BYTES = 8 + SEAL_BYTES;

export function writeSeal(writer: Writer, adler: number): void {
  writer.number(adler);
  writer.raw(END_MARK);
}
