/** Ensembles form, serve, and stay of one mind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dataOf } from "../testing/raw-client.ts";
import { create, getData, setData, sync } from "../testing/requests.ts";
import { Ensemble } from "./testing/ensemble.ts";

for (const servers of [3, 5]) {
  test(`${servers} servers elect one leader, and all of them serve`, async () => {
    const ensemble = await Ensemble.start({ servers });
    assert.equal(ensemble.followers.length, servers - 1);
    for (const [index, member] of ensemble.members.entries()) {
      const client = await ensemble.client(member);
      assert.equal(await client.outcome(create(`/n${index}`)), "OK");
      assert.equal(await client.outcome(setData(`/n${index}`, "mine")), "OK");
      assert.equal(dataOf(await client.call(getData(`/n${index}`))), "mine", "its own write is read");
    }
    const reader = await ensemble.client(ensemble.member(1));
    await reader.call(sync("/"));
    for (const index of ensemble.members.keys()) assert.equal(dataOf(await reader.call(getData(`/n${index}`))), "mine");
    await ensemble.agree();
    await ensemble.end();
  });
}

test("whoever starts when, nobody is elected while a better vote is about to be heard", async () => {
  for (const latencyMs of [1, 5]) {
    for (const order of [
      [1, 3, 2],
      [1, 2, 3],
      [2, 3, 1],
    ]) {
      for (const pauseMs of [2, 20, 90, 180, 400]) {
        const ensemble = new Ensemble({ latencyMs });
        for (const id of order) {
          await ensemble.member(id).start();
          await ensemble.clock.run(pauseMs);
        }
        await ensemble.until("all serve", () => ensemble.members.every(({ role }) => role !== null), 1000);
        await ensemble.end();
      }
    }
  }
});

test("a member that comes back finds the leader at once, whatever was said when that was elected", async () => {
  const ensemble = await Ensemble.start({ servers: 5, latencyMs: 1 });
  for (const member of ensemble.followers) {
    await ensemble.restart(member);
    await ensemble.until("it serves", () => member.role === "follower", 300);
  }
  await ensemble.agree();
  await ensemble.end();
});

test("how long nobody can write when the leader dies", async () => {
  const ensemble = await Ensemble.start({ latencyMs: 1 });
  const client = await ensemble.client(ensemble.leader);
  await client.call(create("/n"));
  await ensemble.leader.kill();
  await ensemble.until(
    "the others go on",
    () => ensemble.up.every(({ role }) => role !== null) && leads(ensemble),
    250,
  );
  await ensemble.end();
});

const leads = (ensemble: Ensemble): boolean => ensemble.members.some(({ role }) => role === "leader");
