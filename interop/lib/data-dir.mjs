// Looks into a data directory without any code of ours or of Apache's: which files there are, the headers and
// digests of the log's records, the digest section of a plain snapshot.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { In } from "./jute.mjs";

const zxidOf = (name) => BigInt(`0x${name.split(".")[1]}`);

/** Names in `version-2` that start with a word, oldest zxid first. */
export function filesOf(dir, word) {
  const version2 = join(dir, "version-2");
  if (!existsSync(version2)) return [];
  const names = readdirSync(version2).filter((name) =>
    new RegExp(`^${word}\\.[0-9a-f]+(\\.gz|\\.snappy)?$`).test(name),
  );
  return names.sort((a, b) => (zxidOf(a) < zxidOf(b) ? -1 : 1)).map((name) => join(version2, name));
}

/**
 * The whole records of one log file; none if its writer was killed before the header was on disk.
 * @returns {{zxid: bigint, clientId: bigint, cxid: number, time: bigint, type: number, digest?: bigint, entry: Buffer,
 *   end: number}[]} `end` is the offset just behind the record
 */
export function readLog(file) {
  const bytes = readFileSync(file);
  const input = new In(bytes);
  if (input.left < 16) return [];
  if (input.int() !== 0x5a4b4c47) throw new Error(`${file}: not a transaction log`);
  input.offset = 16;
  const records = [];
  while (input.left >= 12) {
    input.long();
    const length = input.int();
    if (length <= 0 || length + 1 > input.left || bytes[input.offset + length] !== 0x42) break;
    const entry = bytes.subarray(input.offset, input.offset + length);
    input.offset += length + 1;
    const header = new In(entry);
    const record = {
      clientId: header.long(),
      cxid: header.int(),
      zxid: header.long(),
      time: header.long(),
      type: header.int(),
      entry,
      end: input.offset,
    };
    const tail = new In(entry, Math.max(32, length - 12));
    if (tail.left === 12 && tail.int() === 2) record.digest = BigInt.asUintN(64, tail.long());
    records.push(record);
  }
  return records;
}

/** All records of all log files, in order. */
export const readLogs = (dir) => filesOf(dir, "log").flatMap(readLog);

/**
 * The digest section of a snapshot that is plain or gz; undefined if it has none, or is unfinished: Apache gives a
 * snapshot its name before it is whole, and a kill can leave it at any length.
 */
export function snapshotDigest(file) {
  if (file.endsWith(".snappy")) return undefined;
  const raw = readFileSync(file);
  const bytes = file.endsWith(".gz") ? wholeGzip(raw) : raw;
  const seal = 13;
  // After the first seal come the digest (20 bytes and a seal) and the last zxid (8 bytes and a seal).
  for (const behind of [8 + seal + 20 + seal, 20 + seal]) {
    if (bytes.length < behind) continue;
    const input = new In(bytes, bytes.length - behind);
    const [zxid, version, digest] = [input.long(), input.int(), BigInt.asUintN(64, input.long())];
    if (version === 2) return { zxid, digest };
  }
  return undefined;
}

function wholeGzip(raw) {
  try {
    return gunzipSync(raw);
  } catch (error) {
    if (error.code === "Z_BUF_ERROR" || error.code === "Z_DATA_ERROR") return Buffer.alloc(0);
    throw error;
  }
}

/**
 * A plain or gzip snapshot, read to its first seal: sessions and nodes with what is stored of their Stat, which shows
 * what the client port hides (owners of TTL nodes and containers, the counter behind sequential names).
 */
export function readSnapshot(file) {
  const raw = readFileSync(file);
  const input = new In(file.endsWith(".gz") ? gunzipSync(raw) : raw);
  if (input.int() !== 0x5a4b534e) throw new Error(`${file}: not a snapshot`);
  input.offset = 16;
  const sessions = input.vector(() => ({ id: input.long(), timeoutMs: input.int() }));
  const readAcl = () => ({ perms: input.int(), scheme: input.string(), id: input.string() });
  const acls = new Map(input.vector(() => [input.long(), input.vector(readAcl)]));
  const nodes = {};
  for (let path = input.string(); path !== "/"; path = input.string()) {
    const [data, aclId] = [input.buffer(), input.long()];
    const stat = {};
    for (const name of ["czxid", "mzxid", "ctime", "mtime"]) stat[name] = input.long();
    for (const name of ["version", "cversion", "aversion"]) stat[name] = input.int();
    for (const name of ["ephemeralOwner", "pzxid"]) stat[name] = input.long();
    nodes[path] = { data, acl: aclId === -1n ? "open" : acls.get(aclId), stat };
  }
  return { sessions, nodes };
}
