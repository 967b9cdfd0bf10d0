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
