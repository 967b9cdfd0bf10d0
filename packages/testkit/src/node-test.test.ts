/** The fixtures for node:test, by what they do to tests that run in a process of their own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { serverTest } from "./node-test.ts";

const own = serverTest();
const shared = serverTest({ shared: true });
const seen: unknown[] = [];

for (const round of [1, 2]) {
  own(`a server of its own is empty, round ${round}`, async ({ server, client, chroot, connectString }) => {
    assert.deepEqual([server.dump(), chroot, connectString], [{}, "/", server.connectString]);
    await client.create("/a");
  });

  shared(`a shared server has a chroot for each test, round ${round}`, async (fixtures, context) => {
    const { server, client, chroot, connectString } = fixtures;
    assert.match(chroot, /^\/test-/);
    assert.equal(connectString, server.connectString + chroot);
    assert.match(context.name, /round/);
    await client.create("/a");
    assert.deepEqual(server.dump(chroot), { "/a": null });
    if (seen.length > 0) assert.equal(server, seen[0]);
    seen.push(server);
    if (round === 1) await server.kill();
  });
}

const scratch = mkdtempSync(join(tmpdir(), "vivarium-fixtures-"));
after(() => rmSync(scratch, { recursive: true }));
const door = new URL("./node-test.js", import.meta.url).href;

/** What the runner says of a file of tests. */
async function outcome(name: string, body: string): Promise<{ code: number | null; output: string }> {
  const file = join(scratch, `${name}.mjs`);
  writeFileSync(file, `import { serverTest } from ${JSON.stringify(door)};\n${body}`);
  // Within a test, a runner must not take itself for part of the outer run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--test", "--test-reporter=tap", fileURLToPath(`file://${file}`)], { env });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, output };
}

test("a test that leaves something behind fails, and so does one that fails itself", async () => {
  const { code, output } = await outcome(
    "failing",
    `const test = serverTest();
     const test2 = serverTest({ checkLeaks: false });
     const leave = async ({ server }) => { server.dropNextReply("connect"); await server.connect({ backoff: { firstMs: 1 } }); };
     test("leaves", leave);
     test("fails", async (fixtures) => { await leave(fixtures); throw new Error("its own failure"); });
     test2("may leave", leave);
     test("is skipped", { skip: true }, () => { throw new Error("not skipped"); });`,
  );
  assert.equal(code, 1);
  assert.match(output, /^not ok 1 - leaves\n(.*\n)*?.*left behind on the test server: 1 session \(0x/m);
  assert.match(output, /^not ok 2 - fails\n(.*\n)*?.*its own failure/m);
  assert.match(output, /^ok 3 - may leave/m);
  assert.match(output, /^ok 4 - is skipped # SKIP/m);
});

test("a file with a shared server ends by itself", async () => {
  const { code, output } = await outcome(
    "ending",
    `const test = serverTest({ shared: true });
     const never = serverTest({ shared: true });
     test("one", async ({ client }) => { await client.create("/a"); });`,
  );
  assert.equal(code, 0, output);
});
