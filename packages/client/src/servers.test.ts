import assert from "node:assert/strict";
import { test } from "node:test";
import { Stat } from "@vivarium/protocol";
import { type MemoryNetwork, SeededRandom } from "@vivarium/runtime";
import { ZooKeeper } from "./index.ts";
import { startBench } from "./testing/bench.ts";
import { ScriptedServer, someStat } from "./testing/scripted-server.ts";

test("dns-srv: the record is asked at the start and again after each failed round", async () => {
  let records = [{ name: "10.0.0.9.", port: 2181 }];
  let asked = 0;
  let second: ScriptedServer | undefined;
  const bench = await startBench({
    connectString: "dns-srv://zk.example.org/app",
    resolveSrv: (name) => {
      assert.equal(name, "zk.example.org");
      asked++;
      return Promise.resolve(records);
    },
    prepare: async (_, network: MemoryNetwork) => {
      second = await ScriptedServer.start({ network, address: "10.0.0.2" });
    },
  });
  await bench.run(50);
  assert.notEqual(bench.zk.state, "connected");
  records = [{ name: "10.0.0.2", port: 2181 }];
  await bench.run(2000);
  assert.equal(bench.zk.state, "connected");
  assert.ok(asked >= 2 && asked < 20);
  assert.equal(second?.connects.length, 1);
  assert.equal(bench.zk.chrootPath, "/app");
});

test("dns-srv: a record that cannot be resolved is named, and asked again", async () => {
  let fails = true;
  const bench = await startBench({
    connectString: "dns-srv://zk.example.org",
    resolveSrv: () =>
      fails ? Promise.reject(new Error("ENOTFOUND")) : Promise.resolve([{ name: "10.0.0.1", port: 2181 }]),
  });
  const [event] = bench.events;
  assert.ok(event?.type === "connectFailed" && event.server === "dns-srv://zk.example.org");
  fails = false;
  await bench.run(1500);
  assert.equal(bench.zk.state, "connected");
});

test("each attempt asks for its server by name, so that the name is resolved anew", async () => {
  const asked: string[] = [];
  const bench = await startBench();
  const host = bench.network.host("10.0.1.2");
  const zk = new ZooKeeper("zk.example.org:2181,[::1]:2182", {
    clock: bench.clock,
    random: new SeededRandom(1),
    network: {
      connect: ({ host: name, port }) => {
        asked.push(`${name} ${port}`);
        return host.connect({ host: "10.0.0.9", port });
      },
    },
  });
  await bench.run(2000);
  await Promise.all([zk.close(), bench.run(1)]);
  assert.ok(asked.length >= 4, asked.join());
  assert.deepEqual([...new Set(asked)].sort(), ["::1 2182", "zk.example.org 2181"]);
});

test("a read-only session looks for a server with a quorum and moves there", async () => {
  let other: ScriptedServer | undefined;
  const bench = await startBench({
    connectString: "10.0.0.1:2181,10.0.0.2:2181",
    readOnly: true,
    prepare: async (server, network) => {
      server.readOnly = true;
      other = await ScriptedServer.start({ network, address: "10.0.0.2" });
      other.readOnly = true;
    },
  });
  await bench.run(50);
  assert.equal(bench.zk.state, "readOnly");
  const writable = bench.zk.server.startsWith("10.0.0.1") ? other : bench.server;
  assert.ok(writable !== undefined);
  writable.isro = "ro";
  await bench.run(500);
  assert.equal(bench.zk.state, "readOnly");
  writable.readOnly = false;
  writable.isro = "rw";
  await bench.run(2000);
  assert.equal(bench.zk.state, "connected");
  const connected = bench.events.at(-1);
  // The session of a read-only server means nothing to the others.
  assert.ok(connected?.type === "connected" && !connected.resumed);
  assert.equal(writable.connects.at(-1)?.sessionId, 0n);
});

test("trackConfig: servers of the configuration are used as well", async () => {
  let other: ScriptedServer | undefined;
  const bench = await startBench({
    trackConfig: true,
    prepare: async (server, network) => {
      other = await ScriptedServer.start({ network, address: "10.0.0.2" });
      server.on("getData", ({ xid }, connection) => {
        connection.reply(xid, 0, (writer) => {
          writer.buffer(Buffer.from("server.2=10.0.0.2:2888:3888:participant;0.0.0.0:2181\nversion=0"));
          Stat.write(writer, someStat);
        });
      });
    },
  });
  await bench.run(50);
  await bench.server.stop();
  bench.server.last.close();
  await bench.run(2000);
  assert.equal(bench.zk.state, "connected");
  assert.equal(bench.zk.server, "10.0.0.2:2181");
  assert.equal(other?.connects.length, 1);
});

test("a new list moves a connected client only when its server is not in it", async () => {
  const bench = await startBench({
    prepare: async (_, network) => {
      await ScriptedServer.start({ network, address: "10.0.0.2" });
    },
  });
  bench.zk.updateServerList("10.0.0.2:2181");
  await bench.run(500);
  assert.deepEqual([bench.zk.state, bench.zk.server], ["connected", "10.0.0.2:2181"]);
  assert.equal(bench.events.filter((event) => event.type === "serversChanged").length, 1);
});
