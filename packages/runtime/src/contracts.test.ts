/** Every form of every port, held to the same contract. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  MemoryDisk,
  MemoryNetwork,
  NodeClock,
  NodeDisk,
  NodeNetwork,
  NodeRandom,
  SeededRandom,
  VirtualClock,
} from "./index.ts";
import { clockContract } from "./testing/clock-contract.ts";
import { diskContract } from "./testing/disk-contract.ts";
import { networkContract } from "./testing/network-contract.ts";
import { randomContract } from "./testing/random-contract.ts";

const atOnce = <T>(promise: Promise<T>): Promise<T> => promise;
const scratch = mkdtempSync(join(tmpdir(), "vivarium-runtime-"));
after(() => rmSync(scratch, { recursive: true }));

clockContract("NodeClock", () => ({ clock: new NodeClock(), pass: (ms) => sleep(ms) }));
clockContract("VirtualClock", () => {
  const clock = new VirtualClock();
  return { clock, pass: (ms) => clock.run(ms) };
});

randomContract("NodeRandom", () => new NodeRandom());
randomContract("SeededRandom", () => new SeededRandom(1));

networkContract("NodeNetwork", () => ({ network: new NodeNetwork(), host: "127.0.0.1", settle: atOnce }));
networkContract("NodeNetwork that lends its input", () => {
  return { network: new NodeNetwork(), host: "127.0.0.1", lendsInput: true, settle: atOnce };
});
networkContract("MemoryNetwork that lends its input", () => {
  const network = new MemoryNetwork({ clock: new NodeClock() });
  return { network: network.host("10.0.0.1"), host: "10.0.0.1", lendsInput: true, settle: atOnce };
});
networkContract("MemoryNetwork", () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, latencyMs: () => 3 });
  return { network: network.host("10.0.0.1"), host: "10.0.0.1", settle: (promise) => clock.runUntil(promise) };
});
networkContract("MemoryNetwork without latency, in real time", () => {
  const network = new MemoryNetwork({ clock: new NodeClock() });
  return { network: network.host("10.0.0.1"), host: "10.0.0.1", settle: atOnce };
});

diskContract("NodeDisk", () => ({
  disk: new NodeDisk(),
  directory: mkdtempSync(join(scratch, "disk-")),
  settle: atOnce,
}));
diskContract("MemoryDisk", () => {
  const clock = new VirtualClock();
  return {
    disk: new MemoryDisk({ clock, random: new SeededRandom(1) }),
    directory: "/",
    settle: (promise) => clock.runUntil(promise),
  };
});
