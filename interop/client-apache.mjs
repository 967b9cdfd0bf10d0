// @vivarium/client and what Apache's servers have and ours do not have yet: TLS, and servers without a quorum that read.

import { createPrivateKey } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApache } from "./lib/apache.mjs";
import { startApacheEnsemble } from "./lib/ensemble.mjs";
import { freePort, until } from "./lib/net.mjs";
import { repoDir } from "./lib/paths.mjs";

const clientDir = join(repoDir, "packages", "client");
const title = "@vivarium/client (TLS, read-only)";

const pem = (name) => join(clientDir, "src", "testdata", `${name}.pem`);
const mutual = { caFile: pem("ca"), certFile: pem("client"), keyFile: pem("client-key") };

function expect(what, actual, expected) {
  const [have, want] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (have !== want) throw new Error(`${what}: expected ${want}, got ${have}`);
}

/** Resolves with the error of a connect that must fail. */
const refusalOf = (connecting) =>
  connecting.then(
    () => Promise.reject(new Error("connected all the same")),
    (error) => error,
  );

/** @param {typeof import("@vivarium/client")} client */
function tlsChecks({ connect }) {
  return {
    "mutual TLS: the certificate is the identity": async ({ secure }) => {
      const zk = await connect(secure, { tls: mutual });
      await zk.create("/mine", "secret", { acl: [{ perms: 31, id: { scheme: "auth", id: "" } }] });
      expect("data", (await zk.getData("/mine")).data.toString(), "secret");
      expect("identity", (await zk.getACL("/mine")).acl, [{ perms: 31, id: { scheme: "x509", id: "CN=client" } }]);
      await zk.close();
    },
    "without a certificate, or without trust, there is no session": async ({ secure }) => {
      const options = { connectTimeoutMs: 1500 };
      await refusalOf(connect(secure, { ...options, tls: { caFile: mutual.caFile } }));
      const error = await refusalOf(connect(secure, { ...options, tls: { ...mutual, caFile: undefined } }));
      expect("reason", /certificate/.test(error.message), true);
      await refusalOf(connect(secure, options));
    },
    "a session goes on with certificates that were renewed": async ({ secure, dir }) => {
      const files = Object.entries(mutual).map(([option, file]) => [option, file, join(dir, `${option}.pem`)]);
      for (const [, file, copy] of files) copyFileSync(file, copy);
      const tls = Object.fromEntries(files.map(([option, , copy]) => [option, copy]));
      const zk = await connect(secure, { tls, sessionTimeoutMs: 8000 });
      const { id } = zk.session;
      // The old files are gone; the next connection needs those that come in their place.
      for (const [, , copy] of files) rmSync(copy);
      const other = await connect(secure, { tls: mutual, session: zk.session });
      await until("the first connection is cut", () => zk.state === "suspended");
      await other.exists("/");
      for (const [, file, copy] of files) copyFileSync(file, copy);
      await until("connected again", () => zk.state === "connected");
      expect("session", zk.session.id === id, true);
      await Promise.all([zk.close(), other.close()]);
    },
  };
}

/** @param {typeof import("@vivarium/client")} client */
function readOnlyChecks({ connect, NotReadOnlyError }) {
  return {
    "a server without a quorum is read, and left for one with a quorum": async (ensemble) => {
      const writer = await connect(ensemble.connectString);
      await writer.create("/r", "1");
      await writer.sync("/r");
      await writer.close();
      const [left, ...others] = ensemble.members;
      await Promise.all(others.map((member) => member.kill()));
      const zk = await connect(ensemble.connectString, { readOnly: true, connectTimeoutMs: 30_000 });
      expect("state", zk.state, "readOnly");
      expect("server", zk.server.endsWith(`:${left.port}`), true);
      expect("data", (await zk.getData("/r")).data.toString(), "1");
      const refused = await zk.setData("/r", "2").catch((error) => error);
      expect("a write", refused instanceof NotReadOnlyError, true);
      await Promise.all(others.map((member) => member.start()));
      await until("a server with a quorum", () => zk.state === "connected", { timeoutMs: 60_000 });
      await zk.setData("/r", "2");
      await zk.close();
    },
  };
}

async function withTls(use) {
  const dir = mkdtempSync(join(tmpdir(), "interop-tls-"));
  const store = join(dir, "server-store.pem");
  // Apache reads keys in PKCS #8 only, and key and certificate from one file.
  const key = createPrivateKey(readFileSync(pem("server-key"))).export({ type: "pkcs8", format: "pem" });
  writeFileSync(store, `${key}${readFileSync(pem("server"))}`);
  const port = await freePort();
  const server = await startApache({
    dataDir: join(dir, "data"),
    config: { tickTime: 500, secureClientPort: port },
    properties: {
      "zookeeper.serverCnxnFactory": "org.apache.zookeeper.server.NettyServerCnxnFactory",
      "zookeeper.ssl.keyStore.location": store,
      "zookeeper.ssl.trustStore.location": pem("ca"),
    },
  });
  try {
    await use({ secure: `localhost:${port}`, dir });
  } finally {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function withoutQuorum(use) {
  // Only local sessions can begin on a server without a quorum.
  const config = { localSessionsEnabled: true, localSessionsUpgradingEnabled: true };
  const ensemble = await startApacheEnsemble({ config, properties: { "readonlymode.enabled": true } });
  try {
    await ensemble.leader();
    await use(ensemble);
  } finally {
    await ensemble.kill();
    rmSync(ensemble.dir, { recursive: true, force: true });
  }
}

/** The row of the table that `run.mjs` prints. */
export const clientApache = {
  name: "vivarium-client-apache",
  async run({ against, verbose = false }) {
    if (!against.includes("apache")) return [];
    const startedAt = Date.now();
    const result = { ok: [], failures: [], seconds: 0 };
    const client = await import(join(clientDir, "dist", "index.js"));
    const each = (checks) => async (target) => {
      for (const [name, check] of Object.entries(checks)) {
        await check(target).then(
          () => result.ok.push(name),
          (error) => result.failures.push(`${name}: ${error.stack}`),
        );
      }
    };
    try {
      await withTls(each(tlsChecks(client)));
      await withoutQuorum(each(readOnlyChecks(client)));
    } catch (error) {
      result.failures.push(error.message);
    }
    result.seconds = (Date.now() - startedAt) / 1000;
    console.log(`${title} against apache: ${result.ok.length} passed, ${result.failures.length} failed`);
    if (verbose) console.log(result.ok.map((line) => `  ok ${line}`).join("\n"));
    return [{ title, results: { apache: result } }];
  },
};
