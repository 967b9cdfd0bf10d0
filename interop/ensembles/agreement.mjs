// Whether all members of an ensemble at rest show the same: trees with every Stat, digests, sessions, ephemeral nodes.

import { compareTrees, dumpTree } from "../lib/dump-tree.mjs";
import { until } from "../lib/net.mjs";
import { RawClient } from "../lib/raw-client.mjs";

const DIGEST_INTERVAL = 128;

/** Each server makes this node for itself, with its own time in it; only the text is the ensemble's. */
const configPath = "/zookeeper/config";

/** Resolves when all have processed what `port`'s server had when it was asked. */
async function caughtUp(members, port) {
  const client = await RawClient.connect({ port, timeOut: 10_000 });
  // Digests are remembered at every 128th zxid: so many writes make every member remember one from now.
  const writes = Array.from({ length: DIGEST_INTERVAL + 1 }, () =>
    client.ask("setData", { path: "/", data: "settled" }),
  );
  await Promise.all(writes);
  const from = client.lastZxid - BigInt(DIGEST_INTERVAL);
  await client.close();
  await until(
    "all members' zxids",
    async () => {
      const zxids = await Promise.all(members.map((member) => member.zxid()));
      return zxids.every((zxid) => zxid === zxids[0] && zxid > from);
    },
    { timeoutMs: 30_000 },
  );
  return from;
}

async function treeOf({ port }) {
  const tree = await dumpTree(port);
  const config = tree[configPath];
  if (config !== undefined) tree[configPath] = { ...config, stat: {} };
  return tree;
}

/** Digests by zxid, as `hash` lists them. */
async function digestsOf(member) {
  const text = await member.word("hash");
  return new Map(
    [...text.matchAll(/^([0-9a-f]+): (-?\d+)$/gm)].map(([, zxid, digest]) => [BigInt(`0x${zxid}`), digest]),
  );
}

async function compareDigests(members, since) {
  const wrong = [];
  const [first, ...others] = await Promise.all(members.map(digestsOf));
  for (const [at, other] of others.entries()) {
    const common = [...first.keys()].filter((zxid) => other.has(zxid));
    const who = `members ${members[0].sid} and ${members[at + 1].sid}`;
    if (!common.some((zxid) => zxid >= since))
      wrong.push(`${who} have no digest in common since 0x${since.toString(16)}`);
    for (const zxid of common) {
      if (first.get(zxid) !== other.get(zxid)) wrong.push(`${who} differ in the digest at 0x${zxid.toString(16)}`);
    }
  }
  return wrong;
}

const figure = (text, name) => new RegExp(`^${name}\\t(.*)$`, "m").exec(text)?.[1];

/** Owners and paths of the ephemeral nodes, from `dump`. */
function ephemeralsOf(text) {
  const [, part = ""] = /^Sessions with Ephemerals[^\n]*\n([\s\S]*?)^Connections dump/m.exec(text) ?? [];
  const byOwner = part.split(/^(?=0x)/m).map((entry) => entry.trim().split(/\s+/).sort().join(" "));
  return byOwner.sort().join("\n");
}

async function compareSessions(members) {
  const wrong = [];
  const mntr = await Promise.all(members.map((member) => member.word("mntr")));
  const dumps = await Promise.all(members.map((member) => member.word("dump")));
  for (const name of ["zk_global_sessions", "zk_ephemerals_count", "zk_znode_count"]) {
    const values = mntr.map((text) => figure(text, name));
    if (new Set(values).size > 1) wrong.push(`${name} of the members: ${values.join(", ")}`);
  }
  const ephemerals = dumps.map(ephemeralsOf);
  for (const [at, text] of ephemerals.entries()) {
    if (text !== ephemerals[0])
      wrong.push(`ephemeral nodes of member ${members[at].sid}: ${text}; of the first: ${ephemerals[0]}`);
  }
  return wrong;
}

async function mismatches(members) {
  const counts = await Promise.all(
    members.map(async (member) => ({ member, count: figure(await member.word("mntr"), "zk_digest_mismatches_count") })),
  );
  return counts
    .filter(({ count }) => count !== "0")
    .map(({ member, count }) => `${member.kind} ${member.sid}: ${count}`);
}

/**
 * @param {import("../lib/ensemble.mjs").Ensemble} ensemble nobody writes to it now
 * @returns {Promise<{tree: object, wrong: Record<string, string[]>}>} the tree of all, and by what was looked at, what is not alike
 */
export async function compareMembers(ensemble) {
  const { members } = ensemble;
  const leader = await ensemble.leader();
  const since = await caughtUp(members, leader.port);
  const sessions = await compareSessions(members);
  const trees = [];
  for (const member of members) trees.push(await treeOf(member));
  const differences = trees.flatMap((tree, at) =>
    compareTrees(trees[0], tree).map((line) => `member ${members[at].sid} (${members[at].kind}): ${line}`),
  );
  return {
    tree: trees[0],
    wrong: {
      trees: differences,
      digests: await compareDigests(members, since),
      "sessions and ephemeral nodes": sessions,
      "digest mismatches": await mismatches(members),
    },
  };
}
