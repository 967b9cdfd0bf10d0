/** The client's contract against a test server: over real sockets, and in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientOptions, connect, type ZooKeeper } from "@vivarium/client";
import type { TestServer } from "./index.ts";
import { serverTest } from "./node-test.ts";
import { type ContractCase, loadContract } from "./testing/client-contract.ts";
import { MemoryProxy } from "./testing/memory-proxy.ts";

const { dataCases, sessionCases, exampleCases, runCase } = await loadContract();
const settings = { extendedTypesEnabled: true };
/** Some cases leave sessions to expire. */
const checkLeaks = false;

const realTest = serverTest({ shared: true, settings, checkLeaks });
for (const each of [...dataCases, ...sessionCases, ...exampleCases]) {
  realTest(`real time: ${each.name}`, ({ server }) => runCase(each, server.connectString));
}

/** What cannot be asked of virtual time. */
const realOnly = [
  // It stops the whole process, which no virtual clock notices.
  "a process that was blocked for longer than its session timeout hears of it before its queued work goes on",
  // A four-letter word goes by a socket of its own.
  "sync, getConfig, srvr and the wide directory answer",
];
const virtualCases = [...dataCases, ...sessionCases].filter(({ name }) => !realOnly.includes(name));
const virtualTest = serverTest({ time: "virtual", settings, checkLeaks });
for (const each of virtualCases) {
  virtualTest(`virtual time: ${each.name}`, async ({ server }, context) => {
    const { clock } = server.clientOptions;
    // Where a case waits, virtual time is what it waits for.
    context.mock.method(globalThis, "setTimeout", (action: () => void, ms = 0) => clock.setTimer(ms, action));
    await server.advanceUntil(runVirtually(each, server));
  });
}

/** As the contract's own runCase does over sockets. */
async function runVirtually(each: ContractCase, server: TestServer): Promise<void> {
  const { network } = server.clientOptions;
  const chroot = await server.chroot();
  const clients: ZooKeeper[] = [];
  const proxies: MemoryProxy[] = [];
  const open = async (hosts: string, options: ClientOptions = {}): Promise<ZooKeeper> => {
    const client = await connect(hosts + chroot, { ...server.clientOptions, sessionTimeoutMs: 6000, ...options });
    clients.push(client);
    return client;
  };
  try {
    await each.run({
      server: server.connectString,
      connectString: server.connectString + chroot,
      zk: await open(server.connectString),
      connect: (options) => open(server.connectString, options),
      connectThrough: async (options) => {
        const proxy = await MemoryProxy.start(network, { host: "127.0.0.1", port: server.port });
        proxies.push(proxy);
        return { proxy, zk: await open(proxy.connectString, options) };
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    for (const proxy of proxies) await proxy.stop();
  }
}

test("the contract has cases", () => {
  assert.ok(dataCases.length > 10 && virtualCases.length > 25 && exampleCases.length > 3);
  const names = [...dataCases, ...sessionCases].map(({ name }) => name);
  for (const name of realOnly) assert.ok(names.includes(name), name);
});
