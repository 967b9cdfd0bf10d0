/** Sessions belong to the ensemble: they outlive servers, move between them, and end for all at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CREATOR_ALL_ACL, CreateMode, OpCode } from "@vivarium/protocol";
import { brief, dataOf, type RawClient, requestFrame } from "../testing/raw-client.ts";
import {
  auth,
  closeSession,
  create,
  createBody,
  exists,
  getData,
  multi,
  ping,
  raw,
  remove,
  setData,
  sync,
} from "../testing/requests.ts";
import { Ensemble } from "./testing/ensemble.ts";
import type { Member } from "./testing/member.ts";

const EPHEMERAL = { mode: CreateMode.EPHEMERAL };
const follower = (ensemble: Ensemble, index = 0): Member => ensemble.followers[index] as Member;

/** Runs time on while these clients show signs of life. */
async function live(ensemble: Ensemble, ms: number, ...clients: RawClient[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 200) {
    for (const client of clients) client.send(ping);
    await ensemble.run(200);
  }
}

test("a session outlives the leader, and its server, with its ephemerals", async () => {
  const ensemble = await Ensemble.start();
  const first = await ensemble.client(follower(ensemble), { timeOut: 4000 });
  assert.equal(await first.outcome(create("/mine", EPHEMERAL)), "OK");
  const { session } = first;
  await ensemble.leader.kill();
  await ensemble.until("the client is let go", () => first.isClosed);
  await ensemble.serving();
  const second = await ensemble.client(ensemble.leader, session);
  assert.equal(second.greeting?.sessionId, session.sessionId);
  assert.equal(await second.outcome(exists("/mine")), "OK");
  const third = await ensemble.client(follower(ensemble), session);
  assert.equal(await third.outcome(setData("/mine", "still")), "OK");
  for (const member of ensemble.members) if (!member.isUp) await member.start();
  await live(ensemble, 10_000, third);
  assert.equal(dataOf(await third.call(getData("/mine"))), "still");
  await ensemble.agree();
  await ensemble.end();
});

test("a session that moved: what its old connection asks for is not done, and that connection is closed", async () => {
  const ensemble = await Ensemble.start();
  const [a, b] = ensemble.followers as [Member, Member];
  const old = await ensemble.client(a);
  assert.equal(await old.outcome(create("/n", { data: "0" })), "OK");
  const moved = await ensemble.client(b, old.session);
  assert.equal(await moved.outcome(setData("/n", "new")), "OK");
  old.send(setData("/n", "old"));
  await ensemble.settle();
  assert.ok(old.isClosed, "the old connection is closed");
  assert.equal(dataOf(await moved.call(getData("/n"))), "new");
  await live(ensemble, 12_000, moved);
  assert.equal(await moved.outcome(setData("/n", "newer")), "OK");
  await ensemble.agree();
  await ensemble.end();
});

test("only silence ends a session, wherever its server is, and then for everyone", async () => {
  const ensemble = await Ensemble.start({ observers: 1 });
  for (const member of [ensemble.leader, follower(ensemble), ensemble.member(4)]) {
    const silent = await ensemble.client(member, { timeOut: 2000 });
    const lively = await ensemble.client(member, { timeOut: 2000 });
    assert.equal(await silent.outcome(create("/silent", EPHEMERAL)), "OK");
    assert.equal(await lively.outcome(create(`/lively${member.id}`, EPHEMERAL)), "OK");
    await live(ensemble, 6000, lively);
    assert.equal(await lively.outcome(exists("/silent")), "NONODE", `a session of server ${member.id}`);
    assert.equal(await lively.outcome(exists(`/lively${member.id}`)), "OK");
    assert.ok(silent.isClosed);
    const again = await ensemble.connect(follower(ensemble));
    assert.equal((await again.hello(silent.session))?.timeOut, 0, "it is told that its session expired");
    assert.equal(await lively.outcome(closeSession), "OK");
  }
  await ensemble.agree();
  assert.equal(ensemble.leader.tree.owned.ephemeralCount, 0);
  await ensemble.end();
});

test("a new leader gives every session its whole timeout again", async () => {
  const ensemble = await Ensemble.start();
  const client = await ensemble.client(follower(ensemble), { timeOut: 4000 });
  await client.call(create("/mine", EPHEMERAL));
  await live(ensemble, 2000, client);
  await ensemble.run(3000);
  await ensemble.leader.kill();
  await ensemble.serving();
  await ensemble.run(3500);
  const again = await ensemble.client(ensemble.leader, client.session);
  assert.equal(again.greeting?.sessionId, client.session.sessionId);
  assert.equal(await again.outcome(exists("/mine")), "OK");
  await ensemble.agree();
  await ensemble.end();
});

test("a session that is closed by the leader loses its connection, wherever that is", async () => {
  const ensemble = await Ensemble.start();
  const client = await ensemble.client(follower(ensemble));
  await client.call(create("/mine", EPHEMERAL));
  ensemble.leader.peer.server.closeSession(client.session.sessionId);
  await ensemble.settle();
  assert.ok(client.isClosed);
  await ensemble.agree();
  assert.equal(ensemble.leader.tree.owned.ephemeralCount, 0);
  await ensemble.end();
});

test("a client of a follower closes its session: the answer comes, then the end of the connection", async () => {
  const ensemble = await Ensemble.start();
  const client = await ensemble.client(follower(ensemble));
  await client.call(create("/mine", EPHEMERAL));
  client.take();
  assert.equal(await client.outcome(closeSession), "OK");
  assert.ok(client.isClosed);
  await ensemble.agree();
  assert.equal(ensemble.leader.tree.sessions.size, 0);
  await ensemble.end();
});

test("a watch on a follower fires for a write elsewhere, before the data that it announces", async () => {
  const ensemble = await Ensemble.start();
  const [a, b] = ensemble.followers as [Member, Member];
  const watcher = await ensemble.client(a);
  const writer = await ensemble.client(b);
  await writer.call(create("/n", { data: "1" }));
  await watcher.call(sync("/"));
  await watcher.call(getData("/n", true));
  watcher.take();
  watcher.sendTogether(sync("/"), getData("/n"));
  await writer.call(setData("/n", "2"));
  watcher.send(sync("/"));
  watcher.send(getData("/n"));
  await ensemble.settle();
  const packets = watcher.take();
  const event = packets.findIndex(({ kind }) => kind === "event");
  const fresh = packets.findIndex(
    (packet) => packet.kind === "reply" && packet.body.length > 0 && hasData(packet, "2"),
  );
  assert.ok(event !== -1 && event < fresh, brief(packets).join(", "));
  await ensemble.end();
});

function hasData(packet: Parameters<typeof dataOf>[0], text: string): boolean {
  return Buffer.from(packet.body).includes(Buffer.from(`\0\0\0\x01${text}`, "latin1"));
}

test("requests of one client are answered in order on a follower: writes, reads between them, multi and sync", async () => {
  const ensemble = await Ensemble.start({ latencyMs: 2 });
  const client = await ensemble.client(follower(ensemble));
  client.sendTogether(
    create("/a"),
    getData("/a"),
    multi({ type: OpCode.create, ...createBody("/b") }, { type: OpCode.setData, path: "/a", data: null, version: 0 }),
    sync("/"),
    exists("/b"),
    remove("/b"),
    exists("/b"),
    create("/a"),
    getData("/a"),
  );
  await ensemble.run(100);
  assert.deepEqual(brief(client.take()), [
    "#1 OK",
    "#2 OK",
    "#3 OK",
    "#4 OK",
    "#5 OK",
    "#6 OK",
    "#7 NONODE",
    "#8 NODEEXISTS",
    "#9 OK",
  ]);
  await ensemble.agree();
  await ensemble.end();
});

test("a write that cannot be decoded is refused to its sender, and harms nobody else", async () => {
  const ensemble = await Ensemble.start();
  const good = await ensemble.client(follower(ensemble));
  const bad = await ensemble.client(follower(ensemble));
  for (let i = 0; i < 10; i++) {
    good.sendBytes(requestFrame(create(`/n${i}`), i + 1));
    bad.sendBytes(requestFrame(raw(OpCode.create, new Uint8Array(3)), i + 1));
  }
  await ensemble.settle();
  assert.ok(brief(good.take()).every((line) => line.endsWith(" OK")));
  assert.deepEqual(
    brief(bad.take()),
    Array.from({ length: 10 }, (_, i) => `#${i + 1} MARSHALLINGERROR`),
  );
  await ensemble.agree();
  await ensemble.end();
});

test("who a client of a follower has proven to be counts at the leader", async () => {
  const ensemble = await Ensemble.start();
  const owner = await ensemble.client(follower(ensemble));
  await owner.call(auth("digest", "me:secret"));
  assert.equal(await owner.outcome(create("/mine", { acl: CREATOR_ALL_ACL })), "OK");
  const stranger = await ensemble.client(follower(ensemble, 1));
  assert.equal(await stranger.outcome(setData("/mine", "x")), "NOAUTH");
  assert.equal(await owner.outcome(setData("/mine", "x")), "OK");
  await ensemble.agree();
  await ensemble.end();
});
