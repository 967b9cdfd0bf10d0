// Data directories moved between Apache and Vivarium. One server writes every kind of transaction and stops or is
// killed; the other opens the directory, must show the same tree, resumes a session, lets the server's own deletions
// happen, writes everything again, and so on back and forth. Whole trees are compared, and each snapshot's digest
// with the digest that the other server logged for the same zxid.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { startApache } from "./lib/apache.mjs";
import { filesOf, readLog, readLogs, snapshotDigest } from "./lib/data-dir.mjs";
import { compareTrees, dumpTree, superProperties, superUser } from "./lib/dump-tree.mjs";
import { until } from "./lib/net.mjs";
import { RawClient } from "./lib/raw-client.mjs";
import { startVivarium } from "./lib/vivarium.mjs";
import { everythingProperties, writeEverything } from "./lib/write-everything.mjs";

const servers = { apache: startApache, vivarium: startVivarium };
const compression = "zookeeper.snapshot.compression.method";

const rows = [
  { title: "data: plain snapshots", properties: {} },
  { title: "data: gzip snapshots", properties: { [compression]: "gz" } },
  { title: "data: snappy snapshots", properties: { [compression]: "snappy" }, bigDataBytes: 100_000 },
  { title: "data: no digests", properties: { "zookeeper.digest.enabled": "false" } },
  { title: "data: rolling, own dataLogDir", properties: { "zookeeper.snapCount": 20 }, ownLogDir: true },
  { title: "data: snapshots under load", properties: { "zookeeper.snapCount": 150 }, underLoad: true },
  { title: "data: born in Vivarium", properties: {}, bornInVivarium: true },
  { title: "data: torn tail", torn: true, properties: {} },
];

/** Collects what went well and what did not; after a failure the rest of a chain is not run. */
class Report {
  ok = [];
  failures = [];

  check(name, lines) {
    if (lines.length === 0) this.ok.push(name);
    else
      this.failures.push(
        `${name}: ${lines.slice(0, 5).join("; ")}${lines.length > 5 ? `; ${lines.length - 5} more` : ""}`,
      );
  }
}

/** One data directory and the servers that take turns on it. */
class Chain {
  constructor({ properties, ownLogDir = false, bigDataBytes = 0, underLoad = false }) {
    this.home = mkdtempSync(join(tmpdir(), "interop-move-"));
    this.logHome = ownLogDir ? join(this.home, "logs") : this.home;
    this.bigDataBytes = bigDataBytes;
    this.underLoad = underLoad;
    this.report = new Report();
    this.settings = {
      dataDir: this.home,
      dataLogDir: ownLogDir ? this.logHome : undefined,
      config: { tickTime: 500 },
      properties: { ...superProperties, ...everythingProperties, "zookeeper.preAllocSize": 64, ...properties },
    };
    this.turns = 0;
    this.hasDigests = properties["zookeeper.digest.enabled"] !== "false";
  }

  async start(name) {
    this.turns++;
    this.turn = `turn ${this.turns}, ${name}`;
    this.sawVivarium ||= name === "vivarium";
    this.server = await servers[name](this.settings);
  }

  async stop(how) {
    await this.server[how]();
    const wrong = this.server.output.split("\n").filter((line) => /digest.*(not match|mismatch)/i.test(line));
    // On a busy machine Apache now and then complains of a directory that nobody but Apache has touched: its own affair.
    this.report.check(`${this.turn}: no digest mismatch logged`, this.sawVivarium ? wrong : []);
  }

  dump() {
    return dumpTree(this.server.port, { skip: (path) => path.startsWith("/moving") });
  }

  /** Every digest the snapshots carry must be the one logged for that zxid, whoever wrote which. */
  checkDigests() {
    const logged = new Map(readLogs(this.logHome).map(({ zxid, digest }) => [zxid, digest]));
    const wrong = [];
    for (const file of filesOf(this.home, "snapshot")) {
      const found = snapshotDigest(file);
      const expected = found && logged.get(found.zxid);
      if (expected !== undefined && expected !== found.digest) {
        wrong.push(`${basename(file)} says ${found.digest} at zxid ${found.zxid}, the log ${expected}`);
      }
    }
    const bare = readLogs(this.logHome).filter(
      ({ type, digest }) => type !== -1 && (digest !== undefined) !== this.hasDigests,
    );
    this.report.check(`${this.turn}: digests agree`, wrong);
    this.report.check(
      `${this.turn}: ${this.hasDigests ? "every transaction has" : "no transaction has"} a digest`,
      bare.map(({ zxid, type }) => `zxid ${zxid} of type ${type}`),
    );
  }

  remove() {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Three sessions with everything in flight at once, so that snapshots are taken of a tree that changes. */
async function load({ server, turns }) {
  const root = `/turn-${turns}/load`;
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect({ port: server.port, timeOut: 20_000 })));
  await clients[0].ask("create", { path: root });
  const writes = clients.flatMap((client, who) =>
    Array.from({ length: 400 }, (_, i) => {
      const path = `${root}/${who}-${i % 150}`;
      if (i < 150) return client.call("create", { path, data: `${i}`, flags: i % 10 === 0 ? 1 : 0 });
      if (i % 3 === 0) return client.call("delete", { path });
      return client.call("setData", { path, data: "x".repeat(i) });
    }),
  );
  await Promise.all(writes);
  await clients[0].close();
  for (const client of clients) client.destroy();
}

/** What the next server has to finish: a session to resume, nodes whose deletion was not yet due. */
async function leaveWork(chain) {
  const client = await RawClient.connect({ port: chain.server.port, timeOut: 20_000 });
  const root = `/moving-${chain.turns}`;
  await client.ask("create", { path: root });
  await client.ask("create", { path: `${root}/resumed`, flags: 1 });
  await client.ask("createContainer", { path: `${root}/container`, flags: 4 });
  await client.ask("create", { path: `${root}/container/child` });
  await client.ask("createTTL", { path: `${root}/ttl`, flags: 5, ttl: 1200n });
  const brief = await RawClient.connect({ port: chain.server.port, timeOut: 1500 });
  await brief.ask("create", { path: `${root}/brief`, flags: 1 });
  brief.destroy();
  client.destroy();
  return { root, sessionId: client.sessionId, passwd: client.passwd };
}

/** The new server keeps what the old one promised: the session, the TTL, the container, the expiry. */
async function finishWork(chain, { root, sessionId, passwd }) {
  const { port } = chain.server;
  const wrong = [];
  const client = await RawClient.connect({ port, sessionId, passwd, timeOut: 20_000 });
  if (client.sessionId !== sessionId) wrong.push(`session 0x${sessionId.toString(16)} was not resumed`);
  else {
    client.keepAlive(500);
    const reply = await client.call("exists", { path: `${root}/resumed` });
    if (reply.value?.stat.ephemeralOwner !== sessionId)
      wrong.push(`${root}/resumed is not owned by the resumed session`);
    await client.ask("delete", { path: `${root}/container/child` });
    for (const name of ["container", "ttl", "brief"]) {
      const isGone = async () => (await client.call("exists", { path: `${root}/${name}` })).err === -101;
      await until(`${root}/${name}'s deletion`, isGone, { timeoutMs: 10_000 }).catch((error) =>
        wrong.push(error.message),
      );
    }
    await client.close();
  }
  const after = await RawClient.connect({ port });
  const left = await after.call("exists", { path: `${root}/resumed` });
  if (left.err !== -101) wrong.push(`${root}/resumed outlived its session`);
  await after.close();
  chain.report.check(`${chain.turn}: session, TTL, container and expiry carried over`, wrong);
}

async function runChain(chain, names) {
  let before;
  let work;
  for (const name of names) {
    await chain.start(name);
    if (before) chain.report.check(`${chain.turn}: same tree`, compareTrees(before, await chain.dump()));
    if (work) await finishWork(chain, work);
    const options = {
      root: `/turn-${chain.turns}`,
      withDeletions: chain.turns === 1,
      bigDataBytes: chain.bigDataBytes,
    };
    await writeEverything(chain.server, options);
    if (chain.underLoad) await load(chain);
    work = await leaveWork(chain);
    before = await chain.dump();
    await chain.stop(chain.turns % 2 === 1 ? "kill" : "stop");
    chain.checkDigests();
  }
}

const cuts = {
  "one byte cut off": (file, { end }) => truncateSync(file, end - 1),
  "half the record cut off": (file, { end, entry }) => truncateSync(file, end - Math.ceil(entry.length / 2)),
  "only its checksum left": (file, { end, entry }) => truncateSync(file, end - entry.length - 5),
  "its second half zeros": (file, { end, entry }) => {
    const bytes = readFileSync(file);
    bytes.fill(0, end - Math.ceil(entry.length / 2), end);
    writeFileSync(file, bytes);
  },
};

/** The last record is damaged after a kill: the next server must show exactly what was before it. */
async function runTorn(chain, names) {
  let name = names[0];
  await chain.start(name);
  await writeEverything(chain.server, { withDeletions: false });
  for (const [about, cut] of Object.entries(cuts)) {
    const client = await RawClient.connect({ port: chain.server.port, timeOut: 20_000 });
    await client.ask("auth", { scheme: "digest", auth: superUser });
    const before = await chain.dump();
    await client.ask("create", { path: "/tail", data: "x".repeat(100) });
    client.destroy();
    await chain.stop("kill");
    const file = filesOf(chain.logHome, "log").at(-1);
    cut(file, readLog(file).at(-1));
    name = names[(names.indexOf(name) + 1) % names.length];
    await chain.start(name);
    chain.report.check(`${chain.turn}: ${about}`, compareTrees(before, await chain.dump()));
  }
  await chain.stop("stop");
}

async function runRow(row, names, keep) {
  const startedAt = Date.now();
  const chain = new Chain(row);
  try {
    await (row.torn ? runTorn(chain, [...new Set(names)]) : runChain(chain, names));
  } catch (error) {
    const said = chain.server?.output.trim().split("\n").slice(-4).join(" | ") ?? "";
    chain.report.failures.push(`${chain.turn}: ${error.message}${said ? ` (the server said: ${said})` : ""}`);
    await chain.server?.kill();
  }
  const { ok, failures } = chain.report;
  if (failures.length === 0 || !keep) chain.remove();
  else failures.push(`the directory is kept: ${chain.home}`);
  return { ok, failures, seconds: (Date.now() - startedAt) / 1000 };
}

const turns = {
  apache: ["apache", "apache", "apache"],
  vivarium: ["apache", "vivarium", "apache", "vivarium"],
};

function onlyDigestComplaints({ failures }) {
  return failures.length > 0 && failures.every((line) => /no digest mismatch logged|the directory is kept/.test(line));
}

/** The rows of the table that `run.mjs` prints. */
export const moves = {
  name: "data",
  async run({ against, verbose = false }) {
    const table = [];
    for (const row of rows) {
      const results = {};
      for (const name of against) {
        if (row.bornInVivarium && name === "apache") continue;
        const order = row.bornInVivarium ? turns.vivarium.toReversed() : turns[name];
        results[name] = await runRow(row, order, verbose);
        // The same complaint may befall an Apache that has its turn among ours; one that is ours comes back.
        if (name === "vivarium" && onlyDigestComplaints(results[name]))
          results[name] = await runRow(row, order, verbose);
        const { ok, failures } = results[name];
        console.log(`${row.title}, ${order.join(" > ")}: ${ok.length} passed, ${failures.length} failed`);
        if (verbose) console.log(ok.map((line) => `  ok ${line}`).join("\n"));
      }
      table.push({ title: row.title, results });
    }
    return table;
  },
};
