/** Observers, groups, a leader without clients, and what four-letter words and /zookeeper/config say of an ensemble. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dataOf } from "../testing/raw-client.ts";
import { create, exists, getData, setData, sync } from "../testing/requests.ts";
import { Ensemble } from "./testing/ensemble.ts";
import type { Member } from "./testing/member.ts";

test("an observer serves reads and writes, follows leader changes, and never counts", async () => {
  const ensemble = await Ensemble.start({ observers: 1 });
  const observer = ensemble.member(4);
  assert.equal(observer.role, "observer");
  const client = await ensemble.client(observer);
  assert.equal(await client.outcome(create("/n", { data: "1" })), "OK");
  assert.equal(dataOf(await client.call(getData("/n"))), "1");
  const writer = await ensemble.client(ensemble.leader);
  await writer.call(setData("/n", "2"));
  await client.call(sync("/"));
  assert.equal(dataOf(await client.call(getData("/n"))), "2");

  await ensemble.leader.kill();
  await ensemble.until("the observer notices", () => client.isClosed);
  await ensemble.serving();
  assert.equal(observer.role, "observer");
  assert.equal(await (await ensemble.client(observer)).outcome(setData("/n", "3")), "OK");

  // One participant and the observer are two of four, but one of three.
  await (ensemble.followers[0] as Member).kill();
  await ensemble.until("nobody serves", () => ensemble.up.every(({ role }) => role === null));
  await ensemble.run(10_000);
  assert.ok(ensemble.up.every(({ role }) => role === null));
  for (const member of ensemble.members) if (!member.isUp) await member.start();
  await ensemble.agree();
  await ensemble.restart(observer);
  await ensemble.agree();
  await ensemble.end();
});

test("an observer that missed much, or all, catches up", async () => {
  const ensemble = await Ensemble.start({ observers: 1, settings: { snapshotSizeFactor: -1 } });
  const observer = ensemble.member(4);
  const client = await ensemble.client(ensemble.leader);
  await observer.kill();
  for (let i = 0; i < 20; i++) await client.call(create(`/a${i}`));
  await observer.start();
  await ensemble.agree();
  await observer.kill();
  observer.wipe();
  for (let i = 0; i < 600; i++) await client.call(create(`/b${i}`));
  await observer.start();
  await ensemble.agree();
  await ensemble.end();
});

test("groups decide: two of three groups are a quorum, and a majority of servers is none", async () => {
  const settings = { "group.1": "1:2:3", "group.2": "4", "group.3": "5" };
  const ensemble = await Ensemble.start({ servers: 5, settings });
  await ensemble.member(4).kill();
  await ensemble.serving();
  const client = await ensemble.client(ensemble.leader);
  assert.equal(await client.outcome(create("/n")), "OK");
  await ensemble.member(5).kill();
  await ensemble.until("three of five are no quorum", () => ensemble.up.every(({ role }) => role === null));
  await ensemble.run(5000);
  assert.ok(ensemble.up.every(({ role }) => role === null));
  await ensemble.member(4).start();
  await ensemble.serving();
  await ensemble.member(5).start();
  await ensemble.agree();
  await ensemble.end();
});

test("with leaderServes=no the leader takes no clients, and the others do", async () => {
  const ensemble = await Ensemble.start({ settings: { "zookeeper.leaderServes": "no" } });
  const client = await ensemble.connect(ensemble.leader);
  await client.hello();
  assert.ok(client.isClosed && client.greeting === undefined);
  for (const member of ensemble.followers) {
    assert.equal(await (await ensemble.client(member)).outcome(create(`/n${member.id}`)), "OK");
  }
  await ensemble.agree();
  await ensemble.end();
});

test("a client that was at the leader before the epoch's first transaction is welcome elsewhere", async () => {
  const ensemble = await Ensemble.start();
  const first = await ensemble.client(ensemble.leader, { timeOut: 4000 });
  const { session } = first;
  await ensemble.leader.kill();
  await ensemble.serving();
  const second = await ensemble.client(ensemble.leader, session);
  const { zxid } = await second.call(exists("/"));
  const third = await ensemble.client(ensemble.followers[0] as Member, { ...session, lastZxidSeen: zxid });
  assert.equal(third.greeting?.sessionId, session.sessionId);
  const epochsStart = Math.floor(zxid / 2 ** 32 + 1) * 2 ** 32;
  const fourth = await ensemble.client(ensemble.followers[0] as Member, { ...session, lastZxidSeen: epochsStart });
  assert.equal(fourth.greeting?.sessionId, session.sessionId, "as after Apache's leader");
  await ensemble.end();
});

test("/zookeeper/config holds the membership on every server, also after a snapshot from the leader", async () => {
  const ensemble = await Ensemble.start({ observers: 1, settings: { snapshotSizeFactor: -1 } });
  const victim = ensemble.followers[0] as Member;
  await (await ensemble.client(ensemble.leader)).call(create("/n"));
  await victim.kill();
  victim.wipe();
  await victim.start();
  await ensemble.agree();
  for (const member of ensemble.members) {
    const client = await ensemble.client(member);
    assert.equal(
      dataOf(await client.call(getData("/zookeeper/config"))),
      [
        "server.1=10.0.0.1:2888:3888:participant",
        "server.2=10.0.0.2:2888:3888:participant",
        "server.3=10.0.0.3:2888:3888:participant",
        "server.4=10.0.0.4:2888:3888:observer",
        "version=0",
      ].join("\n"),
    );
  }
  await ensemble.end();
});

test("four-letter words tell of the ensemble", async () => {
  const ensemble = await Ensemble.start({ observers: 1 });
  const { leader } = ensemble;
  const client = await ensemble.client(leader);
  await client.call(create("/n"));
  // The session, and the node.
  const proposals = 2;
  await ensemble.agree();
  const member = ensemble.followers[0] as Member;

  assert.match(
    await ensemble.word(leader, "srvr"),
    /Mode: leader\nNode count: \d+\nProposal sizes last\/min\/max: \d+\/\d+\/\d+\n$/,
  );
  assert.match(await ensemble.word(member, "srvr"), /Mode: follower\nNode count: \d+\n$/);
  assert.match(await ensemble.word(ensemble.member(4), "stat"), /Mode: observer\n/);

  const mntr = await ensemble.word(leader, "mntr");
  for (const figure of [
    "server_state\tleader",
    "peer_state\tleading - broadcast",
    "quorum_size\t3",
    "learners\t3",
    "synced_followers\t2",
    "synced_non_voting_followers\t0",
    "synced_observers\t1",
    "pending_syncs\t0",
    "global_sessions\t1",
    "looking_count\t1",
    "cnt_election_time\t1",
    "cnt_unavailable_time\t1",
    `proposal_count\t${proposals}`,
  ]) {
    assert.ok(mntr.includes(`zk_${figure}\n`), `${figure} in\n${mntr}`);
  }
  const ofFollower = await ensemble.word(member, "mntr");
  assert.ok(
    ofFollower.includes("zk_peer_state\tfollowing - broadcast\n") && ofFollower.includes("zk_quorum_size\t3\n"),
  );
  const received = ["proposal", "commit"].map((what) => `zk_learner_${what}_received_count\t${proposals}\n`);
  assert.ok(
    received.every((line) => ofFollower.includes(line)),
    ofFollower,
  );
  assert.ok(ofFollower.includes("zk_global_sessions\t1\n") && !ofFollower.includes("zk_learners"));

  const session = client.session.sessionId.toString(16);
  assert.match(
    await ensemble.word(member, "dump"),
    new RegExp(`^SessionTracker dump:\\nGlobal Sessions\\(1\\):\\n0x${session}\\t4000ms\\nephemeral nodes dump:`),
  );
  assert.match(await ensemble.word(leader, "dump"), /^SessionTracker dump:\nSession Sets \(1\)\/\(1\):\n/);

  const conf = await ensemble.word(ensemble.member(4), "conf");
  assert.match(
    conf,
    /serverId=4\ninitLimit=10\nsyncLimit=5\nelectionAlg=3\nelectionPort=3888\nquorumPort=2888\npeerType=1\nmembership: \nserver\.1=.*\n(.*\n){3}version=0$/,
  );
  await ensemble.end();
});

test("a membership with a version, from a dynamic file, is one that others are compared by", async () => {
  const ensemble = await Ensemble.start({ settings: { version: "10000000a" } });
  const client = await ensemble.client(ensemble.leader);
  assert.match(dataOf(await client.call(getData("/zookeeper/config"))), /version=10000000a$/);
  const ahead = ensemble.followers[0] as Member;
  await ahead.kill();
  ahead.settings = { version: "20000000b" };
  await ahead.start();
  await ensemble.run(3000);
  assert.equal(ahead.role, null);
  const refused = ensemble.leader.logs.records.map(({ fields }) => fields["reason"]);
  assert.ok(refused.includes(`server ${ahead.id} knows a later membership than this leader`));
  await ensemble.end();
});
