// @vivarium/client against ensembles of three: its contract on a follower, and what only an ensemble can show.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { must, run } from "./lib/command.mjs";
import { superProperties, superUser } from "./lib/dump-tree.mjs";
import { startEnsemble } from "./lib/ensemble.mjs";
import { sleep } from "./lib/net.mjs";
import { repoDir } from "./lib/paths.mjs";
import { everythingProperties } from "./lib/write-everything.mjs";

const clientDir = join(repoDir, "packages", "client");
const title = "@vivarium/client (ensemble of 3)";

/** However slowly an ensemble comes back on a busy machine, these checks are about what happens then. */
const sessionTimeoutMs = 60_000;

async function until(what, condition, timeoutMs = 60_000) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(50)) if (await condition()) return;
  throw new Error(`${what}: not within ${timeoutMs} ms`);
}

function expect(what, actual, expected) {
  const [have, want] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (have !== want) throw new Error(`${what}: expected ${want}, got ${have}`);
}

const memberOf = (ensemble, zk) => ensemble.members.find(({ port }) => zk.server.endsWith(`:${port}`));

/** Both leave at once: calls take effect in the order in which they are made. */
function readAfterSync(zk) {
  const synced = zk.sync("/s");
  return zk.getData("/s").finally(() => synced);
}

const serversIn = (config) => [...config.matchAll(/^server\.(\d+)=/gm)].map(([, sid]) => Number(sid));

/** @param {typeof import("@vivarium/client")} client */
function checks({ connect, CreateMode, RequestTimeoutError, UnimplementedError }) {
  return {
    "reconfig takes a server out and back in": async (ensemble) => {
      const zk = await connect(ensemble.connectString, { auth: [{ scheme: "digest", auth: superUser }] });
      const before = await zk.getConfig();
      expect("servers", serversIn(before.config), [1, 2, 3]);
      const [follower] = await ensemble.followers();
      const line = before.config.split("\n").find((each) => each.startsWith(`server.${follower.sid}=`));
      // Who joins must say where its clients find it, which zoo.cfg keeps in lines of its own.
      const joining = `${line.split(";")[0]};127.0.0.1:${follower.port}`;
      try {
        const without = await zk.reconfig({ leaving: String(follower.sid) });
        expect("without it", serversIn(without.config).includes(follower.sid), false);
        expect("with it", serversIn((await zk.reconfig({ joining })).config).sort(), [1, 2, 3]);
      } catch (error) {
        // Our own ensembles cannot do it yet.
        if (!(error instanceof UnimplementedError)) throw error;
      }
      await zk.close();
    },
    "a session survives the death of its server, with its ephemeral nodes and watches": async (ensemble) => {
      const zk = await connect(ensemble.connectString, { sessionTimeoutMs });
      const other = await connect(ensemble.connectString, { sessionTimeoutMs });
      const { id } = zk.session;
      const events = [];
      await zk.create("/e", "", { mode: CreateMode.EPHEMERAL });
      await zk.create("/w", "");
      await zk.addWatch("/w", { listener: (event) => events.push(event.type) });
      const dead = memberOf(ensemble, zk);
      await dead.kill();
      await until("connected to another server", () => zk.state === "connected" && memberOf(ensemble, zk) !== dead);
      expect("session", zk.session.id === id, true);
      expect("ephemerals", await zk.getEphemerals(), ["/e"]);
      await other.setData("/w", "1");
      await until("the watch fired", () => events.includes("dataChanged"));
      await dead.start();
      await zk.deleteSubtree("/w");
      await Promise.all([zk.close(), other.close()]);
    },
    "reads after sync see what was written through another server": async (ensemble) => {
      // Apache's leader answers a sync of its own clients at once, though it may not have applied yet what it committed.
      const leader = await ensemble.leader();
      const members = ensemble.members.filter((each) => each !== leader || each.kind !== "apache");
      const clients = await Promise.all(members.map(({ port }) => connect(`127.0.0.1:${port}`)));
      const [{ port: writersPort }] = await ensemble.followers();
      const writer = await connect(`127.0.0.1:${writersPort}`);
      await writer.create("/s", "0");
      for (let round = 1; round <= 20; round++) {
        await writer.setData("/s", String(round));
        const seen = await Promise.all(clients.map(readAfterSync));
        expect(
          "data",
          seen.map(({ data }) => data.toString()),
          clients.map(() => String(round)),
        );
      }
      await writer.delete("/s");
      await Promise.all([writer, ...clients].map((zk) => zk.close()));
    },
    "without a quorum calls wait and time out, and go on when it is back": async (ensemble) => {
      const zk = await connect(ensemble.connectString, { sessionTimeoutMs });
      const dead = ensemble.members.filter((member) => member !== memberOf(ensemble, zk));
      await Promise.all(dead.map((member) => member.kill()));
      await until("the connection is lost", () => zk.state !== "connected");
      const refused = await zk.create("/q", "", { timeoutMs: 500 }).catch((error) => error);
      expect("error", [refused instanceof RequestTimeoutError, refused.mayHaveHappened], [true, false]);
      const waiting = zk.exists("/q", { timeoutMs: 2 * sessionTimeoutMs });
      const [answer] = await Promise.all([waiting, ...dead.map((member) => member.start())]);
      expect("answer", answer, null);
      await zk.close();
    },
  };
}

async function runContract(server, result) {
  const { stdout } = await run(process.execPath, [join(clientDir, "dist", "testing", "contract-main.js"), server], {
    timeoutMs: 180_000,
  });
  for (const line of stdout.split("\n")) {
    if (line.startsWith("ok ")) result.ok.push(line.slice(3));
    if (line.startsWith("FAIL ")) result.failures.push(line.slice(5));
  }
  if (!/^passed/m.test(stdout)) result.failures.push("the contract did not end");
}

async function runAgainst(kind) {
  const startedAt = Date.now();
  const result = { ok: [], failures: [], seconds: 0 };
  const properties = { ...everythingProperties, ...superProperties };
  const config = { reconfigEnabled: true, standaloneEnabled: false, maxSessionTimeout: sessionTimeoutMs };
  const ensemble = await startEnsemble({ kind: () => kind, config, properties });
  try {
    await ensemble.leader();
    const [follower] = await ensemble.followers();
    await runContract(`127.0.0.1:${follower.port}`, result);
    const client = await import(join(clientDir, "dist", "index.js"));
    for (const [name, check] of Object.entries(checks(client))) {
      await check(ensemble).then(
        () => result.ok.push(name),
        (error) => result.failures.push(`${name}: ${error.message}`),
      );
    }
  } finally {
    await ensemble.kill();
    rmSync(ensemble.dir, { recursive: true, force: true });
  }
  result.seconds = (Date.now() - startedAt) / 1000;
  return result;
}

/** The row of the table that `run.mjs` prints. */
export const clientEnsemble = {
  name: "vivarium-client-ensemble",
  async run({ against, verbose = false }) {
    await must("npx", ["tsc", "-b", join(clientDir, "tsconfig.test.json")], { cwd: repoDir });
    const results = {};
    for (const kind of against) {
      results[kind] = await runAgainst(kind).catch((error) => ({ ok: [], failures: [error.message], seconds: 0 }));
      console.log(
        `${title} against ${kind}: ${results[kind].ok.length} passed, ${results[kind].failures.length} failed`,
      );
      if (verbose) console.log(results[kind].ok.map((line) => `  ok ${line}`).join("\n"));
    }
    return [{ title, results }];
  },
};
