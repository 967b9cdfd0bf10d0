import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort, ServerProcess } from "./server-process.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const example = join(root, "examples", "first-use.mjs");

test("examples/first-use.mjs runs against a new server", { timeout: 30_000 }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "vivarium-first-use-"));
  const server = new ServerProcess({ dataDir, port: await freePort() });
  try {
    await server.serving();
    const { stdout } = await promisify(execFile)(process.execPath, [example, `127.0.0.1:${server.port}`]);
    assert.equal(stdout, 'it says "hello", version 0\ndataChanged /app/greeting\n');
  } finally {
    await server.kill();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("the README shows examples/first-use.mjs as it is", () => {
  const code = readFileSync(example, "utf8").replace(/^(\/\/.*\n)+/, "");
  assert.ok(readFileSync(join(root, "README.md"), "utf8").includes(code));
});
