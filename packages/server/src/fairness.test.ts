// What a turn of the event loop has no time for is done in later ones: in order, for everyone, and others are not forgotten.
import assert from "node:assert/strict";
import { test } from "node:test";
import { brief, type RawClient } from "./testing/raw-client.ts";
import { create, getData, ping, setData } from "./testing/requests.ts";
import { TestBed } from "./testing/test-bed.ts";

const CLIENTS = 30;
const PAIRS = 40;

/** Clients that have asked for more than one turn can do: each of them for writes and reads of a node of its own. */
async function crowd(bed: TestBed): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await bed.client());
  for (const [i, client] of clients.entries()) {
    await client.call(create(`/n${i}`));
    client.take();
  }
  bed.slowDown(1);
  for (const [i, client] of clients.entries()) {
    const requests = Array.from({ length: PAIRS }, (_, k) => [setData(`/n${i}`, `${k}`), getData(`/n${i}`)]);
    client.sendTogether(...requests.flat());
  }
  return clients;
}

const settings = { maxClientCnxns: 0, globalOutstandingLimit: 100_000 };

test("everything is answered, in the order of each connection", async () => {
  const bed = await TestBed.start(settings);
  const clients = await crowd(bed);
  await bed.clock.run(100);
  const expected = Array.from({ length: 2 * PAIRS }, (_, k) => `#${k + 2} OK`);
  for (const client of clients) assert.deepEqual(brief(client.take()), expected);
  bed.slowDown(0);
  await bed.stop();
});

test("who asks for little is answered before those who ask for much are done", async () => {
  const bed = await TestBed.start(settings);
  const other = await bed.client();
  const clients = await crowd(bed);
  other.send(ping);
  const unanswered: number[] = [];
  other.connection.onData = () => unanswered.push(clients.filter(({ packets }) => packets.length < 2 * PAIRS).length);
  await bed.clock.run(100);
  assert.deepEqual(unanswered, [CLIENTS]);
  bed.slowDown(0);
  await bed.stop();
});

test("a client that says no more after its requests has them carried out", async () => {
  const bed = await TestBed.start(settings);
  const clients = await crowd(bed);
  for (const { connection } of clients) connection.end();
  await bed.clock.run(100);
  bed.slowDown(0);
  const reader = await bed.client();
  for (let i = 0; i < CLIENTS; i++) assert.equal(await reader.outcome(getData(`/n${i}`)), "OK");
  assert.equal(
    clients.every(({ isClosed }) => isClosed),
    true,
  );
  await bed.stop();
});
