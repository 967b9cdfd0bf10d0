/** Faults on demand, in real time and in virtual time. */
import assert from "node:assert/strict";
import {
  type ClientOptions,
  ConnectionLossError,
  CreateMode,
  RequestTimeoutError,
  type SessionEvent,
  SessionExpiredError,
  type ZooKeeper,
} from "@vivarium/client";
import type { OpName } from "./index.ts";
import { serverTest } from "./node-test.ts";

/** Resolves with the first session event of this type from now on. */
function sessionEvent(client: ZooKeeper, type: SessionEvent["type"]): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onSessionEvent((event) => {
      if (event.type !== type) return;
      stop();
      resolve();
    });
  });
}

const uncertain = (error: unknown): boolean => error instanceof ConnectionLossError && error.mayHaveHappened;

for (const time of ["real", "virtual"] as const) {
  const test = serverTest({ time });
  /** What a promise gives, while time goes by. */
  const during = <T>(server: { advanceUntil<T>(promise: Promise<T>): Promise<T> }, promise: Promise<T>): Promise<T> =>
    time === "virtual" ? server.advanceUntil(promise) : promise;
  const quick: ClientOptions = { backoff: { firstMs: 1, maxMs: 5 } };

  test(`${time} time: a lost reply: the write happened, and nobody told`, async ({ server }) => {
    const client = await server.connect(quick);
    server.dropNextReply("create");
    await assert.rejects(client.create("/ghost"), uncertain);
    assert.deepEqual(server.dump(), { "/ghost": null });
    await during(server, client.create("/next"));
  });

  test(`${time} time: a lost request: the write did not happen, and nobody knows`, async ({ server }) => {
    const client = await server.connect(quick);
    server.dropNextRequest("create");
    await assert.rejects(client.create("/lost"), uncertain);
    await during(server, client.create("/next"));
    assert.deepEqual(server.dump(), { "/next": null });
  });

  test(`${time} time: of several requests in one packet, only what follows the fault is lost`, async ({ server }) => {
    const client = await server.connect(quick);
    await client.create("/n");
    server.dropNextReply("setData");
    const outcomes = await Promise.allSettled([
      client.create("/before"),
      client.setData("/n", "1"),
      client.create("/after"),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected"],
    );
    assert.deepEqual(server.dump(), { "/after": null, "/before": null, "/n": "1" });
    server.dropNextRequest("setData");
    const later = [client.create("/x"), client.setData("/n", "2"), client.create("/y")];
    await during(server, Promise.allSettled(later));
    assert.deepEqual(Object.keys(server.dump()).includes("/y"), false);
    assert.equal(server.node("/n")?.data, "1");
  });

  test(`${time} time: orders wait for their operation, and are used once`, async ({ server }) => {
    const client = await server.connect(quick);
    server.dropNextReply("delete");
    await client.create("/a");
    await client.create("/b");
    await assert.rejects(client.delete("/a"), uncertain);
    await during(server, client.delete("/b"));
  });

  test(`${time} time: the reply to a connect can be lost: the client comes again`, async ({ server }) => {
    server.dropNextReply("connect");
    const client = await during(server, server.connect(quick));
    assert.equal(client.counters.connectAttempts, 2);
    // The session of the lost reply is nobody's now.
    const [ghost, ...others] = server.leaks().sessions;
    assert.ok(ghost !== undefined && others.length === 0);
    await server.expireSession(ghost);
  });

  test(`${time} time: a disconnected session comes back`, async ({ server }) => {
    const client = await server.connect(quick);
    await client.create("/e", null, { mode: CreateMode.EPHEMERAL });
    for (const target of [client, client.session.id, undefined]) {
      const suspended = sessionEvent(client, "suspended");
      const { id } = client.session;
      server.disconnect(target);
      await during(server, suspended);
      await during(server, client.exists("/"));
      assert.equal(client.session.id, id);
    }
    assert.equal(server.node("/e")?.stat.ephemeralOwner, client.session.id);
  });

  test(`${time} time: an expired session is gone with its ephemerals, and its client learns it`, async ({ server }) => {
    const client = await server.connect(quick);
    await client.create("/e", null, { mode: CreateMode.EPHEMERAL });
    const expired = sessionEvent(client, "expired");
    await server.expireSession(client);
    assert.deepEqual(server.dump(), {});
    await during(server, expired);
    await assert.rejects(client.exists("/"), SessionExpiredError);
  });

  test(`${time} time: a paused server answers nobody, then everybody`, async ({ server, client }) => {
    server.pause();
    const late = client.create("/late");
    await assert.rejects(during(server, client.create("/x", null, { timeoutMs: 40 })), RequestTimeoutError);
    await server.seed({ seeded: "past the pause" });
    server.resume();
    await late;
    assert.deepEqual(Object.keys(server.dump()), ["/late", "/seeded", "/x"]);
  });

  test(`${time} time: a client that connects to a paused server is heard after it`, async ({ server }) => {
    server.pause();
    const connecting = server.connect(quick);
    await assert.rejects(during(server, server.connect({ connectTimeoutMs: 30 })), ConnectionLossError);
    server.resume();
    await during(server, connecting);
    // Whoever gave up had asked for a session all the same.
    for (const id of server.leaks().sessions) await server.expireSession(id);
  });

  test(`${time} time: delayed replies keep their order, also when the delay ends`, async ({ server, client }) => {
    const seen: string[] = [];
    const call = (name: string): Promise<unknown> => client.create(`/${name}`).then(() => seen.push(name));
    const startMs = server.clientOptions.clock.monotonicMs();
    server.delay(50);
    const first = call("first");
    await during(server, new Promise<void>((resolve) => whenThere("/first", resolve)));
    server.delay(0);
    const second = call("second");
    await during(server, Promise.all([first, second]));
    assert.deepEqual(seen, ["first", "second"]);
    const tookMs = server.clientOptions.clock.monotonicMs() - startMs;
    assert.ok(tookMs >= 49 && (time === "real" || tookMs < 51), `took ${tookMs} ms`);

    function whenThere(path: string, then: () => void): void {
      if (server.node(path) !== undefined) then();
      else setImmediate(() => whenThere(path, then));
    }
  });

  test(`${time} time: what was sent before the server closes a connection still arrives late`, async ({ server }) => {
    const client = await server.connect();
    server.delay(20);
    await during(server, client.close());
    assert.deepEqual(server.sessions.length, 1);
  });

  test(`${time} time: faults end with reset`, async ({ server }) => {
    server.pause();
    server.delay(60_000);
    server.dropNextReply("create");
    server.dropNextRequest("create");
    await server.reset();
    const client = await server.connect();
    await client.create("/a");
  });
}

const test = serverTest();

test("mistakes are told at once", async ({ server }) => {
  assert.throws(() => server.dropNextReply("creat" as OpName), /no operation "creat".*create, delete/);
  assert.throws(() => server.delay(-1), /delay\(-1\)/);
  assert.throws(() => server.disconnect(5n), /no session 0x5 .*open sessions: 0x[0-9a-f]+/);
});

test("expiring what is not there is refused", async ({ server }) => {
  await assert.rejects(server.expireSession(5n), /no session 0x5/);
});

test("large replies pass a delay whole", async ({ server, client }) => {
  const data = new Uint8Array(900_000).fill(7);
  await client.create("/big", data);
  server.delay(1);
  const replies = await Promise.all(Array.from({ length: 8 }, () => client.getData("/big")));
  for (const reply of replies) assert.ok(reply.data?.equals(data));
});

for (const [what, before, lost] of [
  ["that comes in pieces is lost whole", 0, 900_000],
  ["behind one that comes in pieces is lost", 900_000, 5],
] as const) {
  test(`a request ${what}, and what came before it is not`, async ({ server }) => {
    const client = await server.connect({ backoff: { firstMs: 1 } });
    await client.create("/n", "old");
    server.dropNextRequest("setData");
    const calls = [
      client.create("/before", new Uint8Array(before)),
      client.setData("/n", new Uint8Array(lost)),
      client.create("/after"),
    ];
    await Promise.allSettled(calls);
    await client.create("/next");
    assert.deepEqual(server.node("/")?.children, ["before", "n", "next", "zookeeper"]);
    assert.equal(server.node("/before")?.stat.dataLength, before);
    assert.equal(server.node("/n")?.data, "old");
  });
}

test("four-letter words pass, and nonsense is the server's to judge", async ({ server }) => {
  const { network } = server.clientOptions;
  const ask = (bytes: Uint8Array): Promise<string> =>
    new Promise((resolve) => {
      let answer = "";
      const connection = network.connect({ host: "127.0.0.1", port: server.port });
      connection.onConnect = () => connection.write(bytes);
      connection.onData = (chunk) => {
        answer += Buffer.from(chunk).toString("latin1");
      };
      connection.onClose = () => resolve(answer);
    });
  assert.equal(await ask(Buffer.from("ruok")), "imok");
  assert.equal(await ask(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1)), "");
});
