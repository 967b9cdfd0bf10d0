// What is left when all operations are done: the tree, what the four-letter words say of it, the transaction log.

import { readLogs } from "../lib/data-dir.mjs";
import { dumpTree } from "../lib/dump-tree.mjs";
import { In } from "../lib/jute.mjs";
import * as words from "./words.mjs";

/**
 * What a running server shows.
 * @param {import("../lib/server-process.mjs").ServerProcess} server
 * @param {import("./translate.mjs").Translator} translator
 * @returns {Promise<Record<string, any>>} by the name of the piece
 */
export async function contents(server, translator) {
  const state = { tree: await tree(server, translator) };
  for (const [name, read] of Object.entries(words.readers)) {
    state[`word ${name}`] = read(await server.word(name), translator);
  }
  return state;
}

/**
 * What a stopped server has logged, up to a zxid. A record with the zxid of the one before is counted, not compared.
 * @returns {Record<string, any>} by the name of the piece
 */
export function logOf(dataDir, translator, lastZxid) {
  const records = log(dataDir, translator).filter(({ zxid }) => BigInt(zxid) <= lastZxid);
  const unique = records.filter(({ zxid }, i) => zxid !== records[i - 1]?.zxid);
  return { log: unique, "repeated log records": records.length - unique.length };
}

async function tree(server, translator) {
  const nodes = await dumpTree(server.port);
  return Object.fromEntries(
    Object.entries(nodes).map(([path, { stat, ...rest }]) => [path, { ...rest, stat: translator.stat(stat) }]),
  );
}

/** The version and the digest of the tree at the end of a record; digests differ with the times in them. */
const digestBytes = 12;

/** Session ids appear only in the header and in the owner of an ephemeral, times only in the header. */
function log(dataDir, translator) {
  return readLogs(dataDir).map(({ zxid, clientId, cxid, type, entry, digest }) => {
    const hasDigest = digest !== undefined;
    const body = entry.subarray(32, hasDigest ? entry.length - digestBytes : entry.length);
    return {
      zxid: String(zxid),
      session: translator.session(clientId),
      cxid,
      type,
      hasDigest,
      body: type === -11 ? closedPaths(body) : body.toString("hex"),
    };
  });
}

/** The paths a closeSession deletes, which come in no particular order. */
const closedPaths = (body) =>
  body.length === 0 ? [] : new In(body).vector((each) => each.string()).sort((a, b) => (a < b ? -1 : 1));
