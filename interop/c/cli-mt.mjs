// Debian's `cli_mt`, the C client's shell, typed into. Arguments: host:port (through the proxy), control port.

import { Checks } from "../lib/checks.mjs";
import { Shell } from "../lib/shell.mjs";

const [address, controlPort] = process.argv.slice(2);
const checks = new Checks(Number(controlPort));
const shell = new Shell("/usr/lib/zookeeper/bin/cli_mt", [address]);

const typed = (name, pairs) =>
  checks.check(name, async () => {
    for (const [command, expected] of pairs) await shell.type(command, expected);
  });

await checks.check("connect", () => shell.printed(/Got a new session id/));
await typed("create, get, set, ls", [
  ["create /cli_mt", /rc = 0.*name = \/cli_mt/s],
  ["create /cli_mt", /rc = -110/],
  ["create +e /cli_mt/eph", /rc = 0/],
  ["create +s /cli_mt/s-", /name = \/cli_mt\/s-0000000001/],
  ["create +c /cli_mt/container", /rc = 0/],
  ["set /cli_mt two", /rc = 0/],
  ["get /cli_mt", /rc = 0.*value_len = 3.*two.*version=1/s],
  ["ls2 /cli_mt", /(?=.*rc = 0)(?=.*eph)(?=.*s-0000000001)/s],
  ["get /none", /rc = -101/],
  ["sync /cli_mt", /rc = 0/],
]);
await typed("watches", [
  ["wexists /cli_mt/watched", /rc = -101|Error -101/],
  ["create /cli_mt/watched", /CREATED_EVENT state = CONNECTED_STATE for path \/cli_mt\/watched/],
  ["wexists /cli_mt/watched", /(?:)/],
  ["delete /cli_mt/watched", /DELETED_EVENT state = CONNECTED_STATE for path \/cli_mt\/watched/],
]);
await checks.check("reconnect with the same session", async () => {
  shell.forget();
  await checks.proxy("cut");
  await shell.printed(/CONNECTED_STATE/);
  await shell.type("get /cli_mt/eph", /rc = 0/);
});
await checks.check("quit", async () => {
  await shell.type("quit", /Quitting/);
  await shell.exited;
});
shell.kill();
checks.summary();
