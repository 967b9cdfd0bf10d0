/** What nobody should send to an ensemble's ports: it is refused with a line that says who and what, and all goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@vivarium/jute";
import { makeZxid, QuorumPacketType, quorumPacket } from "@vivarium/protocol";
import type { Connection } from "@vivarium/runtime";
import { create } from "../testing/requests.ts";
import { Ensemble } from "./testing/ensemble.ts";
import { Impostor } from "./testing/impostor.ts";
import { ELECTION_PORT, Member, QUORUM_PORT } from "./testing/member.ts";

const STRANGER = "10.0.7.7";

function dial(ensemble: Ensemble, member: Member, port: number): Connection {
  const connection = ensemble.network.host(STRANGER).connect({ host: member.host, port });
  connection.onEnd = () => connection.destroy();
  return connection;
}

const warnings = (member: Member): string =>
  member.logs.records
    .filter(({ level }) => level === "warn")
    .map(({ message, fields }) => `${message} ${Object.values(fields).join(" ")}`)
    .join("\n");

async function goesOn(ensemble: Ensemble, path: string): Promise<void> {
  assert.equal(await (await ensemble.client(ensemble.followers[0] as Member)).outcome(create(path)), "OK");
  await ensemble.agree();
  await ensemble.end();
}

const garbage = [
  { name: "zeros", bytes: new Uint8Array(100), election: /no election address of it is known 0/ },
  {
    name: "letters",
    bytes: Buffer.from("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"),
    election: new RegExp(`closed an election connection .*${STRANGER}`),
  },
  {
    name: "a huge length",
    bytes: Buffer.from("0000000b00000000000000007fffffff", "hex"),
    election: new RegExp(`closed an election connection .*${STRANGER}`),
  },
];

for (const { name, bytes, election } of garbage) {
  test(`${name} on the quorum and the election port`, async () => {
    const ensemble = await Ensemble.start();
    const { leader } = ensemble;
    for (const port of [QUORUM_PORT, ELECTION_PORT]) dial(ensemble, leader, port).write(bytes);
    await ensemble.run(3000);
    assert.match(warnings(leader), new RegExp(`closed the connection of a server ${STRANGER}`));
    assert.match(warnings(leader), election);
    await goesOn(ensemble, "/n");
  });
}

test("a learner in service whose data makes no sense is turned out; an unknown request is answered by a transaction", async () => {
  const ensemble = await Ensemble.start();
  const { leader } = ensemble;
  const lastZxid = leader.tree.lastProcessedZxid;
  for (const bad of [
    quorumPacket(QuorumPacketType.REQUEST, -1, new Uint8Array(3)),
    quorumPacket(QuorumPacketType.REQUEST, -1, null),
    quorumPacket(QuorumPacketType.PING, 0, new Uint8Array(5)),
    quorumPacket(QuorumPacketType.REVALIDATE, -1, new Uint8Array(2)),
  ]) {
    const impostor = new Impostor(dial(ensemble, leader, QUORUM_PORT), { id: 9, lastZxid, currentEpoch: 0 });
    await ensemble.until("it is in service", () => impostor.isActive);
    let isClosed = false;
    impostor.connection.onClose = () => {
      isClosed = true;
    };
    impostor.send(bad);
    await ensemble.until("it is turned out", () => isClosed);
  }
  const impostor = new Impostor(dial(ensemble, leader, QUORUM_PORT), { id: 9, lastZxid, currentEpoch: 0 });
  await ensemble.until("it is in service", () => impostor.isActive);
  const writer = new Writer();
  writer.number(1234);
  writer.int(1);
  writer.int(4711);
  impostor.send(quorumPacket(QuorumPacketType.REQUEST, -1, writer.copy()));
  await ensemble.settle();
  assert.equal(leader.tree.lastProcessedZxid % 2 ** 32, 1, "one transaction, which says that it cannot be done");
  assert.match(warnings(leader), /closed the connection of a learner/);
  await goesOn(ensemble, "/n");
});

test("a stranger with a longer history is refused, and so is one with the leader's id", async () => {
  const ensemble = await Ensemble.start();
  const { leader } = ensemble;
  const far = makeZxid(7, 7);
  new Impostor(dial(ensemble, leader, QUORUM_PORT), { id: 9, lastZxid: far, currentEpoch: 7 });
  new Impostor(dial(ensemble, leader, QUORUM_PORT), { id: leader.id, lastZxid: 0, currentEpoch: 0 });
  await ensemble.settle();
  assert.match(warnings(leader), /server 9 has a longer history than this leader/);
  assert.match(warnings(leader), new RegExp(`another server has my id ${leader.id}`));
  await goesOn(ensemble, "/n");
});

test("who comes second with an id is refused, and the first goes on serving", async () => {
  const ensemble = await Ensemble.start();
  const twin = ensemble.followers[0] as Member;
  const impostor = new Member({
    id: 8,
    clock: ensemble.clock,
    network: ensemble.network,
    settings: {
      ...Object.fromEntries(ensemble.members.map(({ id, host }) => [`server.${id}`, `${host}:2888:3888`])),
      [`server.${twin.id}`]: "10.0.0.8:2888:3888",
      myid: twin.id,
    },
  });
  await impostor.start();
  for (let i = 0; i < 10; i++) {
    await ensemble.run(500);
    assert.equal(await (await ensemble.client(ensemble.leader)).outcome(create(`/n${i}`)), "OK");
    assert.equal(twin.role, "follower");
    assert.equal(impostor.role, null);
  }
  assert.match(
    warnings(ensemble.leader),
    new RegExp(`server ${twin.id} is connected already: if its id is used twice`),
  );
  await impostor.kill();
  await goesOn(ensemble, "/n");
});

test("a server that only its own configuration lists counts for nothing, and the others say so", async () => {
  const ensemble = await Ensemble.start();
  const lines = ensemble.members.map(({ id, host }) => [`server.${id}`, `${host}:2888:3888`] as const);
  const settings = { ...Object.fromEntries(lines), "server.8": "10.0.0.8:2888:3888" };
  const stranger = new Member({ id: 8, clock: ensemble.clock, network: ensemble.network, settings });
  await stranger.start();
  await ensemble.run(500);
  for (const member of ensemble.members) assert.match(warnings(member), /no server.N line lists .* 8$/m);
  for (const member of ensemble.followers) await member.kill();
  await ensemble.until("two of three are no quorum, with or without it", () =>
    ensemble.members.every(({ role }) => role === null),
  );
  await stranger.kill();
  for (const member of ensemble.members) if (!member.isUp) await member.start();
  await ensemble.serving();
  await goesOn(ensemble, "/n");
});

test("a server without its id, or with one that is not listed, does not start, and says what to do", async () => {
  const ensemble = new Ensemble();
  const member = ensemble.member(1);
  member.settings = { myid: "nonsense" };
  await assert.rejects(member.start(), /myid.*Write the number alone/s);
  member.settings = { myid: 4 };
  await assert.rejects(member.start(), /no server\.4 is configured/);
});

test("a server whose epoch files disagree with its log does not start, and names the file", async () => {
  const ensemble = await Ensemble.start();
  const victim = ensemble.followers[0] as Member;
  await (await ensemble.client(ensemble.leader)).call(create("/n"));
  await victim.kill();
  for (const name of ["currentEpoch", "acceptedEpoch"]) {
    const file = await ensemble.clock.runUntil(victim.disk.open(`/data/version-2/${name}`, "create"));
    await ensemble.clock.runUntil(file.write(Buffer.from("0"), 0));
  }
  await assert.rejects(victim.start(), /currentEpoch.*it says 0, but the log is of epoch 1/s);
  victim.wipe();
  await victim.start();
  await goesOn(ensemble, "/m");
});
