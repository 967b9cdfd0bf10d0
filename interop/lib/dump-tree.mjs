// Reads a whole tree through the client port, as the super user: data, ACLs and every field of Stat of every node.

import { createHash } from "node:crypto";
import { RawClient } from "./raw-client.mjs";

/** The id that scheme `digest` makes of a user and a password. */
export const digestId = (userAndPassword) => {
  const hash = createHash("sha1").update(userAndPassword).digest("base64");
  return `${userAndPassword.split(":")[0]}:${hash}`;
};

export const superUser = "super:interop";

/** Properties with which a server, Apache's or ours, lets the dumper see everything. */
export const superProperties = { "zookeeper.DigestAuthenticationProvider.superDigest": digestId(superUser) };

/** Nodes asked for at a time. */
const WINDOW = 500;

const text = (value) => (typeof value === "bigint" ? String(value) : value);
const plainStat = (stat) => Object.fromEntries(Object.entries(stat).map(([key, value]) => [key, text(value)]));

/**
 * @param {number} port
 * @param {{skip?: (path: string) => boolean}} [options] `skip` leaves out a node and what is below it
 * @returns {Promise<Record<string, {data: string | null, acl: object[], children: string[], stat: object}>>}
 *   by path, sorted; data is hex; 64-bit numbers are decimal strings
 */
export async function dumpTree(port, { skip = () => false } = {}) {
  const client = await RawClient.connect({ port, timeOut: 30_000 });
  try {
    await client.ask("auth", { scheme: "digest", auth: superUser });
    const nodes = {};
    const visit = async (path) => {
      const [data, acl, children] = await Promise.all([
        client.call("getData", { path }),
        client.call("getACL", { path }),
        client.call("getChildren2", { path }),
      ]);
      if (data.err === -101 || children.err === -101) return [];
      for (const reply of [data, acl, children]) {
        if (reply.err !== 0) throw new Error(`cannot read ${path}: error ${reply.err}`);
      }
      const names = children.value.children.toSorted();
      nodes[path] = {
        data: data.value.data?.toString("hex") ?? null,
        acl: acl.value.acl,
        children: names,
        stat: plainStat(children.value.stat),
      };
      return names.map((name) => (path === "/" ? `/${name}` : `${path}/${name}`)).filter((child) => !skip(child));
    };
    for (let level = ["/"]; level.length > 0; ) {
      const next = [];
      for (let at = 0; at < level.length; at += WINDOW) {
        const found = await Promise.all(level.slice(at, at + WINDOW).map(visit));
        for (const children of found) for (const child of children) next.push(child);
      }
      level = next;
    }
    return Object.fromEntries(Object.entries(nodes).sort(([a], [b]) => (a < b ? -1 : 1)));
  } finally {
    await client.close();
  }
}

/** Differences of two dumps, one line each; empty when the trees are the same. */
export function compareTrees(expected, actual) {
  const lines = [];
  for (const path of Object.keys(expected)) {
    if (actual[path] === undefined) {
      lines.push(`${path}: missing`);
      continue;
    }
    for (const field of ["data", "acl", "children"]) {
      const [want, have] = [JSON.stringify(expected[path][field]), JSON.stringify(actual[path][field])];
      if (want !== have) lines.push(`${path}: ${field} is ${have}, expected ${want}`);
    }
    for (const [field, want] of Object.entries(expected[path].stat)) {
      const have = actual[path].stat[field];
      if (want !== have) lines.push(`${path}: ${field} is ${have}, expected ${want}`);
    }
  }
  for (const path of Object.keys(actual)) if (expected[path] === undefined) lines.push(`${path}: should not exist`);
  return lines;
}
