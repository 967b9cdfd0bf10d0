// Output for thousands leaves in several turns of the event loop, each of them short; nothing is lost or doubled.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Connection, type Network, VirtualClock } from "@vivarium/runtime";
import { ClientConnection } from "./client-connection.ts";
import { ClientListener, type ClientService } from "./client-listener.ts";
import { collectLogs, LogThrottle } from "./log/index.ts";
import { ServerStats } from "./server-stats.ts";

/** A clock on which nothing takes time but what the test says. */
class Workday extends VirtualClock {
  spentMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.spentMs;
  }
}

/** Milliseconds that a write takes: a turn has time for two slices. */
const WRITE_MS = 0.2;

function given(count: number) {
  const clock = new Workday();
  const limits = { maxClientCnxns: 0, maxCnxns: 0, sessionlessTimeoutMs: 1000, maxFrameBytes: 1000 };
  const log = new LogThrottle({ logger: collectLogs().logger, now: () => clock.monotonicMs() });
  const stats = new ServerStats();
  const listener = new ClientListener({ clock, limits, stats, log, fourLetterWord: () => false });
  const writes: number[] = [];
  const connections = Array.from({ length: count }, (_, id) => {
    const socket = {
      remoteAddress: "10.0.0.9",
      bufferedBytes: 0,
      write: () => {
        clock.spentMs += WRITE_MS;
        writes.push(id);
        return true;
      },
    } as unknown as Connection;
    return new ClientConnection({ id, socket, host: listener, maxFrameBytes: 1000, nowMs: 0, wallMs: 0 });
  });
  return { clock, listener, connections, writes };
}

for (const { count, firstTurn } of [
  { count: 16, firstTurn: 16 },
  { count: 1000, firstTurn: 32 },
]) {
  test(`of ${count} connections with output, ${firstTurn} get it in the first turn, and all soon and once`, async () => {
    const { clock, listener, connections, writes } = given(count);
    for (const connection of connections) connection.append(new Uint8Array(8));
    listener.budget.begin(clock.monotonicMs());
    listener.flush();
    assert.equal(writes.length, firstTurn);
    await clock.run(0);
    assert.deepEqual(writes, Array.from(connections.keys()));
  });
}

test("what is added meanwhile goes out behind, in one write with what waits", async () => {
  const { clock, listener, connections, writes } = given(200);
  for (const connection of connections) connection.append(new Uint8Array(8));
  listener.budget.begin(clock.monotonicMs());
  listener.flush();
  assert.equal(writes.length, 32);
  for (const connection of connections) connection.append(new Uint8Array(8));
  await clock.run(0);
  assert.deepEqual(writes.slice(0, 200), Array.from(connections.keys()));
  assert.deepEqual(
    writes.slice(200),
    Array.from({ length: 32 }, (_, id) => id),
  );
});

test("of connections that all say something at once, a turn attends to some, and later ones to the others, in order", async () => {
  const { clock, listener } = given(0);
  const attended: string[] = [];
  listener.service = {
    connect: ({ peer }: ClientConnection) => {
      clock.spentMs += WRITE_MS;
      attended.push(peer);
    },
  } as unknown as ClientService;
  const sockets: Connection[] = [];
  const listening: Network = {
    connect: () => assert.fail("it only listens"),
    listen: (_, onConnection) => {
      for (let port = 0; port < 1000; port++) {
        const socket = { remoteAddress: "10.0.0.9", remotePort: port } as unknown as Connection;
        onConnection(socket);
        sockets.push(socket);
      }
      return Promise.resolve({ host: "10.0.0.1", port: 2181, close: () => Promise.resolve() });
    },
  };
  await listener.listen(listening, { host: undefined, port: 2181, backlog: 0, keepAlive: false, busyPollMs: 0 });
  for (const socket of sockets) socket.onData(Uint8Array.of(0, 0, 0, 1, 0));
  assert.equal(attended.length, 20);
  await clock.run(0);
  assert.deepEqual(
    attended,
    sockets.map(({ remotePort }) => `10.0.0.9:${remotePort}`),
  );
  await listener.close();
});
