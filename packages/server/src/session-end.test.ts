// How sessions end: by their client's wish, or by its silence. Their ephemerals go with them, in one transaction.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateMode } from "@vivarium/protocol";
import { brief } from "./testing/raw-client.ts";
import { closeSession, create, exists, getData, ping, setData } from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

const EPHEMERAL = { mode: CreateMode.EPHEMERAL };

test("closeSession is answered, then the connection ends; ephemerals are gone, what came after it is not done", async () => {
  const bed = await TestBed.start();
  const [client, other] = [await bed.client(), await bed.client()];
  await client.call(create("/e", EPHEMERAL));
  client.take();
  client.send(create("/before"));
  client.send(closeSession);
  client.send(create("/after"));
  client.send(exists("/before"));
  await bed.settle();
  assert.deepEqual(brief(client.take()), ["#2 OK", "#3 OK"]);
  assert.equal(client.isClosed, true);
  assert.equal(await other.outcome(exists("/e")), "NONODE");
  assert.equal(await other.outcome(exists("/before")), "OK");
  assert.equal(await other.outcome(exists("/after")), "NONODE");
  assert.equal(bed.server.tracker.size, 1);
  const again = await bed.connect();
  assert.equal((await again.hello(client.session))?.timeOut, 0, "a closed session does not come back");
  await bed.stop();
});

test("a silent session expires between its timeout and one tick more; its ephemerals go, its connection ends", async () => {
  const bed = await TestBed.start({ tickTime: 1000 });
  const [silent, other] = [await bed.client({ timeOut: 4000 }), await bed.client({ timeOut: 20_000 })];
  await silent.call(create("/e", EPHEMERAL));
  await other.call(exists("/e", true));
  other.take();
  await bed.clock.run(3999);
  assert.equal(await other.outcome(exists("/e")), "OK");
  await bed.clock.run(1002);
  assert.deepEqual(brief(other.take()).slice(1), ["event 2 /e"]);
  assert.equal(silent.isClosed, true);
  assert.equal(bed.server.tracker.size, 1);
  assert.ok(bed.said("info").includes("session expired"));
  assert.match(await bed.word("mntr"), /^zk_stale_sessions_expired\t1$/m);
  await bed.stop();
});

for (const { name, request } of [
  { name: "pings", request: ping },
  { name: "reads", request: getData("/") },
  { name: "writes, even failing ones", request: setData("/none", "x") },
]) {
  test(`a session lives as long as its client shows life: ${name}`, async () => {
    const bed = await TestBed.start({ tickTime: 1000 });
    const client = await bed.client({ timeOut: 3000 });
    for (let i = 0; i < 10; i++) {
      await bed.clock.run(2900);
      await client.call(request);
    }
    assert.equal(client.isClosed, false);
    await bed.clock.run(4001);
    assert.equal(client.isClosed, true);
    assert.equal(bed.server.tracker.size, 0);
    await bed.stop();
  });
}

test("a connection lost is not a session lost", async () => {
  const bed = await TestBed.start({ tickTime: 1000 });
  const client = await bed.client({ timeOut: 4000 });
  await client.call(create("/e", EPHEMERAL));
  client.connection.destroy();
  await bed.clock.run(3900);
  const other = await bed.client();
  assert.equal(await other.outcome(exists("/e")), "OK");
  await bed.clock.run(1200);
  assert.equal(await other.outcome(exists("/e")), "NONODE");
  await bed.stop();
});

test("a session that is ending is not answered any more, for its client would believe that it lives", async () => {
  const bed = await TestBed.start({ tickTime: 1000 });
  const client = await bed.client({ timeOut: 4000 });
  await bed.clock.run(3000);
  bed.disk.syncDelayMs = 5000;
  await bed.clock.run(2000);
  client.take();
  client.send(ping);
  client.send(getData("/"));
  await bed.clock.run(1000);
  assert.deepEqual(brief(client.take()), []);
  assert.equal(client.isClosed, false);
  await bed.clock.run(5000);
  assert.deepEqual(brief(client.take()), []);
  assert.equal(client.isClosed, true);
  await bed.stop();
});

test("thousands of sessions that expire together all end, a slice at a time", async () => {
  const bed = await TestBed.start({ tickTime: 1000, maxClientCnxns: 0 });
  const clients = [];
  for (let i = 0; i < 1000; i++) {
    const client = await bed.connect();
    client.sendHello({ timeOut: 4000 });
    clients.push(client);
  }
  await bed.settle();
  const [first] = clients;
  assert.equal(bed.server.tracker.size, 1000);
  await first?.call(create("/e", EPHEMERAL));
  for (const client of clients) client.connection.destroy();
  await bed.clock.run(6000);
  assert.equal(bed.server.tracker.size, 0);
  assert.equal(bed.server.tree.sessions.size, 0);
  assert.equal(bed.server.tree.owned.ephemeralCount, 0);
  await bed.stop();
});

test("a connection without a session is closed after nio.sessionlessCnxnTimeout, with the bytes it half sent", async () => {
  const bed = await TestBed.start({ "nio.sessionlessCnxnTimeout": 5000 });
  const mute = await bed.connect();
  const half = await bed.connect();
  half.sendBytes(Uint8Array.of(0, 0, 0, 44, 0, 0));
  await bed.clock.run(4900);
  assert.deepEqual([mute.isClosed, half.isClosed], [false, false]);
  await bed.clock.run(6200);
  assert.deepEqual([mute.isClosed, half.isClosed], [true, true]);
  assert.equal(bed.server.listener.size, 0);
  await bed.stop();
});

test("a server that was away for long gives every session its full timeout", async () => {
  const bed = await TestBed.start({ tickTime: 1000 });
  const client = await bed.client({ timeOut: 4000 });
  await client.call(create("/e", EPHEMERAL));
  await bed.stop();
  await bed.clock.run(3_600_000);
  await bed.start();
  await bed.clock.run(3900);
  const again = await bed.client({ ...client.session, timeOut: 4000 });
  assert.equal(await again.outcome(exists("/e")), "OK");
  await bed.stop();
});
