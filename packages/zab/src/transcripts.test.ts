/**
 * The transcripts of testdata: what each machine answers to each input. ZAB_REWRITE=1 writes them anew; review the diff.
 * One that names a rule must come out otherwise when that rule is switched off, or it does not test it.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { allRules } from "./rules.ts";
import { runTranscript } from "./testing/transcript.ts";

const folder = new URL("../src/testdata/", import.meta.url);
const covered = new Set<string>();

for (const name of readdirSync(folder)) {
  const file = new URL(name, folder);
  const text = readFileSync(file, "utf8");
  const rule = /^# rule: (\w+)$/m.exec(text)?.[1];
  test(`transcript ${name}`, () => {
    const actual = runTranscript(text);
    if (process.env["ZAB_REWRITE"] === "1") writeFileSync(file, actual);
    else assert.equal(actual, text);
  });
  if (rule === undefined) continue;
  covered.add(rule);
  test(`transcript ${name} fails without ${rule}`, () => {
    assert.ok(rule in allRules, `there is no rule ${rule}`);
    assert.notEqual(runTranscript(text, rule), text);
  });
}

test("every rule has a transcript", () => {
  assert.deepEqual(
    Object.keys(allRules).filter((rule) => !covered.has(rule)),
    [],
  );
});
