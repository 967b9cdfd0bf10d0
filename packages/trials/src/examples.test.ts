import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort, ServerProcess } from "./server-process.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const examples = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".mjs"));
const run = promisify(execFile);

for (const example of examples) {
  test(`examples/${example} runs against a new server`, { timeout: 30_000 }, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "vivarium-example-"));
    const server = new ServerProcess({ dataDir, port: await freePort() });
    try {
      await server.serving();
      const { stdout } = await run(process.execPath, [join(root, "examples", example), `127.0.0.1:${server.port}`]);
      assert.notEqual(stdout, "");
    } finally {
      await server.kill();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
}

test("the README shows examples/first-use.mjs as it is", () => {
  const code = readFileSync(join(root, "examples", "first-use.mjs"), "utf8").replace(/^(\/\/.*\n)+/, "");
  assert.ok(readFileSync(join(root, "README.md"), "utf8").includes(code));
});
