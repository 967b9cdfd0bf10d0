// The npm package `zookeeper`: the C client as a native addon. Arguments as for node-zookeeper-client.mjs.

import { createRequire } from "node:module";
import { join } from "node:path";
import { Checks, Inbox, same } from "../lib/checks.mjs";
import { until } from "../lib/net.mjs";
import { cacheDir } from "../lib/paths.mjs";

const ZooKeeper = createRequire(join(cacheDir, "npm", "package.json"))("zookeeper").Promise;
const [address, controlPort, direct] = process.argv.slice(2);
const root = "/node-zookeeper";
const checks = new Checks(Number(controlPort));
const { constants } = ZooKeeper;

function connect(to, more = {}) {
  const config = { connect: to, timeout: 8000, debug_level: 0, host_order_deterministic: false, ...more };
  const client = new ZooKeeper(config);
  client.connections = new Inbox();
  client.closings = new Inbox();
  client.on("connect", client.connections.put);
  client.on("connecting", () => {});
  client.on("close", client.closings.put);
  client.init(config);
  return client.connections.next().then(() => client);
}

async function refused(code, promise) {
  const error = await promise.then(
    () => undefined,
    (problem) => problem,
  );
  // This package says the code only in its message: "-101 no node".
  same(code, Number.parseInt(error?.message, 10));
}

const create = (client, path, data = "", flags = 0) => client.create(path, data, flags);

async function removeAll(client, path) {
  let children;
  try {
    children = await client.get_children(path, false);
  } catch {
    return;
  }
  for (const child of children) await removeAll(client, `${path}/${child}`);
  await client.delete_(path, -1);
}

const zk = await connect(address);

await checks.check("create", async () => {
  await removeAll(zk, root);
  same(root, await create(zk, root, "root"));
});
await checks.check("read and set", async () => {
  const [stat, data] = await zk.get(root, false);
  same(["root", 0, 4], [data.toString(), stat.version, stat.dataLength]);
  same(1, (await zk.set(root, "two", 0)).version);
  await refused(constants.ZBADVERSION, zk.set(root, "x", 0));
});
await checks.check("errors", async () => {
  await refused(constants.ZNODEEXISTS, create(zk, root));
  await refused(constants.ZNONODE, create(zk, `${root}/a/b`));
  await refused(constants.ZNONODE, zk.get(`${root}/none`, false));
  await refused(constants.ZNONODE, zk.exists(`${root}/none`, false));
});
await checks.check("list", async () => {
  for (const name of ["b", "a", "日本"]) await create(zk, `${root}/${name}`);
  same(["a", "b", "日本"], (await zk.get_children(root, false)).toSorted());
  const [, stat] = await zk.get_children2(root, false);
  same(3, stat.numChildren);
  await refused(constants.ZNOTEMPTY, zk.delete_(root, -1));
});
await checks.check("sequential, ephemeral, container", async () => {
  same(`${root}/s-0000000003`, await create(zk, `${root}/s-`, "", constants.ZOO_SEQUENCE));
  await create(zk, `${root}/eph`, "", constants.ZOO_EPHEMERAL);
  const stat = await zk.exists(`${root}/eph`, false);
  same(zk.client_id, stat.ephemeralOwner);
  await create(zk, `${root}/container`, "", constants.ZOO_CONTAINER);
});
await checks.check("watches", async () => {
  const events = new Inbox();
  const path = `${root}/watched`;
  const watch = (type, _state, at) => events.put([type, at]);
  await refused(constants.ZNONODE, zk.w_exists(path, watch));
  await create(zk, path);
  same([constants.ZOO_CREATED_EVENT, path], await events.next());
  await zk.w_get(path, watch);
  await zk.set(path, "x", -1);
  same([constants.ZOO_CHANGED_EVENT, path], await events.next());
  await zk.w_get_children(path, watch);
  await create(zk, `${path}/child`);
  same([constants.ZOO_CHILD_EVENT, path], await events.next());
  await zk.delete_(`${path}/child`, -1);
  await zk.w_exists(path, watch);
  await zk.delete_(path, -1);
  same([constants.ZOO_DELETED_EVENT, path], await events.next());
});
await checks.check("ACLs", async () => {
  await create(zk, `${root}/readable`);
  await zk.set_acl(`${root}/readable`, 0, [{ perm: constants.ZOO_PERM_READ, scheme: "world", auth: "anyone" }]);
  await refused(constants.ZNOAUTH, zk.set(`${root}/readable`, "x", -1));
  const acl = (await zk.get_acl(`${root}/readable`)).flat();
  same("world", acl.find((each) => each.scheme !== undefined)?.scheme);
});
await checks.check("reconnect with the same session", async () => {
  const id = zk.client_id;
  const events = new Inbox();
  await refused(
    constants.ZNONODE,
    zk.w_exists(`${root}/after-cut`, (type) => type > 0 && events.put(type)),
  );
  zk.connections.clear();
  await checks.proxy("cut");
  await zk.connections.next();
  same(id, zk.client_id);
  same(id, (await zk.exists(`${root}/eph`, false)).ephemeralOwner);
  await create(zk, `${root}/after-cut`);
  same(constants.ZOO_CREATED_EVENT, await events.next());
});
await checks.check("expired session", async () => {
  const brief = await connect(address, { timeout: 1000 });
  const watcher = await connect(direct);
  await create(brief, `${root}/expiring`, "", constants.ZOO_EPHEMERAL);
  await checks.proxy("down");
  await until("the ephemeral's removal", () =>
    watcher.exists(`${root}/expiring`, false).then(
      () => false,
      () => true,
    ),
  );
  await checks.proxy("up");
  await brief.closings.next();
  await watcher.close();
});
await zk.close();
checks.summary();
