// Testing with vitest. Run it with `npm install && npx vitest run` in this directory.
import { serverFixtures } from "@vivarium/testkit/vitest";
import { test as base, expect } from "vitest";
import { register, workers } from "./workers.mjs";

// Each test gets a server of its own, and a client. In virtual time, waiting takes no time.
// In TypeScript: base.extend<ServerFixtures>(...)
const test = base.extend(serverFixtures({ time: "virtual" }));

test("workers are known by their names", async ({ server, client }) => {
  await server.seed({ workers: null });
  await register(client, "grace");
  await register(client, "ada");
  expect(await workers(client)).toEqual(["ada", "grace"]);
});

test("a worker whose registration was answered into the void is registered once", async ({ server, client }) => {
  await server.seed({ workers: null });
  server.dropNextReply("create");
  // The client waits a moment before it connects again: time has to pass.
  await server.advanceUntil(register(client, "ada"));
  expect(await workers(client)).toEqual(["ada"]);
});

test("a worker that was silent for 30 seconds is gone", async ({ server }) => {
  await server.seed({ workers: null });
  const worker = await server.connect({ sessionTimeoutMs: 30_000 });
  await register(worker, "ada");
  server.pause();
  await server.advance(35_000);
  expect(server.dump()).toEqual({ "/workers": null });
});

// One server for all tests of the file; each gets a chroot of its own.
const sharedTest = base.extend(serverFixtures({ shared: true }));

for (const name of ["ada", "grace"]) {
  sharedTest(`on a shared server ${name} is alone`, async ({ server, chroot, client }) => {
    await server.seed({ workers: null }, chroot);
    await register(client, name);
    expect(await workers(client)).toEqual([name]);
  });
}
