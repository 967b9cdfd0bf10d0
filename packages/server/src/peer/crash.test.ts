/** Members die, come back, and find the others' history: by the difference, a cut, or a snapshot. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dataOf, type RawClient } from "../testing/raw-client.ts";
import { create, getData, setData, sync } from "../testing/requests.ts";
import { Ensemble } from "./testing/ensemble.ts";
import type { Member } from "./testing/member.ts";

async function write(client: RawClient, count: number, prefix: string): Promise<void> {
  for (let i = 0; i < count; i++) assert.equal(await client.outcome(create(`/${prefix}${i}`)), "OK");
}

const follower = (ensemble: Ensemble, index = 0): Member => ensemble.followers[index] as Member;

test("the leader dies: another one leads, nothing is lost, and the old one comes back as a follower", async () => {
  const ensemble = await Ensemble.start();
  const old = ensemble.leader;
  const client = await ensemble.client(old);
  await write(client, 20, "before");
  await old.kill();
  await ensemble.until("a new leader", () => ensemble.members.some(({ role }) => role === "leader"));
  await ensemble.serving();
  assert.notEqual(ensemble.leader, old);
  await write(await ensemble.client(follower(ensemble)), 20, "between");
  await old.start();
  await ensemble.serving();
  assert.equal(old.role, "follower");
  const reader = await ensemble.client(old);
  for (const path of ["/before19", "/between19"]) assert.equal(dataOf(await reader.call(getData(path))), "");
  await ensemble.agree();
  await ensemble.end();
});

test("all lose power at once: what was acknowledged is there afterwards", async () => {
  const ensemble = await Ensemble.start();
  await write(await ensemble.client(ensemble.leader), 30, "n");
  for (const member of ensemble.members) await member.powerFailure();
  for (const member of ensemble.members) await member.start();
  await ensemble.serving();
  const reader = await ensemble.client(ensemble.member(1));
  for (let i = 0; i < 30; i++) assert.equal(dataOf(await reader.call(getData(`/n${i}`))), "");
  await ensemble.agree();
  await ensemble.end();
});

/** How a follower that slept through `writes` writes is brought up to date. */
const sleeps = [
  { writes: 50, how: "the committed log in memory", settings: {}, restartLeader: false },
  { writes: 700, how: "the log on disk", settings: {}, restartLeader: false },
  { writes: 700, how: "a snapshot", settings: { snapshotSizeFactor: -1 }, restartLeader: false },
  { writes: 50, how: "the log that a restarted leader recalls", settings: {}, restartLeader: true },
] as const;

for (const { writes, how, settings, restartLeader } of sleeps) {
  test(`a follower that was down for ${writes} writes catches up from ${how}`, async () => {
    const ensemble = await Ensemble.start({ settings });
    const sleeper = follower(ensemble);
    await write(await ensemble.client(ensemble.leader), 5, "first");
    await sleeper.kill();
    await write(await ensemble.client(ensemble.leader), writes, "n");
    if (restartLeader) {
      for (const member of ensemble.up) await ensemble.restart(member);
      await ensemble.serving();
    }
    const snapshots = snapshotsOf(sleeper);
    await sleeper.start();
    await ensemble.serving();
    assert.equal(snapshotsOf(sleeper) - snapshots, how === "a snapshot" ? 1 : 0, "snapshots that were stored");
    await write(await ensemble.client(sleeper), 5, "last");
    await ensemble.agree();
    await ensemble.restart(sleeper);
    await ensemble.agree();
    await ensemble.end();
  });
}

const snapshotsOf = (member: Member): number =>
  member.said("info").filter((message) => message === "snapshot written").length;

test("a server that lost its disk gets everything, and survives a power failure with it", async () => {
  const ensemble = await Ensemble.start();
  const victim = follower(ensemble);
  await write(await ensemble.client(ensemble.leader), 600, "n");
  await victim.kill();
  victim.wipe();
  await victim.start();
  await ensemble.agree();
  await victim.powerFailure();
  await victim.start();
  await ensemble.agree();
  await ensemble.end();
});

test("what a leader logged alone is cut off when it joins those who went on without it", async () => {
  const ensemble = await Ensemble.start();
  const old = ensemble.leader;
  const client = await ensemble.client(old);
  await write(client, 10, "common");
  ensemble.isolate(old);
  for (let i = 0; i < 5; i++) client.send(create(`/alone${i}`));
  await ensemble.run(50);
  assert.ok(old.peer.database.storage.lastFlushed > old.tree.lastProcessedZxid, "it has logged what it cannot commit");
  await old.kill();
  ensemble.heal();
  await ensemble.until("a new leader", () => ensemble.members.some(({ role }) => role === "leader"));
  await write(await ensemble.client(ensemble.leader), 10, "others");
  await old.start();
  await ensemble.agree();
  const reader = await ensemble.client(old);
  await reader.call(sync("/"));
  assert.equal(await reader.outcome(getData("/alone0")), "NONODE");
  await ensemble.restart(old);
  await ensemble.agree();
  assert.equal(await (await ensemble.client(old)).outcome(getData("/alone0")), "NONODE");
  await ensemble.end();
});

test("the same without a restart: the process that led replays what it logged, votes by it, and is cut back", async () => {
  const ensemble = await Ensemble.start();
  const old = ensemble.leader;
  const client = await ensemble.client(old);
  await write(client, 10, "common");
  ensemble.isolate(old);
  for (let i = 0; i < 5; i++) client.send(create(`/alone${i}`));
  await ensemble.until("the leader steps down", () => old.role === null);
  const others = ensemble.members.filter((member) => member !== old);
  await ensemble.serving(others);
  await write(await ensemble.client(others[0] as Member), 10, "others");
  ensemble.heal();
  await ensemble.agree();
  assert.equal(await (await ensemble.client(old)).outcome(getData("/alone0")), "NONODE");
  await ensemble.restart(old);
  await ensemble.agree();
  await ensemble.end();
});

test("a member whose disk fails ends, the others go on, and it comes back with a good disk", async () => {
  for (const which of ["leader", "follower"] as const) {
    const ensemble = await Ensemble.start();
    const victim = which === "leader" ? ensemble.leader : follower(ensemble);
    const other = ensemble.members.find((member) => member !== victim && member.role !== "leader") as Member;
    const client = await ensemble.client(other);
    await write(client, 5, "before");
    victim.disk.fault = (operation) => (operation === "datasync" ? "EIO" : null);
    const { stopped } = victim.peer;
    client.send(setData("/before0", "x"));
    await assert.rejects(ensemble.clock.runUntil(stopped), /EIO/);
    assert.match(victim.said("error").join(), /the transaction log cannot be written/);
    await victim.kill();
    victim.disk.fault = () => null;
    await ensemble.serving();
    await write(await ensemble.client(ensemble.leader), 5, "after");
    await victim.start();
    await ensemble.agree({ excused: victim });
    await ensemble.end();
  }
});

test("a member whose disk hangs is left behind, and gets what it missed once it can write again", async () => {
  const ensemble = await Ensemble.start();
  const victim = follower(ensemble);
  const client = await ensemble.client(ensemble.leader);
  await write(client, 3, "before");
  victim.disk.syncDelayMs = 5000;
  await write(client, 10, "meanwhile");
  assert.match(
    (await untilSaid(ensemble, ensemble.leader, /closed the connection of a learner/)).join(),
    /did not log a proposal/,
  );
  victim.disk.syncDelayMs = 0;
  await ensemble.agree();
  await write(await ensemble.client(victim), 10, "after");
  await victim.powerFailure();
  await victim.start();
  await ensemble.agree();
  await ensemble.end();
});

/** The reasons given with those lines. */
async function untilSaid(ensemble: Ensemble, member: Member, pattern: RegExp): Promise<string[]> {
  const lines = () => member.logs.records.filter(({ message }) => pattern.test(message));
  await ensemble.until(`server ${member.id} says ${pattern}`, () => lines().length > 0);
  return lines().map(({ fields }) => String(fields["reason"]));
}

test("killed at every moment of a leader change, one after the other, the ensemble comes back", async () => {
  const ensemble = await Ensemble.start();
  for (let round = 0; round < 12; round++) {
    await write(await ensemble.client(ensemble.leader), 3, `r${round}-`);
    const { leader } = ensemble;
    await leader.powerFailure();
    await ensemble.run(round * 7);
    await leader.start();
    await ensemble.serving();
  }
  await ensemble.agree();
  await ensemble.end();
});
