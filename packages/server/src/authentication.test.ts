// Who a connection is: what auth packets prove, what they do not, and what enforce.auth demands of everybody.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ACL, CREATOR_ALL_ACL, ErrorCode, OpCode, Perms } from "@vivarium/protocol";
import { brief, type Reply } from "./testing/raw-client.ts";
import { auth, closeSession, create, getData, ping, raw, setData } from "./testing/requests.ts";
import { CLIENT_ADDRESS, TestBed } from "./testing/test-bed.ts";

const only = (scheme: string, id: string): ACL[] => [{ perms: Perms.ALL, id: { scheme, id } }];

test("digest: who has proven the password may, others may not, on this connection only", async () => {
  const bed = await TestBed.start();
  const [owner, other] = [await bed.client(), await bed.client()];
  assert.equal(await owner.outcome(auth("digest", "user:secret")), "OK");
  assert.equal(await owner.outcome(create("/a", { acl: CREATOR_ALL_ACL })), "OK");
  assert.equal(await owner.outcome(getData("/a")), "OK");
  assert.equal(await other.outcome(getData("/a")), "NOAUTH");
  assert.equal(await other.outcome(auth("digest", "user:guess")), "OK", "anybody may claim to be somebody else");
  assert.equal(await other.outcome(getData("/a")), "NOAUTH");
  assert.equal(await other.outcome(auth("digest", "user:secret")), "OK");
  assert.equal(await other.outcome(getData("/a")), "OK", "identities add up");
  const again = await bed.client(owner.session);
  assert.equal(await again.outcome(getData("/a")), "NOAUTH", "and end with their connection");
  await bed.stop();
});

test("without a proven identity, auth in an ACL means nobody", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  assert.equal(await client.outcome(create("/a", { acl: CREATOR_ALL_ACL })), "INVALIDACL");
  await bed.stop();
});

test("ip: the address that the connection comes from decides", async () => {
  const bed = await TestBed.start();
  const [here, there] = [await bed.client(), await bed.client({ address: "10.0.0.77" })];
  await here.call(create("/a", { acl: only("ip", CLIENT_ADDRESS) }));
  await here.call(create("/net", { acl: only("ip", "10.0.0.64/26") }));
  assert.equal(await here.outcome(getData("/a")), "OK");
  assert.equal(await there.outcome(getData("/a")), "NOAUTH");
  assert.equal(await here.outcome(getData("/net")), "NOAUTH");
  assert.equal(await there.outcome(getData("/net")), "OK");
  await bed.stop();
});

test("super: the password behind superDigest opens everything", async () => {
  const bed = await TestBed.start({ "DigestAuthenticationProvider.superDigest": "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=" });
  const [owner, admin] = [await bed.client(), await bed.client()];
  await owner.call(create("/a", { acl: only("ip", "1.2.3.4") }));
  assert.equal(await owner.outcome(setData("/a", "x")), "NOAUTH");
  assert.equal(await admin.outcome(auth("digest", "super:admin")), "OK");
  assert.equal(await admin.outcome(setData("/a", "x")), "OK");
  await bed.stop();
});

for (const { name, scheme, data } of [
  { name: "an unknown scheme", scheme: "kerberos", data: "x" },
  { name: "an empty scheme", scheme: "", data: "x" },
  { name: "world", scheme: "world", data: "anyone" },
]) {
  test(`${name} is answered AUTHFAILED, and the connection ends with one line in the log`, async () => {
    const bed = await TestBed.start();
    const [client, other] = [await bed.client(), await bed.client()];
    const xid = client.send(auth(scheme, data));
    client.send(create("/after"));
    await bed.settle();
    assert.equal(xid, -4);
    assert.deepEqual(brief(client.take()), ["#-4 AUTHFAILED"]);
    assert.equal(client.isClosed, true);
    assert.equal(bed.said("warn").length, 1);
    assert.equal(await other.outcome(getData("/after")), "NONODE");
    assert.match(await bed.word("mntr"), /^zk_auth_failed_count\t1$/m);
    await bed.stop();
  });
}

test("a SASL token finds no mechanism here: a null token and OK, and the client goes on without", async () => {
  const bed = await TestBed.start();
  const client = await bed.client();
  const reply = await client.call(raw(OpCode.sasl, Uint8Array.of(0, 0, 0, 0)));
  assert.deepEqual([reply.err, [...reply.body]], [0, [255, 255, 255, 255]]);
  assert.equal(await client.outcome(create("/a")), "OK");
  await bed.stop();
});

for (const request of [create("/a"), getData("/"), ping, closeSession]) {
  test(`enforce.auth: before it has proven itself a connection may not even ask op ${request.type}`, async () => {
    const bed = await TestBed.start({ "enforce.auth.enabled": true, "enforce.auth.schemes": "digest" });
    const client = await bed.client();
    client.send(request);
    await bed.settle();
    const [reply] = client.take() as Reply[];
    assert.equal(reply?.err, ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH);
    assert.equal(reply?.zxid, 0);
    assert.equal(client.isClosed, true);
    const proven = await bed.client(client.session);
    assert.equal(await proven.outcome(auth("digest", "user:secret")), "OK");
    assert.equal(await proven.outcome(create("/b")), "OK");
    await bed.stop();
  });
}

test("skipACL lets everybody do everything", async () => {
  const bed = await TestBed.start({ skipACL: "yes" });
  const client = await bed.client();
  await client.call(create("/a", { acl: only("ip", "1.2.3.4") }));
  assert.equal(await client.outcome(setData("/a", "x")), "OK");
  await bed.stop();
});
