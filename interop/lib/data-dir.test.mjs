// `node --test interop/lib/*.test.mjs`, also a part of `npm test`: a killed server leaves files of any length behind,
// and what looks at a data directory afterwards must see their whole records and not fall over the rest. Needs only Node.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { filesOf, readLog, snapshotDigest } from "./data-dir.mjs";

const recorded = new URL("../../packages/storage/src/testdata/apache-3.9.5/rolled/", import.meta.url).pathname;

/** Calls back with a file that holds the bytes. */
function withFile(t, bytes, name) {
  const dir = mkdtempSync(join(tmpdir(), "data-dir-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = join(dir, name);
  writeFileSync(file, bytes);
  return file;
}

test("a log cut at any length gives its whole records", (t) => {
  const whole = filesOf(recorded, "log")[0];
  const bytes = readFileSync(whole);
  const ends = readLog(whole).map(({ end }) => end);
  assert.ok(ends.length > 3);
  for (const length of [0, 1, 3, 4, 15, 16, 20, ...ends.slice(0, 3).flatMap((end) => [end - 1, end, end + 1])]) {
    const file = withFile(t, bytes.subarray(0, length), "log.1");
    assert.equal(readLog(file).length, ends.filter((end) => end <= length).length, `cut at ${length}`);
  }
});

test("an unfinished snapshot has no digest, a whole one has", (t) => {
  const bytes = readFileSync(filesOf(recorded, "snapshot").at(-1));
  const zipped = gzipSync(bytes);
  assert.notEqual(snapshotDigest(withFile(t, bytes, "snapshot.1")), undefined);
  assert.notEqual(snapshotDigest(withFile(t, zipped, "snapshot.1.gz")), undefined);
  for (const length of [0, 3, 16, 40, bytes.length >> 1]) {
    assert.equal(snapshotDigest(withFile(t, bytes.subarray(0, length), "snapshot.1")), undefined, `plain, ${length}`);
  }
  for (const length of [0, 3, zipped.length >> 1, zipped.length - 1]) {
    assert.equal(snapshotDigest(withFile(t, zipped.subarray(0, length), "snapshot.1.gz")), undefined, `gz, ${length}`);
  }
});
