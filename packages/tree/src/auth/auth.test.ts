import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type ACL, CREATOR_ALL_ACL, ErrorCode, type Id, OPEN_ACL_UNSAFE, Perms } from "@vivarium/protocol";
import { AuthRegistry, maskDigests, withIds } from "./auth-registry.ts";
import { base64 } from "./base64.ts";
import { DigestProvider } from "./digest-provider.ts";
import { IpProvider, ipId } from "./ip-provider.ts";

const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();
const SUPER = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";
const digest = new DigestProvider({ hash: sha1, superDigest: SUPER });
const registry = new AuthRegistry([digest, new IpProvider()]);

const context = { remoteAddress: "127.0.0.1" };
const bytes = (text: string) => new TextEncoder().encode(text);
const acl = (perms: number, scheme: string | null, id: string | null): ACL => ({ perms, id: { scheme, id } });
const here: Id = { scheme: "ip", id: "127.0.0.1" };
const bob: Id = { scheme: "digest", id: digest.digest("bob:secret") };

test("digest: known hashes, super user, users without a list", () => {
  assert.deepEqual(registry.authenticate("digest", bytes("super:test"), context), [
    { scheme: "super", id: "" },
    { scheme: "digest", id: SUPER },
  ]);
  assert.deepEqual(registry.authenticate("digest", bytes("bob"), context), [
    { scheme: "digest", id: `bob:${sha1(bytes("bob")).toString("base64")}` },
  ]);
  assert.equal(digest.digest("bob:a:b"), `bob:${sha1(bytes("bob:a:b")).toString("base64")}`);
  assert.equal(registry.authenticate("nosuch", bytes("x"), context), undefined);
});

test("base64 agrees with Node.js for every length of the last group", () => {
  for (let size = 0; size < 20; size++) {
    const sample = Uint8Array.from({ length: size }, (_, i) => (i * 97 + 250) & 0xff);
    assert.equal(base64(sample), Buffer.from(sample).toString("base64"));
  }
});

test("digest ids in ACLs have two parts", () => {
  const cases: [string, boolean][] = [
    ["bob:x", true],
    [":x", true],
    ["bob:x:", true],
    ["bob:", false],
    ["bob", false],
    ["a:b:c", false],
    ["", false],
  ];
  for (const [id, valid] of cases) assert.equal(digest.isValid(id), valid, id);
});

test("ip networks", () => {
  const cases: [id: string, expression: string, expected: boolean][] = [
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.2", "127.0.0.1", false],
    ["10.1.2.3", "10.0.0.0/8", true],
    ["10.1.2.3", "10.255.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["10.128.0.1", "10.192.0.0/9", true],
    ["10.127.0.1", "10.192.0.0/9", false],
    ["1.2.3.4", "0.0.0.0/0", true],
    ["1.2.3.4", "1.2.3.6/31", false],
    ["1.2.3.4", "1.2.3.5/30", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["2001:db8::1", "2001:db8::/32", true],
    ["2001:db9::1", "2001:db8::/32", false],
    ["2001:db9::1", "2001:db8::/31", true],
    ["127.0.0.1", "::/0", false],
    ["::1", "0.0.0.0/0", false],
  ];
  for (const [id, expression, expected] of cases) {
    assert.equal(new IpProvider().matches(id, expression), expected, `${id} in ${expression}`);
  }
});

test("ip expressions that no ACL may hold", () => {
  const provider = new IpProvider();
  for (const bad of ["", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.x", "1.2.3.4/33", "1.2.3.4/-1"]) {
    assert.equal(provider.isValid(bad), false, bad);
  }
  for (const bad of ["1.2.3.4/", "1:2:3:4:5:6:7", "1::2::3", "1:2:3:4::5:6:7:8", "12345::", "::g", "::1/129", ":1::"]) {
    assert.equal(provider.isValid(bad), false, bad);
  }
  for (const good of ["1.2.3.4", "1.2.3.4/0", "1.2.3.4/32", "::", "::1/128", "1::", "1:2:3:4:5:6:7:8"]) {
    assert.equal(provider.isValid(good), true, good);
  }
});

test("addresses as the system gives them", () => {
  assert.deepEqual(ipId("::ffff:10.0.0.1"), { scheme: "ip", id: "10.0.0.1" });
  assert.deepEqual(ipId("fe80::1%eth0"), { scheme: "ip", id: "fe80::1" });
  assert.deepEqual(ipId("10.0.0.1"), { scheme: "ip", id: "10.0.0.1" });
});

test("checkACL", () => {
  const bobReads = [acl(Perms.READ, "digest", bob.id)];
  const cases: [string, boolean, ACL[], number, Id[]][] = [
    ["open", true, OPEN_ACL_UNSAFE, Perms.DELETE, [here]],
    ["an empty ACL forbids nothing", true, [], Perms.ALL, []],
    ["bob reads", true, bobReads, Perms.READ, [here, bob]],
    ["bob does not write", false, bobReads, Perms.WRITE, [here, bob]],
    ["one of two permissions is enough", true, bobReads, Perms.READ | Perms.ADMIN, [bob]],
    ["a stranger does not read", false, bobReads, Perms.READ, [here]],
    ["super may", true, bobReads, Perms.ADMIN, [{ scheme: "super", id: "" }]],
    ["a network", true, [acl(Perms.ALL, "ip", "127.0.0.0/8")], Perms.WRITE, [here]],
    ["a scheme without provider", false, [acl(Perms.ALL, "x509", "me")], Perms.READ, [{ scheme: "x509", id: "me" }]],
    [
      "the scheme must be the same",
      false,
      [acl(Perms.ALL, "ip", "127.0.0.1")],
      1,
      [{ scheme: "digest", id: "127.0.0.1" }],
    ],
  ];
  for (const [name, expected, list, perms, ids] of cases) {
    assert.equal(registry.checkACL(list, perms, ids), expected, name);
    assert.equal(new AuthRegistry([], { skipAcl: true }).checkACL(list, perms, ids), true);
  }
});

test("fixupACL", () => {
  const world = OPEN_ACL_UNSAFE[0] as ACL;
  const cases: [string, ACL[] | number, ACL[], Id[]][] = [
    ["open stays", [world], [world], [here]],
    ["duplicates go", [world], [world, { ...world, id: { ...world.id } }], [here]],
    ["other permissions are no duplicate", [world, acl(1, "world", "anyone")], [world, acl(1, "world", "anyone")], []],
    ["empty", ErrorCode.INVALIDACL, [], [here]],
    ["auth is all that is proven", [acl(31, "digest", bob.id)], CREATOR_ALL_ACL, [here, bob]],
    ["auth with nothing proven", ErrorCode.INVALIDACL, CREATOR_ALL_ACL, [here]],
    ["world has one id", ErrorCode.INVALIDACL, [acl(31, "world", "everyone")], [here]],
    ["super cannot be named", ErrorCode.INVALIDACL, [acl(31, "super", "")], [{ scheme: "super", id: "" }]],
    ["unknown scheme", ErrorCode.INVALIDACL, [acl(31, "sasl", "bob")], [here]],
    ["null scheme", ErrorCode.INVALIDACL, [acl(31, null, "bob")], [here]],
    ["null id", ErrorCode.MARSHALLINGERROR, [acl(31, "digest", null)], [here]],
    ["null id of the world", ErrorCode.MARSHALLINGERROR, [acl(31, "world", null)], [here]],
    ["null id that nobody would judge", ErrorCode.INVALIDACL, [acl(31, "sasl", null)], [here]],
    ["null id that stands for whoever asks", [acl(31, "digest", bob.id)], [acl(31, "auth", null)], [here, bob]],
    ["bad digest", ErrorCode.INVALIDACL, [acl(31, "digest", "bob")], [here]],
    ["bad ip after a good entry", ErrorCode.INVALIDACL, [world, acl(31, "ip", "1.2.3")], [here]],
  ];
  for (const [name, expected, list, ids] of cases) assert.deepEqual(registry.fixupACL(list, ids), expected, name);
});

test("getACL hides hashes, whoAmI shows names, ids are added once", () => {
  const list = [acl(31, "digest", "bob:hash"), acl(1, "ip", "::1"), acl(1, "digest", "odd")];
  assert.deepEqual(maskDigests(list), [acl(31, "digest", "bob:x"), acl(1, "ip", "::1"), acl(1, "digest", "odd")]);
  assert.deepEqual(registry.clientInfo([here, bob, { scheme: "super", id: "" }]), [
    { authScheme: "ip", user: "127.0.0.1" },
    { authScheme: "digest", user: "bob" },
    { authScheme: "super", user: "" },
  ]);
  const before = [here];
  assert.deepEqual(withIds(before, [bob, { ...here }]), [here, bob]);
  assert.deepEqual(before, [here]);
});
