// Testing with node:test. Run it with `node --test examples/testing-node-test/*.test.mjs`.
import assert from "node:assert/strict";
import { serverTest } from "@vivarium/testkit/node-test";
import { register, workers } from "./workers.mjs";

// Each test gets a server of its own, and a client. In virtual time, waiting takes no time.
const test = serverTest({ time: "virtual" });

test("workers are known by their names", async ({ server, client }) => {
  await server.seed({ workers: null });
  await register(client, "grace");
  await register(client, "ada");
  assert.deepEqual(await workers(client), ["ada", "grace"]);
});

test("a worker whose registration was answered into the void is registered once", async ({ server, client }) => {
  await server.seed({ workers: null });
  server.dropNextReply("create");
  // The client waits a moment before it connects again: time has to pass.
  await server.advanceUntil(register(client, "ada"));
  assert.deepEqual(await workers(client), ["ada"]);
});

test("a worker that was silent for 30 seconds is gone", async ({ server }) => {
  await server.seed({ workers: null });
  const worker = await server.connect({ sessionTimeoutMs: 30_000 });
  await register(worker, "ada");
  server.pause();
  await server.advance(35_000);
  assert.deepEqual(server.dump(), { "/workers": null });
});

test("a worker is still known after the server's death", async ({ server, client }) => {
  await server.seed({ workers: null });
  await register(client, "ada");
  await server.kill();
  const known = workers(client);
  await server.restart();
  assert.deepEqual(await server.advanceUntil(known), ["ada"]);
});
