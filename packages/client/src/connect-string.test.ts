import assert from "node:assert/strict";
import { test } from "node:test";
import { hostText, parseConnectString } from "./connect-string.ts";
import { clientHosts, mergeHosts } from "./ensemble-config.ts";
import { ClientOptionError } from "./errors.ts";

const good: [text: string, hosts: string[], chroot: string][] = [
  ["localhost", ["localhost:2181"], ""],
  ["a:1,b:2, c", ["a:1", "b:2", "c:2181"], ""],
  ["a:1,b:2/app/x", ["a:1", "b:2"], "/app/x"],
  ["[::1]:99,[fe80::1]/c", ["[::1]:99", "[fe80::1]:2181"], "/c"],
  ["a:1/", ["a:1"], ""],
];
for (const [text, hosts, chroot] of good) {
  test(`${text} is understood`, () => {
    const target = parseConnectString(text);
    assert.deepEqual([target.hosts.map(hostText), target.chroot, target.srvName], [hosts, chroot, undefined]);
  });
}

test("dns-srv:// names a record", () => {
  assert.deepEqual(parseConnectString("dns-srv://_zk._tcp.example.org/app"), {
    hosts: [],
    srvName: "_zk._tcp.example.org",
    chroot: "/app",
  });
});

const bad: [text: string, says: RegExp][] = [
  ["", /empty/],
  ["/only-a-chroot", /names no server/],
  ["a:port", /port/],
  ["a:70000", /port/],
  [":2181", /host before the port/],
  ["::1:2181", /brackets/],
  ["a/chroot/", /must not end/],
  ["dns-srv://", /srv-record/],
];
for (const [text, says] of bad) {
  test(`${JSON.stringify(text)} is refused with what to write`, () => {
    assert.throws(
      () => parseConnectString(text),
      (error) => error instanceof ClientOptionError && says.test(error.message),
    );
  });
}

test("the ensemble's configuration gives client addresses, with names in place of wildcards", () => {
  const config = `server.1=zk1.example.org:2888:3888:participant;0.0.0.0:2181
server.2=10.0.0.2:2888:3888:participant;10.1.0.2:2182
server.3=zk3a:2888:3888|zk3b:2888:3888:observer;2183
server.4=[2001:db8::4]:2888:3888:participant;[::]:2184
server.5=zk5:2888:3888:participant
server.6=0.0.0.0:2888:3888;0.0.0.0:2181
version=100000000`;
  assert.deepEqual(clientHosts(config).map(hostText), [
    "zk1.example.org:2181",
    "10.1.0.2:2182",
    "zk3a:2183",
    "[2001:db8::4]:2184",
  ]);
});

test("the user's own servers stay, whatever the configuration says", () => {
  const own = [{ host: "zk.example.org", port: 2181 }];
  const merged = mergeHosts(own, [{ host: "10.0.0.1", port: 2181 }, ...own]);
  assert.deepEqual(merged.map(hostText), ["zk.example.org:2181", "10.0.0.1:2181"]);
});
