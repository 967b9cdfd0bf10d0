// `node interop/apache.mjs start --port P --data-dir D [--set name=value ...]`
// One Apache ZooKeeper 3.9.5 in the foreground, for experiments.

import { parseArgs } from "node:util";
import { startApache } from "./lib/apache.mjs";

const usage = `usage: node interop/apache.mjs start [--port P] [--data-dir D] [--data-log-dir D] [--log-level L] [--set name=value ...]
  --set zookeeper.x=y, znode.x=y and jute.x=y become Java system properties; any other name a line of zoo.cfg.
  --log-level trace | debug | info | warn | error (default warn)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: "string" },
    "data-dir": { type: "string" },
    "data-log-dir": { type: "string" },
    "log-level": { type: "string" },
    set: { type: "string", multiple: true },
    help: { type: "boolean" },
  },
});

if (values.help || positionals[0] !== "start") {
  console.log(usage);
  process.exit(values.help ? 0 : 1);
}

const config = {};
const properties = {};
for (const pair of values.set ?? []) {
  const at = pair.indexOf("=");
  if (at < 1) throw new Error(`--set ${pair}: write name=value`);
  const name = pair.slice(0, at);
  const target = /^(zookeeper|znode|jute|java)\./.test(name) ? properties : config;
  target[name] = pair.slice(at + 1);
}

const server = await startApache({
  port: values.port === undefined ? undefined : Number(values.port),
  dataDir: values["data-dir"],
  dataLogDir: values["data-log-dir"],
  logLevel: values["log-level"],
  config,
  properties,
  inheritOutput: true,
});
console.log(`Apache ZooKeeper 3.9.5 on ${server.hostPort}, data in ${server.dataDir}, pid ${server.pid}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.stop());
process.exit((await server.exited).code ?? 1);
