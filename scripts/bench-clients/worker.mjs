// One client in a process of its own: `node worker.mjs client host:port ops`. Prints its numbers as JSON.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PerformanceObserver, performance } from "node:perf_hooks";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const [name, server, opsText] = process.argv.slice(2);
const ops = Number(opsText);
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const require = createRequire(pathToFileURL(join(root, "interop", ".cache", "npm", "package.json")));
const path = "/bench-clients";
const data = Buffer.alloc(1024, 7);

const clients = {
  async vivarium() {
    const { connect } = await import(join(root, "packages", "client", "dist", "index.js"));
    const zk = await connect(server);
    await zk.create(path, data).catch(() => undefined);
    return { get: () => zk.getData(path), set: () => zk.setData(path, data), close: () => zk.close() };
  },
  async "node-zookeeper-client"() {
    const client = require("node-zookeeper-client").createClient(server);
    const call = (method, ...args) =>
      new Promise((resolve, reject) =>
        client[method](...args, (error, value) => (error ? reject(error) : resolve(value))),
      );
    const connected = new Promise((resolve) => client.once("connected", resolve));
    client.connect();
    await connected;
    await call("create", path, data).catch(() => undefined);
    return { get: () => call("getData", path), set: () => call("setData", path, data), close: () => client.close() };
  },
  async zookeeper() {
    const ZooKeeper = require("zookeeper");
    const config = { connect: server, timeout: 30_000, debug_level: ZooKeeper.constants.ZOO_LOG_LEVEL_ERROR };
    const client = new ZooKeeper(config);
    const connected = new Promise((resolve) => client.once("connect", resolve));
    client.init(config);
    await connected;
    await client.create(path, data, 0).catch(() => undefined);
    return { get: () => client.get(path, false), set: () => client.set(path, data, -1), close: () => client.close() };
  },
};

const sequential = async (op, count) => {
  for (let i = 0; i < count; i++) await op();
};
const pipelined = async (op, count) => {
  for (let done = 0; done < count; done += 500) await Promise.all(Array.from({ length: 500 }, op));
};

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ["gc"] });

/** Bytes of heap and of buffers per operation, over a stretch in which nothing was collected. */
async function allocated(run, op) {
  const count = 500;
  for (let attempt = 0; attempt < 20; attempt++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = process.memoryUsage();
    const collectionsBefore = collections;
    await run(op, count);
    const after = process.memoryUsage();
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (collections !== collectionsBefore) continue;
    return (after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers) / count;
  }
  return null;
}

const client = await clients[name]();
const rows = [
  { row: "sequential get", run: sequential, op: client.get, count: ops / 4 },
  { row: "sequential set", run: sequential, op: client.set, count: ops / 5 },
  { row: "pipelined get", run: pipelined, op: client.get, count: ops },
  { row: "pipelined set", run: pipelined, op: client.set, count: ops },
];
const results = [];
for (const { row, run, op, count } of rows) {
  await run(op, Math.max(500, count / 5));
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await run(op, count);
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  results.push({
    row,
    perSecond: count / seconds,
    cpuUs: (cpu.user + cpu.system) / count,
    bytes: await allocated(run, op),
  });
}
console.log(JSON.stringify(results));
await client.close();
process.exit(0);
