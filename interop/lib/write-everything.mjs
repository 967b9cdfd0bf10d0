// One of every transaction, written through the client port, so that a data directory holds them all:
// used for the disk fixtures and for moving directories between Apache and Vivarium.

import { superUser } from "./dump-tree.mjs";
import { until } from "./net.mjs";
import { RawClient } from "./raw-client.mjs";
import { openAcl } from "./records.mjs";

/** Properties under which every transaction type can be had, and quickly. */
export const everythingProperties = {
  "zookeeper.extendedTypesEnabled": "true",
  "znode.container.checkIntervalMs": 200,
};

const bobAcl = [{ perms: 31, scheme: "digest", id: "bob:iUnL3cVsuiT3jpPP1j1E6U6uaaU=" }];
const c = (op, path, more = {}) => ({ op, path, ...more });

/** Repeats and does not: what a compressor has to get right over several of its blocks. */
export function compressibleData(sizeBytes) {
  let seed = 42;
  const bytes = Buffer.alloc(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    bytes[i] = i % 1000 < 900 ? 97 + (i % 26) : seed >>> 24;
  }
  return bytes;
}

/**
 * @param {{port: number}} server
 * @param {{root?: string, withDeletions?: boolean, bigDataBytes?: number}} [options] `withDeletions` waits for the
 *   server's own deletion of a container and of a TTL node
 * @returns {Promise<{sessions: {sessionId: bigint, passwd: Buffer, timeOut: number}[]}>} the sessions left open; their
 *   connections are cut, not closed
 */
export async function writeEverything({ port }, { root = "/all", withDeletions = true, bigDataBytes = 0 } = {}) {
  const stays = await RawClient.connect({ port, timeOut: 30_000 });
  const leaves = await RawClient.connect({ port, timeOut: 8000 });
  const empty = await RawClient.connect({ port, timeOut: 40_000 });
  await stays.ask("auth", { scheme: "digest", auth: superUser });

  await stays.ask("create", { path: root, data: "everything" });
  await stays.ask("create", { path: `${root}/null`, data: null });
  await stays.ask("create2", { path: `${root}/create2`, data: "two" });
  await stays.ask("create", { path: `${root}/日本-ż`, data: Buffer.from([0, 1, 2, 255]) });
  await stays.ask("create", { path: `${root}/bob`, data: "secret", acl: bobAcl });
  await stays.ask("create", { path: `${root}/mixed`, acl: [...bobAcl, { perms: 1, scheme: "ip", id: "127.0.0.0/8" }] });
  for (let i = 0; i < 3; i++) await stays.ask("create", { path: `${root}/seq-`, flags: 2, data: String(i) });
  await stays.ask("create", { path: `${root}/eph`, flags: 1, data: "mine" });
  await stays.ask("create", { path: `${root}/eph-`, flags: 3 });
  await leaves.ask("create", { path: `${root}/short-lived`, flags: 1 });
  await leaves.ask("create2", { path: `${root}/short-lived-`, flags: 3 });

  await stays.ask("createContainer", { path: `${root}/container`, flags: 4, data: "c" });
  await stays.ask("create", { path: `${root}/container/child` });
  await stays.ask("createTTL", { path: `${root}/ttl`, flags: 5, ttl: 86_400_000n, data: "t" });
  await stays.ask("createTTL", { path: `${root}/ttl-`, flags: 6, ttl: 1_099_511_627_775n });

  await stays.ask("setData", { path: `${root}/create2`, data: "changed", version: 0 });
  await stays.ask("setData", { path: `${root}/create2`, data: null });
  await stays.ask("setACL", { path: `${root}/null`, acl: bobAcl, version: 0 });
  await stays.ask("setACL", { path: `${root}/mixed`, acl: openAcl });
  await stays.ask("create", { path: `${root}/gone` });
  await stays.ask("delete", { path: `${root}/gone`, version: 0 });

  await stays.call("create", { path: root });
  await stays.call("delete", { path: `${root}/none` });
  await stays.call("setData", { path: root, version: 99 });

  await multis(stays, root);
  await stays.ask("create", { path: `/zookeeper/quota${root}`, data: null });
  await stays.ask("create", { path: `/zookeeper/quota${root}/zookeeper_limits`, data: "count=1000,bytes=100000" });
  await stays.ask("create", { path: `/zookeeper/quota${root}/zookeeper_stats`, data: "count=0,bytes=0" });
  await stays.ask("create", { path: `${root}/counted`, data: "12345" });

  if (bigDataBytes > 0) await stays.ask("create", { path: `${root}/big`, data: compressibleData(bigDataBytes) });
  if (withDeletions) await deletions(stays, root);
  await leaves.close();
  const sessions = [stays, empty].map(({ sessionId, passwd, timeOut }) => ({ sessionId, passwd, timeOut }));
  for (const client of [stays, empty]) client.destroy();
  return { sessions };
}

async function multis(client, root) {
  await client.ask("multi", {
    ops: [
      c("create", `${root}/m`, { data: "m" }),
      c("create2", `${root}/m/two`, { data: "2" }),
      c("create", `${root}/m/seq-`, { flags: 2 }),
      c("create", `${root}/m/eph`, { flags: 1 }),
      c("createContainer", `${root}/m/container`, { flags: 4 }),
      c("createTTL", `${root}/m/ttl`, { flags: 5, ttl: 86_400_000n }),
      c("setData", `${root}/m/two`, { data: "22", version: 0 }),
      c("check", `${root}/m`, { version: 0 }),
      c("create", `${root}/m/gone`),
      c("delete", `${root}/m/gone`),
    ],
  });
  await client.ask("multi", { ops: [c("create", `${root}/m/never`), c("check", `${root}/m`, { version: 9 })] });
  await client.ask("multi", { ops: [] });
}

async function deletions(client, root) {
  await client.ask("createContainer", { path: `${root}/emptied`, flags: 4 });
  await client.ask("create", { path: `${root}/emptied/child` });
  await client.ask("delete", { path: `${root}/emptied/child` });
  await client.ask("createTTL", { path: `${root}/expired`, flags: 5, ttl: 1n });
  for (const path of [`${root}/emptied`, `${root}/expired`]) {
    await until(
      `the server's own deletion of ${path}`,
      async () => (await client.call("exists", { path })).err === -101,
    );
  }
}
