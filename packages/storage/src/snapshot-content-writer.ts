/**
 * Writes the state's own part of a snapshot, which files and the stream from a leader to a learner have in common:
 * sessions, ACL table, nodes, ustring "/".
 */
import { vector, type Writer } from "@vivarium/jute";
import { ACL, type SnapshotSource } from "@vivarium/protocol";
import { END_MARK } from "./snapshot-format.ts";

/** What one turn of the event loop serialises: some hundred microseconds of work once the code is warm. */
const SLICE_BYTES = 64 * 1024;
const ACLS = vector(ACL);

/** Yields whenever the writer holds a slice, which the caller takes out; what is left there at the end is the last one. */
export function* writeContent(writer: Writer, source: SnapshotSource): Generator<void, void, void> {
  yield* writeTables(writer, source);
  while (source.writeNodes(writer, SLICE_BYTES)) yield;
  writer.raw(END_MARK);
}

/** Both tables are copied first, for they may change between slices. */
function* writeTables(writer: Writer, source: SnapshotSource): Generator<void, void, void> {
  const sessions = [...source.sessions];
  const acls = [...source.acls];
  writer.int(sessions.length);
  for (const [sessionId, timeoutMs] of sessions) {
    writer.long(sessionId);
    writer.int(timeoutMs);
    if (writer.length >= SLICE_BYTES) yield;
  }
  writer.int(acls.length);
  for (const [aclId, acl] of acls) {
    writer.number(aclId);
    ACLS.write(writer, acl);
    if (writer.length >= SLICE_BYTES) yield;
  }
}
