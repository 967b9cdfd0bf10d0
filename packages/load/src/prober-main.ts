/** The thread of a prober. */
import { parentPort, workerData } from "node:worker_threads";
import { OpCode } from "@vivarium/protocol";
import { NodeNetwork } from "@vivarium/runtime";
import { bodies } from "./bodies.ts";
import { Histogram } from "./histogram.ts";
import type { Probe, ProberTask } from "./prober.ts";
import { LoadSession } from "./session.ts";

const PAUSE_MS = 1;

const { address, path } = workerData as ProberTask;
const port = parentPort;
if (port === null) throw new Error("prober-main.ts is a thread of prober.ts");
const session = await LoadSession.open(new NodeNetwork(), address);
const body = bodies.read(path);
let pings = new Histogram();
let reads = new Histogram();
let sentMs = 0;
let waitsFor: "ping" | "read" | "nothing" = "nothing";

const waited = () => (performance.now() - sentMs) * 1000;
const read = () => {
  waitsFor = "read";
  sentMs = performance.now();
  session.send(OpCode.getData, body);
  session.flush();
};
const ping = () => {
  waitsFor = "ping";
  sentMs = performance.now();
  session.ping();
};
session.onPing = () => {
  pings.add(waited());
  read();
};
session.onReply = () => {
  reads.add(waited());
  waitsFor = "nothing";
  setTimeout(ping, PAUSE_MS);
};
session.onLost = (error) => {
  throw error;
};
port.on("message", () => {
  // What is still waiting counts with what it has waited so far.
  const most = (kind: "ping" | "read", { mostUs }: Histogram) => Math.max(mostUs, waitsFor === kind ? waited() : 0);
  const probe: Probe = {
    pings: pings.count,
    pingMostUs: most("ping", pings),
    readMostUs: most("read", reads),
  };
  pings = new Histogram();
  reads = new Histogram();
  port.postMessage(probe);
});
ping();
port.postMessage({ pings: 0, pingMostUs: 0, readMostUs: 0 } satisfies Probe);
