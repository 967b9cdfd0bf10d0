import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateMode } from "@vivarium/client";
import { TestServer } from "./index.ts";

test("a client works against a server in the same process", async () => {
  const zk = await TestServer.start();
  const client = await zk.client();
  await client.create("/a", "1");
  const { data } = await client.getData("/a");
  assert.equal(Buffer.from(data ?? []).toString(), "1");
  assert.deepEqual(Object.keys(zk.dump()), ["/", "/a"]);
  await zk.stop();
});

test("thirty seconds of silence pass in no time and expire the session", async () => {
  const zk = await TestServer.start({ time: "virtual" });
  const client = await zk.client({ sessionTimeoutMs: 30_000 });
  await client.create("/e", null, { mode: CreateMode.EPHEMERAL });
  zk.pause();
  await zk.advance(60_000);
  zk.resume();
  await zk.advance(0);
  assert.deepEqual(Object.keys(zk.dump()), ["/"]);
  await zk.stop();
});
