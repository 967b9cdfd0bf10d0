/**
 * The snapshot that follows SNAP: the state's own part as in a snapshot file, without header and seals, then the word
 * that says it is whole.
 */
import { ProtocolError, type Reader, Writer } from "@vivarium/jute";
import { SNAPSHOT_SIGNATURE, type SnapshotSink, type SnapshotSource } from "@vivarium/protocol";
import { SnapshotContentParser, writeContent } from "@vivarium/storage";

/** The stream in order, in pieces of memory of their own. The caller closes the source. */
export function* snapshotStream(source: SnapshotSource): Generator<Uint8Array, void, void> {
  const writer = new Writer();
  for (const _ of writeContent(writer, source)) {
    yield writer.copy();
    writer.reset();
  }
  writer.ustring(SNAPSHOT_SIGNATURE);
  yield writer.copy();
}

const SIGNATURE_BYTES = 4 + SNAPSHOT_SIGNATURE.length;

export class SnapshotStreamParser {
  readonly #content: SnapshotContentParser;
  #isContentRead = false;

  constructor(sink: SnapshotSink, maxRecordBytes?: number) {
    this.#content = new SnapshotContentParser(sink, maxRecordBytes);
  }

  /** Reads all that is whole; true once all of the stream is read, and nothing after it. @throws ProtocolError */
  read(reader: Reader): boolean {
    this.#isContentRead ||= this.#content.read(reader);
    if (!this.#isContentRead) return false;
    if (reader.remaining >= 4 && reader.view.getInt32(reader.offset) !== SNAPSHOT_SIGNATURE.length) {
      throw new ProtocolError(`the snapshot does not end with ${SNAPSHOT_SIGNATURE}`);
    }
    if (reader.remaining < SIGNATURE_BYTES) return false;
    const word = reader.ustring();
    if (word !== SNAPSHOT_SIGNATURE) throw new ProtocolError(`the snapshot ends with ${JSON.stringify(word)}`);
    return true;
  }
}
