// The words operations are made of: few paths, so that operations meet, and every kind of wrong one.

import { digestId, superUser } from "../lib/dump-tree.mjs";
import { openAcl } from "../lib/records.mjs";

const letters = ["x", "y", "z"];

/** A path that may exist. Depth 1 is likelier than depth 3, so that parents exist. */
export function path(random, { quota = true } = {}) {
  const tops = quota ? ["/a", "/b", "/c", "/q", "/日本"] : ["/a", "/b", "/c", "/日本"];
  let result = random.pick(tops);
  while (random.chance(0.55) && result.length < 12) result += `/${name(random)}`;
  return result;
}

function name(random) {
  if (random.chance(0.12)) return `s-${String(random.int(0, 12)).padStart(10, "0")}`;
  return random.chance(0.05) ? random.pick(["ż", "e", "long-name-".repeat(8)]) : random.pick(letters);
}

/** Paths that some operation or other has to refuse; `{hex}` is a string that is not UTF-8. */
const strangePaths = [
  "",
  "a",
  "a/b",
  "/a/",
  "/a/x/",
  "//",
  "/a//x",
  "/.",
  "/a/.",
  "/a/..",
  "/a/../b",
  "/a/.x",
  "/a/x..",
  "/a\u0000",
  "/\u0000/a",
  "/a/\u0001",
  "/a\u001f",
  "/a\u007f",
  "/a\u009f",
  "/a\u00a0",
  "/a\ue000",
  "/a\uf8ff",
  "/a\uf900",
  "/a\ufff0",
  "/a\ufffd",
  "/a\u{1f600}",
  { hex: "2f61ff" },
  { hex: "2f61c3" },
  { hex: "2f61f09080" },
  { hex: "2f61c080" },
  null,
];

export const specialPaths = [
  "/",
  "/zookeeper",
  "/zookeeper/quota",
  "/zookeeper/config",
  "/zookeeper/none",
  "/zookeeper/quota/q",
  "/zookeeper/quota/q/zookeeper_limits",
  "/zookeeper/quota/q/zookeeper_stats",
];

/** A path for a request: mostly a good one, else a strange or a special one. */
export function anyPath(random, { nulls = true, ...options } = {}) {
  if (random.chance(0.04)) return random.pick(strangePaths) ?? (nulls ? null : "");
  if (random.chance(0.05)) return random.pick(specialPaths);
  return path(random, options);
}

/** The path of a sequential node: often a prefix, sometimes a directory with its slash. */
export function sequentialPath(random, options) {
  const base = anyPath(random, options);
  if (typeof base !== "string" || random.chance(0.3)) return base;
  return `${base === "/" ? "" : base}/${random.pick(["s-", "s-", ""])}`;
}

const alice = "alice:secret";
const bob = "bob:wonder";

/** What `auth` is given: scheme, data, and whether a server may refuse it. */
export const credentials = [
  { scheme: "digest", auth: alice },
  { scheme: "digest", auth: alice },
  { scheme: "digest", auth: bob },
  { scheme: "digest", auth: superUser },
  { scheme: "ip", auth: "" },
];

export const badCredentials = [
  { scheme: "nothing", auth: "x" },
  { scheme: "world", auth: "anyone" },
  { scheme: "super", auth: superUser },
  { scheme: "auth", auth: "" },
  { scheme: "sasl", auth: "x" },
  { scheme: "x509", auth: "x" },
  { scheme: "", auth: "x" },
  { scheme: null, auth: "x" },
  { scheme: "digest", auth: "" },
  { scheme: "digest", auth: "nobody" },
  { scheme: "digest", auth: ":" },
  { scheme: "digest", auth: "a:b:c" },
  { scheme: "digest", auth: { hex: "ff3aff" } },
  { scheme: "digest", auth: null },
  { scheme: { hex: "ff" }, auth: "x" },
];

const someAcls = [
  [{ perms: 31, scheme: "auth", id: "" }],
  [{ perms: 31, scheme: "digest", id: digestId(alice) }],
  [{ perms: 31, scheme: "digest", id: digestId(bob) }],
  [
    { perms: 31, scheme: "digest", id: digestId(alice) },
    { perms: 1, scheme: "world", id: "anyone" },
  ],
  [
    { perms: 3, scheme: "world", id: "anyone" },
    { perms: 16, scheme: "digest", id: digestId(alice) },
  ],
  [{ perms: 1, scheme: "world", id: "anyone" }],
  [{ perms: 2, scheme: "world", id: "anyone" }],
  [{ perms: 13, scheme: "world", id: "anyone" }],
  [{ perms: 15, scheme: "world", id: "anyone" }],
  [{ perms: 0, scheme: "world", id: "anyone" }],
  [{ perms: -1, scheme: "world", id: "anyone" }],
  [{ perms: 1000, scheme: "world", id: "anyone" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0.1" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0.0/8" }],
  [{ perms: 31, scheme: "ip", id: "10.0.0.0/8" }],
  [{ perms: 31, scheme: "ip", id: "::1" }],
  [...openAcl, ...openAcl],
  [...openAcl, { perms: 1, scheme: "world", id: "anyone" }],
  [
    { perms: 31, scheme: "auth", id: "whatever" },
    { perms: 1, scheme: "ip", id: "127.0.0.1" },
  ],
];

const badAcls = [
  null,
  [],
  [{ perms: 31, scheme: "world", id: "someone" }],
  [{ perms: 31, scheme: "world", id: null }],
  [{ perms: 31, scheme: null, id: "anyone" }],
  [{ perms: 31, scheme: "", id: "" }],
  [{ perms: 31, scheme: "nothing", id: "x" }],
  [{ perms: 31, scheme: "super", id: "" }],
  [{ perms: 31, scheme: "digest", id: "alice" }],
  [{ perms: 31, scheme: "digest", id: "" }],
  [{ perms: 31, scheme: "digest", id: null }],
  [{ perms: 31, scheme: "digest", id: ":" }],
  [{ perms: 31, scheme: "digest", id: ":x" }],
  [{ perms: 31, scheme: "digest", id: "x:" }],
  [{ perms: 31, scheme: "digest", id: "a:b:c" }],
  [{ perms: 31, scheme: "digest", id: "a:b:" }],
  [{ perms: 31, scheme: "digest", id: { hex: "ff3ac328" } }],
  [{ perms: 31, scheme: "digest", id: { hex: "f09f98803aeda080" } }],
  [{ perms: 31, scheme: "digest", id: "\u{1f600}:x" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0.256" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0.1/33" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0.1/-1" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0.1/" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0.1/8/8" }],
  [{ perms: 31, scheme: "ip", id: "127.0.0.1/x" }],
  [{ perms: 31, scheme: "ip", id: " 127.0.0.1" }],
  [{ perms: 31, scheme: "ip", id: "::1/129" }],
  [{ perms: 31, scheme: "ip", id: "::ffff:127.0.0.1" }],
  [{ perms: 31, scheme: "ip", id: "fe80::1/64" }],
  [{ perms: 31, scheme: "ip", id: "" }],
  [{ perms: 31, scheme: "sasl", id: "alice" }],
  [{ perms: 31, scheme: "x509", id: "CN=alice" }],
  [...openAcl, { perms: 31, scheme: "nothing", id: "x" }],
];

/** Most nodes are open, or the test would soon see nothing but NOAUTH. */
export function acl(random) {
  if (random.chance(0.78)) return openAcl;
  return random.pick(random.chance(0.75) ? someAcls : badAcls);
}

export function data(random) {
  if (random.chance(0.1)) return null;
  if (random.chance(0.1)) return { hex: "00ff80fe" };
  return random.pick(["", "a", "hello", "0123456789", { repeat: "x", times: 100 }, { repeat: "y", times: 2000 }]);
}

export const version = (random) =>
  random.chance(0.6) ? -1 : random.pick([0, 0, 1, 2, 3, -2, 2147483647, -2147483648]);

export const ttl = (random) =>
  random.chance(0.85)
    ? random.pick([3_600_000, 86_400_000, 1_099_511_627_775])
    : random.pick([0, -1, 1_099_511_627_776, "9223372036854775807", "-9223372036854775808"]);

export const zxid = (random) =>
  random.weighted([
    [6, { zxidBack: random.int(0, 30) }],
    [2, { zxidBack: 0 }],
    [1, 0],
    [1, Number.MAX_SAFE_INTEGER],
  ]);

/** Texts of a quota's limits, as clients of different ages write them. */
export const limits = [
  "count=5,bytes=-1",
  "count=-1,bytes=40",
  "count=5,bytes=40",
  "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=4",
  "count=-1,bytes=-1=;byteHardLimit=60;countHardLimit=-1",
  "count=2,bytes=20=;byteHardLimit=60;countHardLimit=5",
  "count=100000,bytes=100000000",
];
