/** Cables are cut: who has no quorum serves nobody, the others go on, and all are of one mind afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dataOf } from "../testing/raw-client.ts";
import { create, getData } from "../testing/requests.ts";
import { Ensemble } from "./testing/ensemble.ts";
import type { Member } from "./testing/member.ts";

test("a leader without its followers steps down, and the others elect another", async () => {
  const ensemble = await Ensemble.start();
  const old = ensemble.leader;
  const client = await ensemble.client(old);
  ensemble.isolate(old);
  client.send(create("/never-acknowledged"));
  await ensemble.until("the old leader steps down", () => old.role === null, 5000);
  await ensemble.until("its client is let go", () => client.isClosed);
  assert.equal(client.packets.length, 0, "nothing was acknowledged");
  await ensemble.serving(ensemble.members.filter((member) => member !== old));
  assert.equal(await (await ensemble.client(ensemble.leader)).outcome(create("/n")), "OK");
  await ensemble.run(10_000);
  assert.equal(old.role, null, "a minority does not serve");
  assert.equal(await ensemble.word(old, "srvr"), "This ZooKeeper instance is not currently serving requests\n");
  assert.equal(await ensemble.word(old, "isro"), "null");
  ensemble.heal();
  await ensemble.agree();
  await ensemble.end();
});

test("a follower that is cut off serves nobody until it is back", async () => {
  const ensemble = await Ensemble.start();
  const lonely = ensemble.followers[0] as Member;
  const client = await ensemble.client(lonely);
  ensemble.isolate(lonely);
  await ensemble.until("it lets its client go", () => client.isClosed, 5000);
  assert.equal(await (await ensemble.client(ensemble.leader)).outcome(create("/n")), "OK");
  ensemble.heal();
  await ensemble.agree();
  assert.equal(dataOf(await (await ensemble.client(lonely)).call(getData("/n"))), "");
  await ensemble.end();
});

test("five servers, two of them cut off with the leader: the other three go on", async () => {
  const ensemble = await Ensemble.start({ servers: 5 });
  const minority = [ensemble.leader, ensemble.followers[0] as Member];
  const majority = ensemble.members.filter((member) => !minority.includes(member));
  for (const a of minority) {
    for (const b of majority) {
      ensemble.network.cut(a.host, b.host);
      ensemble.network.cut(b.host, a.host);
    }
  }
  await ensemble.until("the minority stops", () => minority.every(({ role }) => role === null));
  await ensemble.serving(majority);
  assert.equal(await (await ensemble.client(majority[0] as Member)).outcome(create("/n")), "OK");
  ensemble.heal();
  await ensemble.agree();
  await ensemble.end();
});

for (const direction of ["to the leader", "from the leader"] as const) {
  test(`nothing passes ${direction}, but all does the other way: the quorum moves on`, async () => {
    const ensemble = await Ensemble.start();
    const { leader, followers } = ensemble;
    for (const { host } of followers) {
      if (direction === "to the leader") ensemble.network.cut(host, leader.host);
      else ensemble.network.cut(leader.host, host);
    }
    await ensemble.until("another leads", () => followers.some(({ role }) => role === "leader"));
    await ensemble.serving(followers);
    assert.equal(await (await ensemble.client(followers[0] as Member)).outcome(create("/n")), "OK");
    ensemble.heal();
    await ensemble.agree();
    await ensemble.end();
  });
}

test("again and again, another member each time", async () => {
  const ensemble = await Ensemble.start();
  for (let round = 0; round < 9; round++) {
    const lonely = ensemble.members[round % 3] as Member;
    ensemble.isolate(lonely);
    await ensemble.run(300 * (round % 4));
    const others = ensemble.members.filter((member) => member !== lonely);
    await ensemble.serving(others);
    assert.equal(await (await ensemble.client(others[0] as Member)).outcome(create(`/n${round}`)), "OK");
    ensemble.heal();
    await ensemble.run(150 * (round % 3));
  }
  await ensemble.agree();
  await ensemble.end();
});
