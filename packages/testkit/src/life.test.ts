/** Restarts, deaths and ends. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ClientOptions, CreateMode } from "@vivarium/client";
import { TestServer, type TestServerOptions } from "./index.ts";

const scratch = mkdtempSync(join(tmpdir(), "vivarium-testkit-life-"));
after(() => rmSync(scratch, { recursive: true }));

const quick: ClientOptions = { backoff: { firstMs: 1, maxMs: 5 } };
const forms: [name: string, options: () => TestServerOptions][] = [
  ["in memory", () => ({})],
  ["in a directory", () => ({ dataDir: mkdtempSync(join(scratch, "data-")) })],
];

for (const [name, options] of forms) {
  for (const end of ["restart", "kill"] as const) {
    test(`${name}: data, sessions and ephemerals outlive a ${end}`, async () => {
      const server = await TestServer.start(options());
      const client = await server.connect(quick);
      await client.create("/a", "1");
      await client.create("/e", null, { mode: CreateMode.EPHEMERAL });
      const { id } = client.session;
      const before = server.connectString;
      if (end === "kill") await server.kill();
      await server.restart();
      assert.equal(server.connectString, before);
      assert.deepEqual(server.dump(), { "/a": "1", "/e": null });
      assert.equal((await client.getData("/a")).data?.toString(), "1");
      assert.equal(client.session.id, id);
      await client.create("/b");
      await server.stop();
    });
  }

  test(`${name}: every acknowledged write survives deaths in the midst of writing`, async () => {
    const server = await TestServer.start(options());
    const client = await server.connect(quick);
    await client.create("/n", "0");
    let acknowledged = 0;
    let stop = false;
    const writing = (async () => {
      for (let i = 1; !stop; i++) {
        const kept = await client.setData("/n", String(i), { timeoutMs: 5000 }).then(
          () => true,
          () => false,
        );
        if (kept) acknowledged = i;
      }
    })();
    for (let death = 0; death < 5; death++) {
      const target = acknowledged + 20;
      while (acknowledged < target) await new Promise((resolve) => setImmediate(resolve));
      await server.kill();
      const atDeath = acknowledged;
      await server.restart();
      assert.ok(Number(server.node("/n")?.data) >= atDeath, `${server.node("/n")?.data} < ${atDeath}`);
    }
    stop = true;
    await writing;
    await server.stop();
  });

  test(`${name}: a directory or disk is free again after death`, async () => {
    const chosen = options();
    const server = await TestServer.start(chosen);
    await server.seed({ a: "1" });
    await server.kill();
    const heir = chosen.dataDir === undefined ? server : await TestServer.start(chosen);
    if (heir === server) await server.restart();
    assert.deepEqual(heir.dump(), { "/a": "1" });
    await heir.stop();
    await server.stop();
  });
}

test("a server that is down says so, and restarts", async () => {
  const server = await TestServer.start();
  await server.kill();
  assert.equal(server.isUp, false);
  for (const use of [() => server.dump(), () => server.sessions, () => server.leaks(), () => server.disconnect()]) {
    assert.throws(use, /down; restart\(\)/);
  }
  await assert.rejects(server.seed({ a: null }), /down; restart\(\)/);
  await assert.rejects(server.kill(), /down; restart\(\)/);
  await server.restart();
  assert.deepEqual(server.dump(), {});
  await server.stop();
  await server.stop();
  assert.equal(server.isUp, false);
});

test("a server that stops by itself says why", async () => {
  const dataDir = mkdtempSync(join(scratch, "gone-"));
  const server = await TestServer.start({ dataDir, settings: { preAllocSize: 0, snapCount: 2 } });
  const client = await server.connect();
  rmSync(dataDir, { recursive: true });
  // Its next snapshot or log file finds no directory.
  const writes = Array.from({ length: 50 }, (_, i) => client.create(`/n${i}`, null, { timeoutMs: 2000 }));
  await Promise.allSettled(writes);
  const connecting = server.connect();
  await assert.rejects(connecting, (error: Error) => /stopped by itself: .*ENOENT/s.test(error.message));
  assert.throws(() => server.dump(), /stopped by itself: .*ENOENT/s);
  await server.stop();
});

test("the server may die and stop under any fault, with clients in the midst of calls", async () => {
  for (const time of ["real", "virtual"] as const) {
    const server = await TestServer.start({ time });
    const client = await server.connect();
    server.delay(10_000);
    const call = client.create("/a");
    call.catch(() => {});
    server.pause();
    if (time === "real") await server.kill();
    await server.stop();
    await call.catch(() => {});
  }
});

test("what `await using` calls stops the server", async () => {
  const server = await TestServer.start();
  const client = await server.connect();
  await server[Symbol.asyncDispose]();
  assert.equal(client.state, "closed");
  assert.equal(server.isUp, false);
});

/** Runs text with syntax that this file may not use; undefined where Node.js does not know it. */
function compile(body: string): ((TestServers: typeof TestServer) => Promise<TestServer>) | undefined {
  try {
    return new Function("TestServer", `return (async () => { ${body} })()`) as ReturnType<typeof compile>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const scoped = compile("let kept; { await using zk = await TestServer.start(); kept = zk; } return kept;");

test("await using itself", { skip: scoped === undefined && "this Node.js has no `await using`" }, async () => {
  assert.equal((await scoped?.(TestServer))?.isUp, false);
});
