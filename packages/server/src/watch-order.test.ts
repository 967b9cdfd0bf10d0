// A client learns that a node has changed before it can see the change, whoever made it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AddWatchMode, CreateMode, EventType, Perms } from "@vivarium/protocol";
import { brief, dataOf, type Packet } from "./testing/raw-client.ts";
import {
  addWatch,
  auth,
  closeSession,
  create,
  exists,
  getChildren,
  getData,
  remove,
  setData,
} from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

test("the event of one's own write comes before its reply", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  await client.call(exists("/a", true));
  await client.call(getChildren("/", true));
  client.take();
  await client.call(create("/a"));
  assert.deepEqual(brief(client.take()), ["event 1 /a", "event 4 /", "#3 OK"]);
  await client.call(getData("/a", true));
  client.take();
  await client.call(setData("/a", "x"));
  assert.deepEqual(brief(client.take()), ["event 3 /a", "#5 OK"]);
  await client.call(setData("/a", "y"));
  assert.deepEqual(brief(client.take()), ["#6 OK"], "a watch fires once");
  await bed.stop();
});

test("no reply shows another session's change before its event, at whatever moment it is asked for", async () => {
  const bed = await TestBed.start();
  const [writer, reader] = [await bed.client(), await bed.client()];
  await writer.call(create("/a", { data: "old" }));
  await reader.call(getData("/a", true));
  reader.take();
  bed.disk.syncDelayMs = 10;
  writer.send(setData("/a", "new"));
  for (let ms = 0; ms < 30; ms++) {
    reader.send(getData("/a"));
    reader.send(exists("/a"));
    await bed.clock.run(1);
  }
  const packets = reader.take();
  const eventAt = packets.findIndex(({ kind }) => kind === "event");
  const isNew = (packet: Packet) => packet.kind === "reply" && packet.body.length > 68 && dataOf(packet) === "new";
  const firstNew = packets.findIndex(isNew);
  assert.ok(eventAt > 0, "some replies still showed the old data");
  assert.ok(firstNew > eventAt);
  assert.equal(packets[eventAt]?.zxid, bed.server.lastProcessedZxid, "the event says which transaction it is of");
  bed.disk.syncDelayMs = 0;
  await bed.stop();
});

test("when a session ends, watchers hear of each of its ephemerals, with the zxid of its end", async () => {
  const bed = await TestBed.start();
  const [owner, watcher] = [await bed.client(), await bed.client()];
  await owner.call(create("/e1", { mode: CreateMode.EPHEMERAL }));
  await owner.call(create("/e2", { mode: CreateMode.EPHEMERAL }));
  await watcher.call(addWatch("/", AddWatchMode.PERSISTENT_RECURSIVE));
  watcher.take();
  await owner.call(closeSession);
  const events = watcher.take();
  assert.deepEqual(brief(events).toSorted(), [
    `event ${EventType.NodeDeleted} /e1`,
    `event ${EventType.NodeDeleted} /e2`,
  ]);
  assert.deepEqual(
    events.map(({ zxid }) => zxid),
    [bed.server.lastProcessedZxid, bed.server.lastProcessedZxid],
  );
  await bed.stop();
});

test("an event of a node that its watcher may not read does not reach it, and uses up the watch", async () => {
  const bed = await TestBed.start();
  const [owner, other] = [await bed.client(), await bed.client()];
  await owner.call(auth("digest", "owner:secret"));
  await other.call(exists("/a", true));
  other.take();
  await owner.call(create("/a", { acl: [{ perms: Perms.ALL, id: { scheme: "auth", id: "" } }] }));
  assert.deepEqual(other.take(), []);
  await owner.call(remove("/a"));
  await bed.settle();
  assert.deepEqual(other.take(), []);
  assert.equal(bed.server.tree.watches.size, 0);
  await bed.stop();
});

test("watches end with their connection, though the session goes on", async () => {
  const bed = await TestBed.start();
  const [first, writer] = [await bed.client(), await bed.client()];
  await first.call(exists("/a", true));
  await first.call(addWatch("/", AddWatchMode.PERSISTENT_RECURSIVE));
  assert.ok(bed.server.tree.watches.size > 0);
  first.connection.destroy();
  await bed.settle();
  assert.equal(bed.server.tree.watches.size, 0);
  const second = await bed.client(first.session);
  await writer.call(create("/a"));
  assert.deepEqual(second.take(), []);
  await bed.stop();
});
