/**
 * Role changes at every moment of a sync, on slow disks: what one term has begun never reaches into the next, and what
 * is on disk is always a history that the ensemble can go on from.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateMode } from "@vivarium/protocol";
import { SeededRandom } from "@vivarium/runtime";
import { dataOf, type Reply } from "../testing/raw-client.ts";
import { create, getData, setData, sync } from "../testing/requests.ts";
import { Ensemble } from "./testing/ensemble.ts";
import { Impostor } from "./testing/impostor.ts";
import { type Member, QUORUM_PORT } from "./testing/member.ts";

const SLOW_SYNC_MS = 30;

const WRITES = 1000;
/** More than are applied while a term ends. */
const MANY_WRITES = 4000;

test("a leader that is slow to apply answers a sync when it has applied all before it", async () => {
  const ensemble = await Ensemble.start();
  const { leader } = ensemble;
  const writer = await ensemble.client(leader);
  const reader = await ensemble.client(leader);
  await writer.call(create("/n"));
  let looked = false;
  leader.onApplied = ({ header }) => {
    leader.slowDown();
    // When the last write is committed, but most are not applied.
    if (looked || header.cxid !== 100) return;
    looked = true;
    reader.sendTogether(sync("/n"), getData("/n"));
  };
  writer.sendTogether(...Array.from({ length: WRITES }, (_, i) => setData("/n", `${i}`)));
  await ensemble.run(200);
  const replies = reader.take().filter((packet) => packet.kind === "reply");
  assert.equal(replies.length, 2);
  assert.equal(dataOf(replies[1] as Reply), `${WRITES - 1}`);
  await ensemble.agree();
  await ensemble.end();
});

test("a leader that steps down with much to apply applies it once, and in the next role's time", async () => {
  const ensemble = await Ensemble.start({ settings: { globalOutstandingLimit: 100_000 } });
  const { leader, followers } = ensemble;
  const [twin] = followers as [Member, ...Member[]];
  const writer = await ensemble.client(leader);
  leader.onApplied = ({ header }) => {
    leader.slowDown();
    if (header.cxid !== 100) return;
    leader.onApplied = () => {};
    // A voter that has accepted a later epoch makes the leader give way at once.
    const connection = ensemble.network.host("10.0.7.7").connect({ host: leader.host, port: QUORUM_PORT });
    new Impostor(connection, { id: twin.id, lastZxid: 0, currentEpoch: 0, acceptedEpoch: 9 });
  };
  writer.sendTogether(
    ...Array.from({ length: MANY_WRITES }, () => create("/n-", { mode: CreateMode.PERSISTENT_SEQUENTIAL })),
  );
  await ensemble.until("the leader gives way", () => leader.said("warn").includes("looking for a leader again"));
  await ensemble.agree();
  assert.equal(leader.tree.nodes.numChildren(leader.tree.nodes.findPath("/")), MANY_WRITES + 1);
  await ensemble.end();
});

/** What the tree answers for a path that it does not have. */
const NONE = -1;

/** How a member has come to be behind, or beside, the others. */
const setbacks = {
  "is behind": async () => {},
  "has lost its disk": async (_: Ensemble, victim: Member) => victim.wipe(),
} as const;

for (const [what, setBack] of Object.entries(setbacks)) {
  for (const how of ["cut off", "killed", "without power"] as const) {
    test(`a member that ${what} is ${how} at every moment of its sync`, async () => {
      const ensemble = await Ensemble.start({
        latencyMs: 1,
        settings: { snapshotSizeFactor: -1, commitLogCount: 500 },
      });
      const victim = ensemble.followers[0] as Member;
      for (let afterMs = 0; afterMs < 240; afterMs += 20) {
        await victim.kill();
        await setBack(ensemble, victim);
        const client = await ensemble.client(ensemble.leader);
        for (let i = 0; i < 3; i++) await client.call(create("/n-", { mode: CreateMode.PERSISTENT_SEQUENTIAL }));
        victim.disk.syncDelayMs = SLOW_SYNC_MS;
        await victim.start();
        await ensemble.run(afterMs);
        if (how === "cut off") {
          ensemble.isolate(victim);
          await ensemble.run(1500);
          ensemble.heal();
        } else if (how === "killed") await ensemble.restart(victim);
        else {
          await victim.powerFailure();
          await victim.start();
        }
        await ensemble.serving();
      }
      await ensemble.agree();
      await ensemble.restart(victim);
      await ensemble.agree();
      await ensemble.end();
    });
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`anything may happen to anyone while clients write: seed ${seed}`, async () => {
    const random = new SeededRandom(seed);
    const settings = { snapCount: 10, snapshotSizeFactor: seed % 2 === 0 ? -1 : 0.33 };
    const ensemble = await Ensemble.start({ servers: seed % 2 === 0 ? 5 : 3, observers: 1, latencyMs: 1, settings });
    const acknowledged = new Set<string>();
    for (let round = 0; round < 25; round++) {
      await write(ensemble, random, { round, acknowledged });
      const victim = ensemble.members[random.int(ensemble.members.length)] as Member;
      victim.disk.syncDelayMs = random.int(40);
      await mishap(ensemble, victim, random);
      await ensemble.run(random.int(400));
      ensemble.heal();
      for (const member of ensemble.members) if (!member.isUp) await member.start();
    }
    await ensemble.agree();
    const { tree } = ensemble.leader;
    for (const path of acknowledged) {
      assert.notEqual(tree.nodes.findPath(path), NONE, `${path} was acknowledged and is lost`);
    }
    for (const member of ensemble.members) await member.powerFailure();
    for (const member of ensemble.members) await member.start();
    await ensemble.agree();
    await ensemble.end();
  });
}

async function write(
  ensemble: Ensemble,
  random: SeededRandom,
  { round, acknowledged }: { round: number; acknowledged: Set<string> },
): Promise<void> {
  const servers = ensemble.up.filter(({ role }) => role !== null);
  if (servers.length === 0) return;
  const client = await ensemble.connect(servers[random.int(servers.length)] as Member);
  if ((await client.hello()) === undefined) return;
  const paths = new Map<number, string>();
  for (let i = 0; i < 10; i++) {
    const path = `/r${round}-${i}`;
    paths.set(client.send(create(path, { data: "x".repeat(random.int(2000)) })), path);
    client.send(setData("/r0-0", `${round}`));
  }
  await ensemble.run(random.int(60));
  for (const packet of client.take()) {
    const path = packet.kind === "reply" && packet.err === 0 ? paths.get(packet.xid) : undefined;
    if (path !== undefined) acknowledged.add(path);
  }
}

async function mishap(ensemble: Ensemble, victim: Member, random: SeededRandom): Promise<void> {
  switch (random.int(6)) {
    case 0:
      return victim.kill();
    case 1:
      return victim.powerFailure();
    case 2:
      return ensemble.restart(victim);
    case 3:
      return victim.stop();
    case 4:
      return ensemble.isolate(victim);
    default: {
      // One direction only, to one other.
      const other = ensemble.members[random.int(ensemble.members.length)] as Member;
      if (other !== victim) ensemble.network.cut(victim.host, other.host);
    }
  }
}
