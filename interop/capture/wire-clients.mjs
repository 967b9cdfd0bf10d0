// `node interop/capture/wire-clients.mjs` writes packages/protocol/src/testdata/wire-clients-3.9.5.json: what the foreign
// clients themselves send to Apache ZooKeeper 3.9.5 and get back, a few frames of each kind. Run by hand; committed.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clients } from "../clients.mjs";
import { startApache } from "../lib/apache.mjs";
import { run } from "../lib/command.mjs";
import { In } from "../lib/jute.mjs";
import { repoDir } from "../lib/paths.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { opName } from "../lib/records.mjs";
import { everythingProperties } from "../lib/write-everything.mjs";

const target = join(repoDir, "packages", "protocol", "src", "testdata", "wire-clients-3.9.5.json");
const perKind = 2;
const longestBytes = 1200;

/** Cuts one direction of one connection into frames. */
class Frames {
  #buffered = Buffer.alloc(0);

  constructor(onFrame) {
    this.onFrame = onFrame;
  }

  push(chunk) {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    while (this.#buffered.length >= 4) {
      const length = this.#buffered.readInt32BE(0);
      if (length < 0 || length > 2_000_000) {
        this.#buffered = Buffer.alloc(0);
        return;
      }
      if (this.#buffered.length < 4 + length) return;
      this.onFrame(this.#buffered.subarray(4, 4 + length));
      this.#buffered = this.#buffered.subarray(4 + length);
    }
  }
}

/** Names the frames of one connection: the first each way is `connect`, a response has its request's op. */
function connectionOf(keep) {
  const ops = new Map();
  const isFirst = { request: true, response: true };
  return {
    request: new Frames((payload) => {
      if (isFirst.request) {
        isFirst.request = false;
        keep("request", "connect", "", payload);
        return;
      }
      const input = new In(payload);
      const [xid, type] = [input.int(), input.int()];
      ops.set(xid, [...(ops.get(xid) ?? []), opName(type)]);
      keep("request", opName(type), "", payload);
    }),
    response: new Frames((payload) => {
      if (isFirst.response) {
        isFirst.response = false;
        keep("response", "connect", payload.readInt32BE(4) > 0 ? "" : "expired", payload);
        return;
      }
      const input = new In(payload);
      const [xid, , err] = [input.int(), input.long(), input.int()];
      if (xid === -1) keep("event", "notification", input.int(), payload);
      else keep("response", ops.get(xid)?.shift() ?? `unmatched xid ${xid}`, err, payload);
    }),
  };
}

const entries = [];
for (const client of clients) {
  await client.prepare();
  const server = await startApache({ config: { tickTime: 500 }, properties: everythingProperties });
  const counts = new Map();
  const keep = (direction, op, detail, payload) => {
    const kind = `${direction} ${op} ${detail}`;
    const count = (counts.get(kind) ?? 0) + 1;
    if (count > perKind || payload.length > longestBytes) return;
    counts.set(kind, count);
    entries.push({ client: client.name, direction, op, hex: payload.toString("hex") });
  };
  const connections = new Map();
  const proxy = await startProxy({
    port: server.port,
    onChunk(connection, fromClient, chunk) {
      if (!connections.has(connection)) connections.set(connection, connectionOf(keep));
      connections.get(connection)[fromClient ? "request" : "response"].push(chunk);
    },
  });
  const address = `127.0.0.1:${proxy.port}`;
  const command = await client.command({ address, controlPort: String(proxy.controlPort), direct: server.hostPort });
  const { code } = await run(command.file, command.args, { timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`${client.name} failed against Apache`);
  proxy.stop();
  await server.stop();
  rmSync(server.dataDir, { recursive: true, force: true });
}
writeFileSync(target, `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
console.log(`${entries.length} frames in ${target}`);
