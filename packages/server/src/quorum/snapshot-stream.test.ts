/** The snapshot between servers: real ones are read and written again byte by byte, and bad ones refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@vivarium/jute";
import { ByteQueue } from "./byte-queue.ts";
import { SnapshotStreamParser, snapshotStream } from "./snapshot-stream.ts";
import { capturedQuorums, joined, pieces, said } from "./testing/capture.ts";
import { SmallState } from "./testing/small-state.ts";

const snapshots = capturedQuorums.flatMap((connection) =>
  said(connection, connection.acceptor).filter(({ kind }) => kind === "snapshot"),
);

/** Reads pieces up to the one that ends the snapshot; what is left of that one comes back. */
function read(state: SmallState, parts: Uint8Array[]): Uint8Array | undefined {
  const queue = new ByteQueue();
  const parser = new SnapshotStreamParser(state);
  for (const part of parts) {
    queue.append(part);
    const { reader } = queue;
    if (parser.read(reader)) return reader.bytes.slice(reader.offset, reader.end);
  }
  return undefined;
}

for (const size of [1, 5, 64, 1_000_000]) {
  test(`Apache's snapshots in pieces of ${size} bytes are read, and written again as they were`, () => {
    assert.ok(snapshots.length >= 2);
    for (const { bytes, value } of snapshots) {
      const state = new SmallState();
      assert.deepEqual(read(state, pieces(bytes, size)), new Uint8Array(0));
      assert.deepEqual(
        state.nodes.map(({ path }) => path),
        value?.["paths"],
      );
      assert.equal(state.acls.length, value?.["acls"]);
      assert.deepEqual(joined([...snapshotStream(state.source())]), bytes);
    }
  });
}

test("what follows the snapshot in the same piece is left", () => {
  const [{ bytes } = { bytes: new Uint8Array(0) }] = snapshots;
  assert.deepEqual(read(new SmallState(), [joined([bytes, Uint8Array.of(1, 2, 3)])]), Uint8Array.of(1, 2, 3));
});

/** A snapshot without sessions, ACLs and nodes, with another ending. */
function ending(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer();
  writer.int(0);
  writer.int(0);
  writer.ustring("/");
  write(writer);
  return writer.copy();
}

const bad: [what: string, bytes: Uint8Array, problem: RegExp][] = [
  ["another word at the end", ending((w) => w.ustring("BenWasHerf")), /ends with "BenWasHerf"/],
  ["a word of another length", ending((w) => w.ustring("Ben")), /does not end with BenWasHere/],
  ["a cut off word", ending((w) => w.int(10)), /the rest was cut off/],
  ["a negative count of sessions", Uint8Array.of(255, 255, 255, 255), /a count of -1 sessions/],
  ["a negative count of ACLs", Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 254), /a count of -2 acls/],
];
for (const [what, bytes, problem] of bad) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => {
        assert.equal(read(new SmallState(), [bytes]), undefined, "more is awaited");
        throw new Error("the rest was cut off");
      },
      { message: problem },
    );
  });
}

test("slices are cut about every 64 KiB", () => {
  const sizes = [...snapshotStream(SmallState.filled(100, 10_000).source())].map(({ length }) => length);
  assert.ok(sizes.length > 10);
  assert.ok(Math.max(...sizes) < 80_000);
});
