/** The example for node:test passes, run as its reader would run it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("the example for node:test passes", () => {
  const file = fileURLToPath(new URL("../../../examples/testing-node-test/workers.test.mjs", import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ["--test", "--test-reporter=tap", file];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^# pass 4$/m);
});
