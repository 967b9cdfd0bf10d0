// node-zookeeper-client, written in JavaScript. Arguments: host:port (through the proxy), control port, direct host:port.

import { createRequire } from "node:module";
import { join } from "node:path";
import { Checks, Inbox, same } from "../lib/checks.mjs";
import { until } from "../lib/net.mjs";
import { cacheDir } from "../lib/paths.mjs";

const zookeeper = createRequire(join(cacheDir, "npm", "package.json"))("node-zookeeper-client");
const { ACL, CreateMode, Event, Exception, Id, Permission, State } = zookeeper;
const [address, controlPort, direct] = process.argv.slice(2);
const root = "/node-zookeeper-client";
const checks = new Checks(Number(controlPort));
const options = { sessionTimeout: 8000, spinDelay: 100, retries: 0 };

/** Turns the client's callbacks into promises of all their arguments. */
const ask = (client, method, ...args) =>
  new Promise((resolve, reject) => {
    client[method](...args, (error, ...values) => (error ? reject(error) : resolve(values)));
  });

async function refused(code, promise) {
  const error = await promise.then(
    () => undefined,
    (problem) => problem,
  );
  same(code, error?.getCode?.());
}

function connect(to, more = {}) {
  const client = zookeeper.createClient(to, { ...options, ...more });
  client.states = new Inbox();
  client.on("state", client.states.put);
  client.connect();
  return new Promise((resolve) => client.once("connected", () => resolve(client)));
}

const awaitState = async (client, state) => {
  while ((await client.states.next()) !== state);
};

async function removeAll(client, path) {
  try {
    await ask(client, "removeRecursive", path, -1);
  } catch (error) {
    if (error.getCode?.() !== Exception.NO_NODE) throw error;
  }
}

const zk = await connect(address);

await checks.check("create", async () => {
  await removeAll(zk, root);
  same([root], await ask(zk, "create", root, Buffer.from("root")));
  same([`${root}/deep/path`], await ask(zk, "mkdirp", `${root}/deep/path`));
});
await checks.check("read and set", async () => {
  const [data, stat] = await ask(zk, "getData", root);
  same(["root", 0, 4], [data.toString(), stat.version, stat.dataLength]);
  const [changed] = await ask(zk, "setData", root, Buffer.from("two"), 0);
  same(1, changed.version);
  await refused(Exception.BAD_VERSION, ask(zk, "setData", root, Buffer.from("x"), 0));
});
await checks.check("errors", async () => {
  await refused(Exception.NODE_EXISTS, ask(zk, "create", root));
  await refused(Exception.NO_NODE, ask(zk, "create", `${root}/a/b`));
  await refused(Exception.NO_NODE, ask(zk, "getData", `${root}/none`));
  await refused(Exception.NOT_EMPTY, ask(zk, "remove", root, -1));
  same([null], await ask(zk, "exists", `${root}/none`));
});
await checks.check("list", async () => {
  for (const name of ["b", "a", "日本"]) await ask(zk, "create", `${root}/deep/${name}`);
  const [children, stat] = await ask(zk, "getChildren", `${root}/deep`);
  same(["a", "b", "path", "日本"], children.toSorted());
  same(4, stat.numChildren);
});
await checks.check("sequential and ephemeral", async () => {
  same([`${root}/s-0000000001`], await ask(zk, "create", `${root}/s-`, CreateMode.PERSISTENT_SEQUENTIAL));
  await ask(zk, "create", `${root}/eph`, CreateMode.EPHEMERAL);
  const [stat] = await ask(zk, "exists", `${root}/eph`);
  same(zk.getSessionId().toString("hex"), stat.ephemeralOwner.toString("hex"));
  await refused(Exception.NO_CHILDREN_FOR_EPHEMERALS, ask(zk, "create", `${root}/eph/x`));
});
await checks.check("watches", async () => {
  const events = new Inbox();
  const path = `${root}/watched`;
  const expect = async (type) => {
    const event = await events.next();
    same([type, path], [event.type, event.path]);
  };
  await ask(zk, "exists", path, events.put);
  await ask(zk, "create", path);
  await expect(Event.NODE_CREATED);
  await ask(zk, "getData", path, events.put);
  await ask(zk, "setData", path, Buffer.from("x"), -1);
  await expect(Event.NODE_DATA_CHANGED);
  await ask(zk, "getChildren", path, events.put);
  await ask(zk, "create", `${path}/child`);
  await expect(Event.NODE_CHILDREN_CHANGED);
  await ask(zk, "remove", `${path}/child`, -1);
  await ask(zk, "getData", path, events.put);
  await ask(zk, "remove", path, -1);
  await expect(Event.NODE_DELETED);
});
await checks.check("transaction", async () => {
  const transaction = zk
    .transaction()
    .create(`${root}/t`, Buffer.from("1"))
    .setData(`${root}/t`, Buffer.from("2"), 0)
    .check(`${root}/t`, 1)
    .remove(`${root}/s-0000000001`, -1);
  const [results] = await ask(transaction, "commit");
  same(4, results.length);
  same(`${root}/t`, results[0].path);
});
await checks.check("transaction refused", async () => {
  const transaction = zk.transaction().create(`${root}/never`).check(`${root}/t`, 99).remove(`${root}/none`, -1);
  await refused(Exception.BAD_VERSION, ask(transaction, "commit"));
  same([null], await ask(zk, "exists", `${root}/never`));
});
await checks.check("ACLs", async () => {
  const acls = [new ACL(Permission.ALL, new Id("digest", "erin:oqFNz5bBKj4VJ6iP69QE1bm+dqE="))];
  await ask(zk, "create", `${root}/private`, Buffer.from("p"), acls);
  await refused(Exception.NO_AUTH, ask(zk, "getData", `${root}/private`));
  zk.addAuthInfo("digest", Buffer.from("erin:secret"));
  same("p", (await ask(zk, "getData", `${root}/private`))[0].toString());
  await ask(zk, "create", `${root}/authed`, null, ACL.CREATOR_ALL_ACL);
  const [read] = await ask(zk, "getACL", `${root}/authed`);
  same("digest", read[0].id.scheme);
  const [stat] = await ask(zk, "setACL", `${root}/t`, ACL.READ_ACL_UNSAFE, 0);
  same(1, stat.aversion);
  await refused(Exception.NO_AUTH, ask(zk, "setData", `${root}/t`, Buffer.from("x"), -1));
});
await checks.check("500 pipelined writes", async () => {
  await ask(zk, "create", `${root}/many`);
  const all = Array.from({ length: 500 }, (_, i) => ask(zk, "setData", `${root}/many`, Buffer.from(String(i)), i));
  same(500, (await Promise.all(all)).at(-1)[0].version);
});
await checks.check("reconnect with the same session", async () => {
  const id = zk.getSessionId().toString("hex");
  const events = new Inbox();
  await ask(zk, "exists", `${root}/after-cut`, events.put);
  zk.states.clear();
  await checks.proxy("cut");
  await awaitState(zk, State.DISCONNECTED);
  await awaitState(zk, State.SYNC_CONNECTED);
  same(id, zk.getSessionId().toString("hex"));
  same(id, (await ask(zk, "exists", `${root}/eph`))[0].ephemeralOwner.toString("hex"));
  same("p", (await ask(zk, "getData", `${root}/private`))[0].toString());
  await ask(zk, "create", `${root}/after-cut`);
  same(Event.NODE_CREATED, (await events.next()).type);
});
await checks.check("close removes ephemerals", async () => {
  const other = await connect(address);
  await ask(other, "create", `${root}/closing`, CreateMode.EPHEMERAL);
  const events = new Inbox();
  await ask(zk, "exists", `${root}/closing`, events.put);
  other.close();
  same(Event.NODE_DELETED, (await events.next()).type);
});
await checks.check("expired session", async () => {
  const brief = await connect(address, { sessionTimeout: 1000 });
  const watcher = await connect(direct);
  await ask(brief, "create", `${root}/expiring`, CreateMode.EPHEMERAL);
  await checks.proxy("down");
  await until("the ephemeral's removal", async () => {
    const [stat] = await ask(watcher, "exists", `${root}/expiring`);
    return stat === null;
  });
  await checks.proxy("up");
  await awaitState(brief, State.EXPIRED);
  watcher.close();
});
zk.close();
checks.summary();
