// `node interop/capture/wire.mjs` writes packages/protocol/src/testdata/wire-3.9.5.json: one of everything that
// crosses the client port of a real Apache ZooKeeper 3.9.5. Run by hand; the result is committed.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApache } from "../lib/apache.mjs";
import { freePort } from "../lib/net.mjs";
import { repoDir } from "../lib/paths.mjs";
import { RawClient } from "../lib/raw-client.mjs";
import { openAcl } from "../lib/records.mjs";

const target = join(repoDir, "packages", "protocol", "src", "testdata", "wire-3.9.5.json");
const readOnlyAcl = [{ perms: 1, scheme: "world", id: "anyone" }];
const digestAcl = [{ perms: 31, scheme: "digest", id: "alice:iUnL3cVsuiT3jpPP1j1E6U6uaaU=" }];

const entries = [];
let label = "";

/** JSON has neither bytes nor 64-bit numbers: bytes become `hex:...`, 64-bit numbers decimal strings. */
function plain(value) {
  if (typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return `hex:${value.toString("hex")}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const skip = new Set(["payload", "port", "onFrame", "keepArrivals"]);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (skip.has(key) ? [] : [[key, plain(each)]])),
  );
}

function onFrame(direction, op, payload, value) {
  entries.push({ name: label, direction, op, hex: payload.toString("hex"), value: plain(value) });
}

/** Runs one step with its own name in the file. */
async function step(name, action) {
  label = name;
  return await action();
}

/** Runs `[name, op, fields, options]` steps one after the other. */
async function calls(client, list) {
  for (const [name, op, fields, options] of list) await step(name, () => client.call(op, fields, options));
}

const c = (op, path, more = {}) => ({ op, path, ...more });

const creates = [
  ["create persistent", "create", { path: "/a", data: "hello" }],
  ["create with null data", "create", { path: "/null", data: null }],
  ["create with empty data", "create", { path: "/empty", data: "" }],
  ["create with a UTF-8 path", "create", { path: "/zażółć-日本", data: "x" }],
  ["create sequential", "create", { path: "/a/s-", flags: 2 }],
  ["create ephemeral", "create", { path: "/eph", flags: 1 }],
  ["create ephemeral sequential", "create", { path: "/a/es-", flags: 3 }],
  ["create2 persistent", "create2", { path: "/a/c2", data: "two" }],
  ["create2 sequential", "create2", { path: "/a/s2-", flags: 2 }],
  ["createContainer", "createContainer", { path: "/container", flags: 4 }],
  ["createTTL", "createTTL", { path: "/ttl", data: "t", flags: 5, ttl: 3_600_000n }],
  ["createTTL sequential", "createTTL", { path: "/ttl-", flags: 6, ttl: 1_099_511_627_775n }],
  ["create with several ACLs", "create", { path: "/acls", acl: [...digestAcl, ...readOnlyAcl] }],
  ["create with the digest ACL", "create", { path: "/private", data: "secret", acl: digestAcl }],
  ["create NODEEXISTS", "create", { path: "/a" }],
  ["create NONODE", "create", { path: "/no/where" }],
  ["create INVALIDACL", "create", { path: "/bad", acl: [] }],
  ["create null ACL", "create", { path: "/bad", acl: null }],
  ["create BADARGUMENTS", "create", { path: "/bad//path" }],
  ["create bad flags", "create", { path: "/bad", flags: 99 }],
  ["create NOCHILDRENFOREPHEMERALS", "create", { path: "/eph/child" }],
];

const reads = [
  ["exists", "exists", { path: "/a" }],
  ["exists NONODE", "exists", { path: "/none" }],
  ["getData", "getData", { path: "/a" }],
  ["getData of null data", "getData", { path: "/null" }],
  ["getData of empty data", "getData", { path: "/empty" }],
  ["getData of an ephemeral", "getData", { path: "/eph" }],
  ["getData of a container", "getData", { path: "/container" }],
  ["getData of a TTL node", "getData", { path: "/ttl" }],
  ["getData NONODE", "getData", { path: "/none" }],
  ["getData NOAUTH", "getData", { path: "/private" }],
  ["getACL", "getACL", { path: "/acls" }],
  ["getACL of the open ACL", "getACL", { path: "/a" }],
  ["getChildren", "getChildren", { path: "/a" }],
  ["getChildren of a leaf", "getChildren", { path: "/null" }],
  ["getChildren2", "getChildren2", { path: "/a" }],
  ["getChildren2 of the root", "getChildren2", { path: "/" }],
  ["getAllChildrenNumber", "getAllChildrenNumber", { path: "/" }],
  ["getEphemerals", "getEphemerals", { prefixPath: "/" }],
  ["getEphemerals of nothing", "getEphemerals", { prefixPath: "/none" }],
  ["whoAmI", "whoAmI", {}],
  ["sync", "sync", { path: "/a" }],
  ["ping", "ping", {}],
  ["reconfig RECONFIGDISABLED", "reconfig", { joining: "server.2=127.0.0.1:1:2;3" }],
];

const writes = [
  ["setData", "setData", { path: "/a", data: "changed", version: 0 }],
  ["setData null", "setData", { path: "/a", data: null }],
  ["setData BADVERSION", "setData", { path: "/a", data: "x", version: 7 }],
  ["setACL", "setACL", { path: "/a/c2", acl: readOnlyAcl, version: 0 }],
  ["setACL BADVERSION", "setACL", { path: "/a/c2", acl: openAcl, version: 5 }],
  ["delete", "delete", { path: "/empty", version: 0 }],
  ["delete NOTEMPTY", "delete", { path: "/a" }],
  ["delete NONODE", "delete", { path: "/empty" }],
  ["delete BADVERSION", "delete", { path: "/null", version: 3 }],
  ["delete BADARGUMENTS", "delete", { path: "/zookeeper" }],
];

const multis = [
  [
    "multi of everything",
    "multi",
    {
      ops: [
        c("create", "/m", { data: "m" }),
        c("create", "/m/s-", { flags: 2 }),
        c("create2", "/m/2", { data: "2" }),
        c("createContainer", "/m/c", { flags: 4 }),
        c("createTTL", "/m/t", { flags: 5, ttl: 60_000n }),
        c("setData", "/m/2", { data: "22", version: 0 }),
        c("check", "/m", { version: 0 }),
        c("create", "/m/gone"),
        c("delete", "/m/gone"),
        c("create", "/m/eph", { flags: 1 }),
      ],
    },
  ],
  [
    "multi that fails",
    "multi",
    { ops: [c("create", "/m/x"), c("check", "/m", { version: 9 }), c("setData", "/m/2", { data: "never" })] },
  ],
  ["multi of nothing", "multi", { ops: [] }],
  ["multi with a read", "multi", { ops: [c("getData", "/m")] }],
  [
    "multiRead",
    "multiRead",
    { ops: [c("getData", "/m"), c("getChildren", "/m"), c("getData", "/none"), c("getData", "/private")] },
  ],
  ["multiRead of nothing", "multiRead", { ops: [] }],
];

async function watches(client, other) {
  await calls(client, [
    ["exists with watch", "exists", { path: "/w", watch: true }],
    ["getChildren with watch", "getChildren", { path: "/", watch: true }],
  ]);
  await step("notifications created and children changed", async () => {
    await other.ask("create", { path: "/w" });
    await client.nextEvent();
    await client.nextEvent();
  });
  await calls(client, [["getData with watch", "getData", { path: "/w", watch: true }]]);
  await step("notification data changed", async () => {
    await other.ask("setData", { path: "/w", data: "w" });
    await client.nextEvent();
  });
  await calls(client, [
    ["getData with watch again", "getData", { path: "/w", watch: true }],
    ["checkWatches data", "checkWatches", { path: "/w", type: 2 }],
    ["checkWatches NOWATCHER", "checkWatches", { path: "/w", type: 1 }],
    ["checkWatches bad type", "checkWatches", { path: "/w", type: 9 }],
    ["removeWatches data", "removeWatches", { path: "/w", type: 2 }],
    ["removeWatches NOWATCHER", "removeWatches", { path: "/w", type: 3 }],
    ["addWatch persistent", "addWatch", { path: "/w", mode: 0 }],
    ["addWatch recursive", "addWatch", { path: "/a", mode: 1 }],
    ["addWatch bad mode", "addWatch", { path: "/a", mode: 7 }],
  ]);
  await step("notification deleted", async () => {
    await other.ask("create", { path: "/a/deep" });
    await client.nextEvent();
    await other.ask("delete", { path: "/w" });
    await client.nextEvent();
  });
  const data = { relativeZxid: 1n, data: ["/a", "/w"], exist: ["/none", "/a"], child: ["/a"] };
  await calls(client, [
    ["setWatches", "setWatches", data],
    ["setWatches2", "setWatches2", { ...data, persistent: ["/m"], persistentRecursive: ["/m/deep"] }],
  ]);
}

async function auth(port) {
  const client = await step("connect for auth", () => RawClient.connect({ port, onFrame }));
  await calls(client, [
    ["auth digest", "auth", { scheme: "digest", auth: "alice:secret" }],
    ["whoAmI with digest", "whoAmI", {}],
    ["create with the auth scheme", "create", { path: "/authed", acl: [{ perms: 31, scheme: "auth", id: "" }] }],
    ["getACL of auth", "getACL", { path: "/authed" }],
    ["auth unknown scheme", "auth", { scheme: "nosuch", auth: "x" }],
  ]);
  await client.whenClosed;
}

async function connects(port) {
  const old = await step("old connect without the read-only byte", () =>
    RawClient.connect({ port, onFrame, readOnly: "absent" }),
  );
  old.destroy();
  const { sessionId, passwd } = old;
  const again = await step("connect resumed", () =>
    RawClient.connect({ port, onFrame, sessionId, passwd, timeOut: 9000 }),
  );
  again.destroy();
  await step("connect with a wrong password", async () => {
    const client = await RawClient.connect({ port, onFrame, sessionId, passwd: Buffer.alloc(16, 1) });
    await client.whenClosed;
  });
  await step("old connect to an unknown session", async () => {
    const client = await RawClient.connect({ port, onFrame, sessionId: 77n, passwd, readOnly: "absent" });
    await client.whenClosed;
  });
  const top = await step("connect for refusals", () => RawClient.connect({ port, onFrame, readOnly: true }));
  await step("check at top level is UNIMPLEMENTED", () => top.call("check", { path: "/a" }));
  await top.whenClosed;
}

/** A one-server ensemble, the smallest place where reconfig succeeds. */
async function reconfig() {
  const dataDir = mkdtempSync(join(tmpdir(), "interop-"));
  writeFileSync(join(dataDir, "myid"), "1");
  const [quorumPort, electionPort, port] = [await freePort(), await freePort(), await freePort()];
  const member = `127.0.0.1:${quorumPort}:${electionPort}:participant;127.0.0.1:${port}`;
  const config = { standaloneEnabled: false, reconfigEnabled: true, initLimit: 5, syncLimit: 5, "server.1": member };
  const server = await startApache({
    dataDir,
    port,
    config,
    properties: { "zookeeper.skipACL": "yes" },
    inConfig: false,
  });
  const client = await step("connect to an ensemble", () => RawClient.connect({ port, onFrame }));
  await calls(client, [
    ["getData of the configuration", "getData", { path: "/zookeeper/config" }],
    ["reconfig", "reconfig", { joining: "server.2=127.0.0.1:40002:40003:observer;127.0.0.1:40004" }],
    ["reconfig BADVERSION", "reconfig", { leaving: "2", curConfigId: 1n }],
    ["reconfig BADARGUMENTS", "reconfig", { joining: "nonsense" }],
  ]);
  await client.close();
  await server.stop();
}

const server = await startApache({ properties: { "zookeeper.extendedTypesEnabled": "true" } });
const { port } = server;
const client = await step("connect", () => RawClient.connect({ port, onFrame }));
const other = await RawClient.connect({ port });
for (const list of [creates, reads, writes, multis]) await calls(client, list);
await watches(client, other);
await auth(port);
await connects(port);
await step("closeSession", () => client.close());
await other.close();
await server.stop();
await reconfig();

mkdirSync(join(target, ".."), { recursive: true });
writeFileSync(target, `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
console.log(`${entries.length} frames in ${target}`);
