// `node interop/capture/disk.mjs` writes packages/storage/src/testdata/apache-3.9.5: data directories written by a
// real Apache ZooKeeper 3.9.5, each with what it must contain. Run by hand; the result is committed.

import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { javaArgs, startApache } from "../lib/apache.mjs";
import { must } from "../lib/command.mjs";
import { filesOf, readLog, snapshotDigest } from "../lib/data-dir.mjs";
import { dumpTree, superProperties, superUser } from "../lib/dump-tree.mjs";
import { freePort } from "../lib/net.mjs";
import { repoDir } from "../lib/paths.mjs";
import { RawClient } from "../lib/raw-client.mjs";
import { everythingProperties, writeEverything } from "../lib/write-everything.mjs";

const target = join(repoDir, "packages", "storage", "src", "testdata", "apache-3.9.5");
const small = { "zookeeper.preAllocSize": 16 };
const properties = { ...superProperties, ...everythingProperties, ...small };

const emptyDir = () => mkdtempSync(join(tmpdir(), "interop-disk-"));
const hex = (value) => `0x${BigInt.asUintN(64, value).toString(16)}`;

/** What Apache's own tools say about a directory's files. */
async function toolOutput(dir) {
  const parts = [];
  for (const file of filesOf(dir, "log")) {
    const args = await javaArgs("org.apache.zookeeper.server.persistence.TxnLogToolkit", [file], { logLevel: "off" });
    const { stdout } = await must("java", ["-Duser.timezone=UTC", ...args]);
    parts.push(`== TxnLogToolkit ${basename(file)}`, stdout.trim());
  }
  for (const file of filesOf(dir, "snapshot")) {
    const args = await javaArgs("org.apache.zookeeper.server.SnapshotFormatter", ["-d", file], { logLevel: "off" });
    const { stdout } = await must("java", ["-Duser.timezone=UTC", ...args]);
    parts.push(`== SnapshotFormatter -d ${basename(file)}`, stdout.trim());
  }
  return `${parts.join("\n")}\n`;
}

const logSummary = (file) => ({
  name: basename(file),
  txns: readLog(file).map(({ zxid, clientId, cxid, time, type, digest, entry, end }) => ({
    zxid: String(zxid),
    clientId: hex(clientId),
    cxid,
    time: Number(time),
    type,
    digest: digest === undefined ? null : String(digest),
    entrySizeBytes: entry.length,
    end,
  })),
});

function snapshotSummary(file) {
  const digest = snapshotDigest(file);
  return {
    name: basename(file),
    ...(digest ? { digestZxid: String(digest.zxid), digest: String(digest.digest) } : {}),
  };
}

/**
 * Notes what a running server holds, kills it, and keeps its directory as a fixture.
 * @param {{name: string, about: string, server: any, sessions: any[], settings: object, tools?: boolean, drop?: string[]}} options
 */
async function keep({ name, about, server, sessions, settings, tools = false, drop = [] }) {
  const tree = await dumpTree(server.port);
  const zxid = /Zxid: (0x[0-9a-f]+)/.exec(await server.word("srvr"))[1];
  const hash = (await server.word("hash")).trim().split("\n").filter(Boolean);
  await server.kill();
  const home = join(target, name);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  cpSync(join(server.dataDir, "version-2"), join(home, "version-2"), { recursive: true });
  for (const file of drop) rmSync(join(home, "version-2", file));
  const expected = {
    about,
    settings,
    lastProcessedZxid: String(BigInt(zxid)),
    sessions: sessions.map(({ sessionId, timeOut }) => ({ sessionId: hex(sessionId), timeoutMs: timeOut })),
    hash,
    logs: filesOf(home, "log").map(logSummary),
    snapshots: filesOf(home, "snapshot").map(snapshotSummary),
    tree,
  };
  writeFileSync(join(home, "expected.json"), compactJson(expected));
  if (tools) writeFileSync(join(home, "apache-tools.txt"), await toolOutput(home));
  console.log(`${name}: ${Object.keys(tree).length} nodes, zxid ${zxid}`);
  return home;
}

/** Long data is kept as its hash. */
function shortened(node) {
  if (node.data === null || node.data.length <= 2048) return node;
  const bytes = Buffer.from(node.data, "hex");
  return { ...node, data: { sha256: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length } };
}

/** One line per txn and per node: readable, and small in a diff. */
function compactJson({ logs, tree, ...rest }) {
  const head = JSON.stringify(rest, null, 1).slice(0, -2);
  const logLines = logs.map(
    ({ name, txns }) => `{"name":"${name}","txns":[\n${txns.map((t) => JSON.stringify(t)).join(",\n")}\n]}`,
  );
  const treeLines = Object.entries(tree).map(
    ([path, node]) => `${JSON.stringify(path)}:${JSON.stringify(shortened(node))}`,
  );
  return `${head},\n "logs": [${logLines.join(",\n")}],\n "tree": {\n${treeLines.join(",\n")}\n}}\n`;
}

async function standalone() {
  const server = await startApache({ dataDir: emptyDir(), properties });
  const { sessions } = await writeEverything(server);
  const about = "every transaction type except reconfig, killed with two sessions and their ephemerals alive";
  const home = await keep({ name: "standalone", about, server, sessions, settings: properties, tools: true });
  return { home, sessions };
}

/** The standalone directory opened once more, so that a snapshot holds the whole tree. */
async function reopened({ name, about, from, sessions, more, tools = false, drop = [] }) {
  const dataDir = emptyDir();
  cpSync(join(from, "version-2"), join(dataDir, "version-2"), { recursive: true });
  const settings = { ...properties, ...more };
  const server = await startApache({ dataDir, properties: settings });
  await keep({ name, about, server, sessions, settings, tools, drop });
}

async function fresh({ name, about, more, everything, drop }) {
  const settings = { ...properties, ...more };
  const dataDir = emptyDir();
  const first = await startApache({ dataDir, properties: settings });
  const { sessions } = await writeEverything(first, everything);
  await first.stop();
  const server = await startApache({ dataDir, properties: settings });
  await keep({ name, about, server, sessions, settings, drop });
}

async function rolled() {
  const settings = { ...properties, "zookeeper.snapCount": 16, "zookeeper.preAllocSize": 4 };
  const server = await startApache({ dataDir: emptyDir(), properties: settings });
  const { sessions } = await writeEverything(server, { withDeletions: false });
  const about = "snapCount 16: several logs and snapshots, taken while transactions were running";
  await keep({ name: "rolled", about, server, sessions, settings });
}

async function ensemble() {
  const dataDir = emptyDir();
  writeFileSync(join(dataDir, "myid"), "1");
  const [quorumPort, electionPort, port] = [await freePort(), await freePort(), await freePort()];
  const member = `127.0.0.1:${quorumPort}:${electionPort}:participant;127.0.0.1:${port}`;
  const config = { standaloneEnabled: false, reconfigEnabled: true, initLimit: 5, syncLimit: 5, "server.1": member };
  const server = await startApache({ dataDir, port, config, properties });
  const client = await RawClient.connect({ port, timeOut: 20_000 });
  await client.ask("auth", { scheme: "digest", auth: superUser });
  await client.ask("create", { path: "/in-ensemble", data: "x" });
  await client.ask("reconfig", { joining: "server.2=127.0.0.1:40002:40003:observer;127.0.0.1:40004" });
  await client.ask("create", { path: "/eph", flags: 1 });
  await client.call("reconfig", { leaving: "2", curConfigId: 1n });
  client.destroy();
  const about = "a one-server ensemble after a reconfig: epoch 1, transaction type 16, epoch files";
  const sessions = [client];
  await keep({ name: "ensemble", about, server, sessions, settings: { ...properties, ...config }, tools: true });
}

const { home, sessions } = await standalone();
const reopen = (name, about, more, rest = {}) => reopened({ name, about, from: home, sessions, more, ...rest });
await reopen("snapshot-none", "the whole tree in a plain snapshot, digest and zxid sections", {}, { tools: true });
const compression = "zookeeper.snapshot.compression.method";
await reopen(
  "snapshot-gz",
  "the whole tree in a gzip snapshot",
  { [compression]: "gz" },
  { drop: ["log.1", "snapshot.0"] },
);
await reopen("snapshot-no-zxid-section", "digest section only", {
  "zookeeper.serializeLastProcessedZxid.enabled": "false",
});
const big = { bigDataBytes: 70_000 };
const snappy = { [compression]: "snappy" };
await fresh({
  name: "snapshot-snappy",
  about: "a snappy snapshot of several blocks",
  more: snappy,
  everything: big,
  drop: ["log.1", "snapshot.0.snappy"],
});
const noDigest = { "zookeeper.digest.enabled": "false" };
await fresh({ name: "no-digest", about: "digests switched off: none in logs and snapshots", more: noDigest });
await fresh({
  name: "no-digest-no-close-paths",
  about: "as before 3.6: no digests, closeSession without paths, snapshots that end with the first seal",
  more: {
    ...noDigest,
    "zookeeper.closeSessionTxn.enabled": "false",
    "zookeeper.serializeLastProcessedZxid.enabled": "false",
  },
});
await rolled();
await ensemble();
