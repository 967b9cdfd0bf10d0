/** A test server without faults: clients, nodes, options. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect } from "@vivarium/client";
import { ConfigError } from "@vivarium/server";
import { TestServer, type TestServerOptions } from "./index.ts";
import { serverTest } from "./node-test.ts";

const scratch = mkdtempSync(join(tmpdir(), "vivarium-testkit-"));
after(() => rmSync(scratch, { recursive: true }));

for (const time of ["real", "virtual"] as const) {
  const test = serverTest({ time });

  test(`${time} time: a client works against a server in the same process`, async ({ server, client }) => {
    await client.create("/a", "1");
    assert.equal((await client.getData("/a")).data?.toString(), "1");
    assert.deepEqual(server.dump(), { "/a": "1" });
  });

  test(`${time} time: what seed plants, dump shows and a client reads`, async ({ server, client }) => {
    const bytes = Uint8Array.of(0xff, 0);
    await server.seed({ config: { "": "v1", "db/host": "localhost" }, "/flags": { raw: bytes, none: null } });
    const expected = {
      "/config": "v1",
      "/config/db": null,
      "/config/db/host": "localhost",
      "/flags": null,
      "/flags/none": null,
      "/flags/raw": bytes,
    };
    assert.deepEqual(server.dump(), expected);
    assert.deepEqual(server.dump("/config"), { "/db": null, "/db/host": "localhost" });
    assert.equal((await client.getData("/config/db/host")).data?.toString(), "localhost");
  });

  test(`${time} time: seed keeps what is there and changes what it names`, async ({ server }) => {
    await server.seed({ "/a/b": "1", c: "1" });
    await server.seed({ a: { "": "2", b: null }, c: "2" });
    assert.deepEqual(server.dump(), { "/a": "2", "/a/b": "1", "/c": "2" });
    await server.seed({ d: "3" }, "/a/b");
    assert.deepEqual(server.dump("/a"), { "/b": "1", "/b/d": "3" });
  });

  test(`${time} time: what dump gives, seed takes`, async ({ server }) => {
    await server.seed({ a: { b: { c: "1" }, d: Uint8Array.of(200) } });
    const other = await TestServer.start({ time });
    await other.seed(server.dump());
    assert.deepEqual(other.dump(), server.dump());
    await other.stop();
  });

  test(`${time} time: node tells everything about one node`, async ({ server, client }) => {
    const { stat } = await client.create("/a", "1");
    await client.create("/a/z");
    await client.create("/a/b");
    const node = server.node("/a");
    assert.deepEqual([node?.data, node?.children, node?.stat.czxid], ["1", ["b", "z"], stat.czxid]);
    assert.deepEqual(node?.acl, [{ perms: 31, id: { scheme: "world", id: "anyone" } }]);
    assert.equal(server.node("/no"), undefined);
    assert.deepEqual(server.node("/")?.children, ["a", "zookeeper"]);
  });

  test(`${time} time: each chroot is a place of its own`, async ({ server }) => {
    const [here, there] = [await server.chroot(), await server.chroot()];
    assert.notEqual(here, there);
    assert.match(here, /^\/test-1-[0-9a-f]{8}$/);
    const client = await server.connect({ chroot: here });
    await client.create("/a", "1");
    assert.deepEqual(server.dump(here), { "/a": "1" });
    assert.deepEqual(server.dump(there), {});
  });

  test(`${time} time: a client that the test makes itself`, async ({ server }) => {
    const client = await connect(server.connectString, server.clientOptions);
    await client.create("/mine");
    assert.deepEqual(Object.keys(server.dump()), ["/mine"]);
    await client.close();
  });
}

test("a connect string is enough in real time", async () => {
  const server = await TestServer.start();
  const client = await connect(server.connectString);
  await client.create("/a");
  await client.close();
  assert.equal(server.connectString, `127.0.0.1:${server.port}`);
  await server.stop();
});

test("settings reach the server", async () => {
  const server = await TestServer.start({ settings: { maxSessionTimeout: 7000, "jute.maxbuffer": 2000 } });
  const client = await server.connect({ sessionTimeoutMs: 60_000 });
  assert.equal(client.sessionTimeoutMs, 7000);
  await server.stop();
});

test("data in a directory outlives the server", async () => {
  const options: TestServerOptions = { dataDir: join(scratch, "data") };
  const first = await TestServer.start(options);
  await first.seed({ a: "kept" });
  await first.stop();
  const second = await TestServer.start(options);
  assert.deepEqual(second.dump(), { "/a": "kept" });
  await second.stop();
});

const refusals: [why: string, options: TestServerOptions, error: RegExp][] = [
  ["a misspelt setting", { settings: { tickTim: 1 } }, /settings\["tickTim"\]: .*tickTime/],
  ["a value that cannot be used", { settings: { tickTime: "soon" } }, /settings\["tickTime"\]: "soon" cannot be used/],
  ["a setting that the test server makes", { settings: { clientPort: 1 } }, /settings\["clientPort"\].*options/],
  ["virtual time on a real disk", { time: "virtual", dataDir: scratch }, /leave out dataDir/],
];
for (const [why, options, error] of refusals) {
  test(`refused: ${why}`, async () => {
    await assert.rejects(TestServer.start(options), error);
  });
}

test("a refused setting is a ConfigError", async () => {
  await assert.rejects(TestServer.start({ settings: { tickTim: 1 } }), ConfigError);
});

test("a port that is taken is refused, and says so", async () => {
  const server = await TestServer.start();
  await assert.rejects(TestServer.start({ port: server.port }), { code: "EADDRINUSE" });
  await server.stop();
});

test("asking for a node that is not there to dump", async () => {
  const server = await TestServer.start();
  assert.throws(() => server.dump("/no"), /there is no node \/no/);
  await server.stop();
});

test("time can be moved on only where it is virtual", async () => {
  const server = await TestServer.start();
  await assert.rejects(server.advance(5), /TestServer.start\(\{ time: "virtual" \}\)/);
  await server.stop();
});
