/** The fixtures for vitest, called as vitest calls them, and by vitest itself where it is installed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, type ZooKeeper } from "@vivarium/client";
import type { TestServer } from "./index.ts";
import { serverFixtures, type VitestFixtures } from "./vitest.ts";

interface Given {
  server: TestServer;
  chroot: string;
  client: ZooKeeper;
  connectString: string;
}

/** Sets the fixtures up in the order of their needs, runs the test, and takes them down in the reverse order. */
async function runTest(fixtures: VitestFixtures, run: (given: Given) => Promise<void>): Promise<void> {
  const { server: serverFixture, chroot: chrootFixture, client: clientFixture, connectString: textFixture } = fixtures;
  await serverFixture[0]({}, (server) =>
    chrootFixture({ server }, (chroot) =>
      clientFixture({ server, chroot }, (client) =>
        textFixture({ server, chroot }, (connectString) => run({ server, chroot, client, connectString })),
      ),
    ),
  );
}

for (const shared of [false, true]) {
  test(`a test gets a server, a client and a connect string; shared: ${shared}`, async () => {
    let used: TestServer | undefined;
    await runTest(serverFixtures({ shared }), async ({ server, chroot, client, connectString }) => {
      used = server;
      assert.equal(chroot === "/", !shared);
      await client.create("/a", "1");
      assert.deepEqual(server.dump(chroot), { "/a": "1" });
      const own = await connect(connectString);
      assert.equal((await own.getData("/a")).data?.toString(), "1");
      await own.close();
    });
    assert.equal(used?.isUp, false);
  });

  test(`what is left behind fails the test, and the server stops all the same; shared: ${shared}`, async () => {
    let used: TestServer | undefined;
    const running = runTest(serverFixtures({ shared }), async ({ server }) => {
      used = server;
      server.dropNextReply("connect");
      await server.connect({ backoff: { firstMs: 1 } });
    });
    await assert.rejects(running, /left behind on the test server: 1 session/);
    assert.equal(used?.isUp, false);
    await runTest(serverFixtures({ shared, checkLeaks: false }), async ({ server }) => {
      server.dropNextReply("connect");
      await server.connect({ backoff: { firstMs: 1 } });
    });
  });
}

test("vitest can read from each fixture what it needs", () => {
  const { server, chroot, client, connectString } = serverFixtures();
  const needs = (fixture: unknown): string | undefined => /^async \((\{.*?\}), use\)/.exec(String(fixture))?.[1];
  assert.deepEqual([server[0], chroot, client, connectString].map(needs), [
    "{}",
    "{ server }",
    "{ server, chroot }",
    "{ server, chroot }",
  ]);
  // Without a word that it knows an older vitest takes the pair for the fixture's value.
  assert.deepEqual(server[1], { auto: false, scope: "test" });
  assert.deepEqual(serverFixtures({ shared: true }).server[1], { auto: false, scope: "file" });
});

const example = fileURLToPath(new URL("../../../examples/testing-vitest/", import.meta.url));
const vitest = `${example}node_modules/vitest/vitest.mjs`;
const skip = existsSync(vitest) ? false : "npm install in examples/testing-vitest first";

test("the example for vitest passes under vitest", { skip }, () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, "run"], {
    cwd: example,
    env,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /Tests .*5 passed/);
});
