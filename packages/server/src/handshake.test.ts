// The first packet of a connection: every kind of ConnectRequest, and what the server says to it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateMode, sessionPassword } from "@vivarium/protocol";
import { brief } from "./testing/raw-client.ts";
import { create, exists, getData } from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

const EPHEMERAL = { mode: CreateMode.EPHEMERAL };

test("a new session gets an id, its password and the timeout it asked for", async () => {
  const bed = await TestBed.start();
  const client = await bed.connect();
  const greeting = await client.hello({ timeOut: 5000 });
  assert.ok(greeting);
  assert.equal(greeting.protocolVersion, 0);
  assert.equal(greeting.timeOut, 5000);
  assert.equal(greeting.sessionId >> 56n, 1n, "a standalone server counts as server 1");
  assert.deepEqual(greeting.passwd, sessionPassword(greeting.sessionId));
  assert.equal(greeting.readOnly, false);
  await bed.stop();
});

for (const { asked, granted } of [
  { asked: 0, granted: 2000 },
  { asked: -1, granted: 2000 },
  { asked: 1999, granted: 2000 },
  { asked: 2000, granted: 2000 },
  { asked: 20_000, granted: 20_000 },
  { asked: 20_001, granted: 20_000 },
  { asked: 2 ** 31 - 1, granted: 20_000 },
]) {
  test(`a timeout of ${asked} ms is granted as ${granted} ms at tickTime 1000`, async () => {
    const bed = await TestBed.start();
    const client = await bed.client({ timeOut: asked });
    assert.equal(client.greeting?.timeOut, granted);
    await bed.stop();
  });
}

test("minSessionTimeout and maxSessionTimeout replace the multiples of tickTime", async () => {
  const bed = await TestBed.start({ minSessionTimeout: 300, maxSessionTimeout: 400 });
  assert.equal((await bed.client({ timeOut: 1 })).greeting?.timeOut, 300);
  assert.equal((await bed.client({ timeOut: 350 })).greeting?.timeOut, 350);
  assert.equal((await bed.client({ timeOut: 60_000 })).greeting?.timeOut, 400);
  await bed.stop();
});

for (const { name, readOnly, answered } of [
  { name: "a client that sends the read-only byte gets it back", readOnly: false, answered: false },
  { name: "one that would take a read-only server is told that this one is not", readOnly: true, answered: false },
  { name: "a client up to 3.3 sends 44 bytes and gets 36", readOnly: null, answered: undefined },
]) {
  test(name, async () => {
    const bed = await TestBed.start();
    const client = await bed.client({ readOnly });
    assert.equal(client.greeting?.readOnly, answered);
    await bed.stop();
  });
}

test("a session goes on where its connection broke, with the timeout now asked for", async () => {
  const bed = await TestBed.start();
  const first = await bed.client({ timeOut: 4000 });
  await first.call(create("/mine", EPHEMERAL));
  first.connection.destroy();
  await bed.clock.run(3000);
  const second = await bed.client({ ...first.session, timeOut: 6000 });
  assert.deepEqual(second.session, first.session);
  assert.equal(second.greeting?.timeOut, 6000);
  assert.equal(await second.outcome(exists("/mine")), "OK");
  await bed.clock.run(5000);
  assert.equal(bed.server.tracker.size, 1, "the new timeout counts");
  await bed.stop();
});

test("a session that comes back on a second connection leaves its first one, which is closed", async () => {
  const bed = await TestBed.start();
  const first = await bed.client();
  const second = await bed.client(first.session);
  assert.equal(first.isClosed, true);
  assert.equal(second.greeting?.sessionId, first.greeting?.sessionId);
  assert.equal(await second.outcome(create("/after")), "OK");
  await bed.stop();
});

test("writes that were under way when their session moved are done, and answered nowhere", async () => {
  const bed = await TestBed.start();
  bed.disk.syncDelayMs = 50;
  const first = await bed.connect();
  first.sendHello();
  await bed.clock.run(60);
  first.send(create("/under-way"));
  await bed.settle();
  const second = await bed.connect();
  second.sendHello(first.session);
  await bed.clock.run(200);
  assert.equal(await second.outcome(exists("/under-way")), "OK");
  assert.deepEqual(first.take(), []);
  assert.equal(first.isClosed, true);
  await bed.clock.run(100);
  bed.disk.syncDelayMs = 0;
  await bed.stop();
});

for (const { name, change } of [
  { name: "a wrong password", change: { passwd: new Uint8Array(16) } },
  { name: "a short password", change: { passwd: new Uint8Array(0) } },
  { name: "no password at all", change: { passwd: null } },
  { name: "an id that nobody has", change: { sessionId: 0x1234n, passwd: sessionPassword(0x1234n) } },
]) {
  test(`${name} is answered like an expired session, and the connection is closed`, async () => {
    const bed = await TestBed.start();
    const owner = await bed.client();
    const thief = await bed.connect();
    const greeting = await thief.hello({ ...owner.session, ...change });
    assert.deepEqual(greeting, {
      protocolVersion: 0,
      timeOut: 0,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: false,
    });
    assert.equal(thief.isClosed, true);
    assert.equal(bed.server.tracker.size, 1, "the session itself lives on");
    assert.ok(bed.said("info").some((line) => line.includes("gone, or with a wrong password")));
    await bed.stop();
  });
}

test("an expired session is answered with timeout 0", async () => {
  const bed = await TestBed.start();
  const first = await bed.client({ timeOut: 4000 });
  first.connection.destroy();
  await bed.clock.run(5001);
  assert.equal(bed.server.tracker.size, 0);
  const late = await bed.connect();
  assert.equal((await late.hello(first.session))?.timeOut, 0);
  assert.equal(late.isClosed, true);
  await bed.stop();
});

test("a client that has seen a later zxid is sent away without an answer", async () => {
  const bed = await TestBed.start();
  const ahead = await bed.connect();
  assert.equal(await ahead.hello({ lastZxidSeen: 1000 }), undefined);
  assert.equal(ahead.isClosed, true);
  const level = await bed.connect();
  assert.ok(await level.hello({ lastZxidSeen: bed.server.lastProcessedZxid }));
  await bed.stop();
});

test("requests sent right behind the ConnectRequest are carried out in order once the session is there", async () => {
  const bed = await TestBed.start();
  bed.disk.syncDelayMs = 20;
  const client = await bed.connect();
  client.sendHello();
  client.send(create("/a"));
  client.send(getData("/a"));
  await bed.settle();
  assert.equal(client.greeting, undefined, "no answer before the session is on disk");
  await bed.clock.run(100);
  assert.ok(client.greeting);
  assert.deepEqual(brief(client.take()), ["#1 OK", "#2 OK"]);
  bed.disk.syncDelayMs = 0;
  await bed.stop();
});

test("a session is there again after a restart, with its password, timeout and ephemerals", async () => {
  const bed = await TestBed.start();
  const first = await bed.client({ timeOut: 7000 });
  await first.call(create("/mine", EPHEMERAL));
  await bed.restart();
  await bed.clock.run(6000);
  const second = await bed.client({ ...first.session, timeOut: 7000, lastZxidSeen: 2 });
  assert.equal(second.greeting?.timeOut, 7000);
  assert.equal(await second.outcome(exists("/mine")), "OK");
  await bed.stop();
});

test("sessions that nobody takes up again expire after a restart, each after its own timeout", async () => {
  const bed = await TestBed.start();
  const short = await bed.client({ timeOut: 3000 });
  const long = await bed.client({ timeOut: 9000 });
  await short.call(create("/short", EPHEMERAL));
  await long.call(create("/long", EPHEMERAL));
  await bed.restart();
  await bed.clock.run(4100);
  const { tree } = bed.server;
  assert.deepEqual([...tree.sessions.keys()], [long.session.sessionId]);
  await bed.clock.run(6000);
  assert.equal(tree.sessions.size, 0);
  assert.equal(tree.owned.ephemeralCount, 0);
  await bed.stop();
});
