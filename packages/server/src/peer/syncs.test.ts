/** The two things called sync: bringing a learner into step, of which there is a limit, and a client's wish for a fresh read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rules } from "@vivarium/zab";
import { dataOf, type Reply } from "../testing/raw-client.ts";
import { create, getData, setData, sync } from "../testing/requests.ts";
import { Ensemble } from "./testing/ensemble.ts";
import type { Member } from "./testing/member.ts";

const OBSERVERS = 5;
/** More transactions than a leader keeps in memory for learners. */
const BEYOND_MEMORY = 600;

async function writeMuch(ensemble: Ensemble, writes: number): Promise<void> {
  const client = await ensemble.client(ensemble.leader);
  client.sendTogether(...Array.from({ length: writes }, (_, i) => create(`/n${i}`)));
  await ensemble.until("all is written", () => client.packets.length === writes);
}

const limits = [
  { name: "snapshots", settings: { "leader.maxConcurrentSnapSyncs": 2, snapshotSizeFactor: -1 }, isWiped: true },
  { name: "differences", settings: { "leader.maxConcurrentDiffSyncs": 2 }, isWiped: false },
];

for (const { name, settings, isWiped } of limits) {
  test(`observers that come all at once are sent ${name} two at a time, and all get them`, async () => {
    const ensemble = await Ensemble.start({ observers: OBSERVERS, settings, latencyMs: 3 });
    const observers = ensemble.members.slice(3);
    for (const observer of observers) await observer.kill();
    await writeMuch(ensemble, isWiped ? BEYOND_MEMORY : 10);
    const { leader } = ensemble;
    for (const observer of observers) {
      if (isWiped) observer.wipe();
      await observer.start();
    }
    await ensemble.agree();
    assert.ok(observers.every(({ role }) => role === "observer"));
    const sentAway = leader.logs.records.filter(({ fields }) =>
      `${fields["reason"]}`.startsWith(`no more than 2 ${name} at a time`),
    );
    assert.ok(sentAway.length > 0, "somebody was sent away");
    assert.ok(ensemble.leader === leader, "and nobody else was disturbed");
    await ensemble.end();
  });
}

test("followers are brought into step however many there are", async () => {
  const settings = { "leader.maxConcurrentSnapSyncs": 1, "leader.maxConcurrentDiffSyncs": 1, snapshotSizeFactor: -1 };
  const ensemble = await Ensemble.start({ servers: 5, settings, latencyMs: 3 });
  await writeMuch(ensemble, BEYOND_MEMORY);
  const { leader, followers } = ensemble;
  const [one, two] = followers as [Member, Member];
  for (const member of [one, two]) await member.kill();
  for (const member of [one, two]) member.wipe();
  for (const member of [one, two]) await member.start();
  await ensemble.agree();
  assert.ok(!leader.said("warn").includes("closed the connection of a learner"), "nobody was sent away");
  await ensemble.end();
});

/**
 * The leader of five and one follower are cut off from the three others, who elect another leader; but these two go on
 * for long, because their syncLimit says so. What do they answer to a sync and the read after it?
 */
async function readAtDeposed(where: "leader" | "follower", rules: Partial<Rules>): Promise<(Reply | undefined)[]> {
  const ensemble = new Ensemble({ servers: 5, rules });
  const [old, behind] = [ensemble.member(5), ensemble.member(4)];
  const others = ensemble.members.slice(0, 3);
  for (const member of [old, behind]) member.settings = { syncLimit: 60 };
  for (const member of [old, behind, ...others]) await member.start();
  await ensemble.serving();
  assert.ok(ensemble.leader === old);
  await (await ensemble.client(old)).call(create("/n", { data: "old" }));
  const reader = await ensemble.client(where === "leader" ? old : behind, { timeOut: 4000 });
  for (const here of [old, behind]) {
    for (const there of others) {
      ensemble.network.cut(here.host, there.host);
      ensemble.network.cut(there.host, here.host);
    }
  }
  await ensemble.until("another leads", () => others.some(({ role }) => role === "leader"));
  await ensemble.serving(others);
  const writer = await ensemble.client(others[0] as Member);
  assert.equal(await writer.outcome(setData("/n", "new")), "OK");
  assert.equal(old.role, "leader", "it does not know yet");
  reader.sendTogether(sync("/n"), getData("/n"));
  await ensemble.until("the deposed leader knows", () => old.role === null);
  await ensemble.settle();
  ensemble.heal();
  await ensemble.agree();
  await ensemble.end();
  return reader.packets.filter((packet) => packet.kind === "reply");
}

for (const where of ["leader", "follower"] as const) {
  test(`a deposed leader answers no sync: a client at the ${where} reads nothing old after one`, async () => {
    assert.deepEqual(await readAtDeposed(where, {}), []);
  });

  test(`without syncAsksQuorum a client at the ${where} reads what is old after a sync`, async () => {
    const [, read] = await readAtDeposed(where, { syncAsksQuorum: false });
    assert.equal(dataOf(read as Reply), "old");
  });
}

test("a read after a sync is fresh on every server, also where news come late", async () => {
  let far = "";
  const latencyMs = (_: string, to: string) => (to === far ? 40 : 1);
  const ensemble = await Ensemble.start({ observers: 1, latencyMs });
  const writer = await ensemble.client(ensemble.leader);
  await writer.call(create("/n"));
  writer.take();
  for (const member of ensemble.members) {
    const reader = await ensemble.client(member);
    far = member.host;
    for (let i = 0; i < 5; i++) {
      writer.send(setData("/n", `${member.id}-${i}`));
      await ensemble.until("it is acknowledged", () => writer.take().length === 1);
      reader.sendTogether(sync("/n"), getData("/n"));
      await ensemble.until("the sync and the read are answered", () => reader.packets.length === 2);
      assert.equal(dataOf(reader.take()[1] as Reply), `${member.id}-${i}`);
    }
    far = "";
    await ensemble.run(100);
  }
  await ensemble.end();
});
