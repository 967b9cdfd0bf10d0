// Apache's own shell, zkCli (ZooKeeperMain), typed into. Arguments: host:port (through the proxy), control port.

import { javaArgs } from "../lib/apache.mjs";
import { Checks } from "../lib/checks.mjs";
import { Shell } from "../lib/shell.mjs";

const [address, controlPort] = process.argv.slice(2);
const checks = new Checks(Number(controlPort));
const options = { logLevel: "off" };
const shell = new Shell("java", await javaArgs("org.apache.zookeeper.ZooKeeperMain", ["-server", address], options));
const prompt = /CONNECTED\) \d+\] $/;

/** A check that types `[command, expected output]` pairs. */
const typed = (name, pairs) =>
  checks.check(name, async () => {
    for (const [command, expected] of pairs) await shell.type(command, expected);
  });

await checks.check("connect", () => shell.printed(prompt, { timeoutMs: 20_000 }));
await typed("create", [
  ["deleteall /zkcli", prompt],
  ["create /zkcli root", /Created \/zkcli$/m],
  ["create -s /zkcli/s-", /Created \/zkcli\/s-0000000000/],
  ["create -e /zkcli/eph", /Created \/zkcli\/eph/],
  ["create -e -s /zkcli/e-", /Created \/zkcli\/e-0000000002/],
  ["create -c /zkcli/container", /Created/],
  ["create -t 300 /zkcli/ttl", /Created/],
  ["create /zkcli root", /Node already exists: \/zkcli/],
  ["create /none/where", /Node does not exist/],
]);
await typed("get, set, stat", [
  ["get -s /zkcli", /root.*dataLength = 4.*numChildren = 5/s],
  ["set -s -v 0 /zkcli two", /dataVersion = 1/],
  ["set -v 0 /zkcli three", /version No is not valid/],
  ["stat /zkcli", /mtime = (?!Thu Jan 01).*dataVersion = 1/s],
  ["get /none", /Node does not exist: \/none/],
]);
await typed("ls", [
  ["ls /zkcli", /\[container, e-0000000002, eph, s-0000000000(, ttl)?\]/],
  ["ls -R /zookeeper", /\/zookeeper\/config.*\/zookeeper\/quota/s],
  ["ls -s /zkcli", /cversion = \d/],
  ["getAllChildrenNumber /zkcli", /\b[45]\b/],
  ["getEphemerals", /\/zkcli\/e(ph|-)/],
]);
await typed("watches", [
  ["get -w /zkcli", /two/],
  ["set /zkcli x", /NodeDataChanged path:\/zkcli/],
  ["ls -w /zkcli", prompt],
  ["create /zkcli/child", /NodeChildrenChanged path:\/zkcli/],
  ["addWatch -m PERSISTENT_RECURSIVE /zkcli", prompt],
  ["set /zkcli/child y", /NodeDataChanged path:\/zkcli\/child/],
  ["delete /zkcli/child", /NodeDeleted path:\/zkcli\/child/],
  ["removewatches /zkcli", /PersistentWatchRemoved/],
  ["removewatches /zkcli", /No such watcher/],
]);
await typed("quota", [
  ["setquota -n 10 /zkcli", prompt],
  ["listquota /zkcli", /count=10,bytes=-1.*Output stat for \/zkcli count=\d+,bytes=\d+/s],
  ["delquota /zkcli", prompt],
  ["listquota /zkcli", /quota for \/zkcli does not exist/],
]);
await typed("ACLs", [
  ["getAcl /zkcli", /'world,'anyone\s+: cdrwa/],
  ["addauth digest frank:secret", prompt],
  ["whoami", /(?=.*digest: frank)(?=.*ip: )/s],
  ["setAcl -s /zkcli auth::cdrwa", /aclVersion = 1/],
  ["getAcl -s /zkcli", /'digest,'frank:.*: cdrwa/s],
  ["create /zkcli/open data world:anyone:r", /Created/],
  ["set /zkcli/open x", /Insufficient permission/],
]);
await typed("sync, config, version", [
  ["sync /zkcli", /Sync is OK/],
  ["config", prompt],
  ["reconfig -remove 1", /Reconfig is disabled/i],
  ["version", /3\.9\.5/],
]);
await checks.check("reconnect with the same session", async () => {
  shell.forget();
  await checks.proxy("cut");
  await shell.printed(/state:SyncConnected/);
  await shell.type("stat /zkcli/eph", /ephemeralOwner = 0x[1-9a-f]/);
  await shell.type("ls /zkcli", /eph/);
});
await typed("deleteall", [
  ["deleteall /zkcli", prompt],
  ["ls /zkcli", /Node does not exist/],
]);
await checks.check("quit", async () => {
  await shell.type("quit", /state:Closed/);
  await shell.exited;
});
shell.kill();
checks.summary();
