import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryNetwork, NodeClock, SeededRandom } from "@vivarium/runtime";
import { connect } from "./index.ts";
import { ScriptedServer } from "./testing/scripted-server.ts";

/** In real time: a session of 300 ms, and what fell due while the process was blocked for 400 ms. */
async function blocked(stallGuard: boolean): Promise<string[]> {
  const clock = new NodeClock();
  const network = new MemoryNetwork({ clock });
  await ScriptedServer.start({ network, timeoutMs: 300 });
  const options = { clock, network: network.host("10.0.1.1"), random: new SeededRandom(1), stallGuard };
  const zk = await connect("10.0.0.1:2181", { sessionTimeoutMs: 300, ...options });
  const order: string[] = [];
  zk.onSessionEvent((event) => order.push(event.type));
  const timers = [0, 50].map((ms) => new Promise((resolve) => setTimeout(() => resolve(order.push("timer")), ms)));
  setImmediate(() => order.push("immediate"));
  await Promise.resolve().then(() => {
    for (const until = performance.now() + 400; performance.now() < until; );
  });
  order.push("continuation");
  await Promise.all(timers);
  await zk.close();
  return order;
}

test("a process that was blocked hears of the possible loss before its continuations, immediates and timers", async () => {
  const order = await blocked(true);
  assert.equal(order[0], "maybeExpired", order.join());
  for (const each of ["continuation", "immediate", "timer"]) assert.ok(order.includes(each), order.join());
});

test("without the guard nothing looks at the callbacks of the process", async () => {
  assert.equal((await blocked(false))[0], "continuation");
});

test("whoever asks for the state after a stop is told at once", async () => {
  const clock = new NodeClock();
  const network = new MemoryNetwork({ clock });
  await ScriptedServer.start({ network, timeoutMs: 200 });
  const options = { clock, network: network.host("10.0.1.1"), stallGuard: false };
  const zk = await connect("10.0.0.1:2181", { sessionTimeoutMs: 200, ...options });
  const events: string[] = [];
  zk.onSessionEvent((event) => events.push(event.type));
  for (const until = performance.now() + 220; performance.now() < until; );
  assert.equal(zk.state, "maybeExpired");
  assert.deepEqual(events, ["maybeExpired"]);
  await zk.close();
});
