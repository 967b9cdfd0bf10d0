// One seed, one list of operations. The list depends on nothing but the seed and its length, so that any part of it
// can be played again, also with pieces left out.

import { openAcl } from "../lib/records.mjs";
import { SeededRandom } from "./random.mjs";
import * as word from "./vocabulary.mjs";

const slots = 5;

// ---- the records of single requests; `options.quota` is false where the quota's subtree must be left alone

/** Apache's server stops for good when the text in a quota's nodes is not one: there it gets a right one. */
function pathAndData(random, path) {
  if (typeof path !== "string" || !/zookeeper_(limits|stats)/.test(path)) return { path, data: word.data(random) };
  return { path, data: random.pick(word.limits) };
}

const createFields = (random, options, flags) => ({
  ...pathAndData(random, (isSequential(flags) ? word.sequentialPath : word.anyPath)(random, options)),
  acl: word.acl(random),
  flags,
});

const isSequential = (flags) => flags === 2 || flags === 3 || flags === 6;

const createFlags = (random) =>
  random.weighted([
    [10, 0],
    [4, 1],
    [4, 2],
    [2, 3],
    [0.5, 4],
    [0.3, 5],
    [0.3, 6],
    [0.3, random.pick([-1, 7, 99, 2147483647])],
  ]);

const create = (random, options) => createFields(random, options, createFlags(random));
/** While a container with ephemeral flags is under way, Apache's server takes it for an ephemeral: not in bursts. */
function createContainer(random, options) {
  const flags = random.chance(0.8) ? 4 : createFlags(random);
  return createFields(random, options, options?.quota === false && (flags === 1 || flags === 3) ? 4 : flags);
}

/** Apache's server stops for good on a ttl below 0 that comes with flags of no TTL node. */
function createTTL(random, options) {
  const fields = createFields(random, options, random.chance(0.85) ? random.pick([5, 6]) : createFlags(random));
  const ttl = word.ttl(random);
  return { ...fields, ttl: fields.flags < 5 && Number(ttl) < 0 ? 1 : ttl };
}

const deleteFields = (random, options) => ({ path: word.anyPath(random, options), version: word.version(random) });
const setData = (random, options) => ({
  ...pathAndData(random, word.anyPath(random, options)),
  version: word.version(random),
});

/** The root keeps its open ACL, for the sake of everything else. */
function setACL(random, options) {
  const fields = { path: word.anyPath(random, options), acl: word.acl(random), version: word.version(random) };
  return fields.path === "/" || fields.path === "" ? { ...fields, path: "/a" } : fields;
}

const pathOnly = (random) => ({ path: word.anyPath(random) });
const read = (random) => ({
  path: random.chance(0.3) ? watchedPath(random) : word.anyPath(random),
  watch: random.chance(0.5),
});
const check = deleteFields;
const nothing = () => ({});

const subOperations = [
  [8, "create", create],
  [4, "create2", create],
  [1, "createContainer", createContainer],
  [1.5, "createTTL", createTTL],
  [6, "delete", deleteFields],
  [5, "setData", setData],
  [4, "check", check],
  [0.15, "getData", read],
  [0.1, "setACL", setACL],
  [0.05, "exists", read],
  [0.05, 999, nothing],
  [0.05, "multi", multi],
].map(([weight, op, make]) => [weight, { op, make }]);

const subReads = [
  [5, "getData", read],
  [5, "getChildren", read],
  [0.1, "getChildren2", read],
  [0.1, "exists", read],
  [0.1, "create", create],
  [0.05, -11, nothing],
].map(([weight, op, make]) => [weight, { op, make }]);

/** A null ACL in a multi stops Apache's decoder half way, and no zxid is taken then: no client sends that. */
const subFields = (fields) => (fields.acl === null ? { ...fields, acl: [] } : fields);

/** Parts that go well one after the other, on a node that the first of them makes; what is left of it may be nothing. */
function chain(random) {
  const parent = random.pick(["/a", "/b", "/c", "/日本"]);
  const path = `${parent}/m${random.int(0, 3)}`;
  const make = random.pick(["create", "create", "create2", "createContainer", "createTTL"]);
  const flags = { createContainer: 4, createTTL: 5 }[make] ?? random.pick([0, 0, 1]);
  const fresh = { path, data: word.data(random), acl: openAcl, flags, ttl: 3_600_000 };
  const parts = [
    { op: make, ...fresh },
    { op: "setData", path, data: word.data(random), version: 0 },
    { op: "check", path, version: random.pick([1, 1, -1]) },
    { op: "create", path: `${parent}/s-`, data: null, acl: word.acl(random) ?? [], flags: random.pick([2, 3]) },
    { op: "create2", path: `${path}/s-`, data: null, acl: openAcl, flags: 2 },
    { op: "setData", path: parent, data: word.data(random), version: -1 },
    { op: "delete", path, version: -1 },
    { op: make, ...fresh },
  ];
  // Mostly all that go together; sometimes with holes, so that later parts miss what earlier ones would have done.
  return parts.filter((_part, i) => (i === 4 ? random.chance(0.2) : random.chance(i === 0 ? 0.95 : 0.75)));
}

/** Half of the other multis stay on a few neighbouring paths, so that their parts depend on each other. */
function multi(random, options) {
  if (random.chance(0.35)) return { ops: chain(random) };
  const near = random.chance(0.5) ? word.path(random, options) : undefined;
  const ops = random.list(random.int(0, 6), () => {
    const { op, make } = random.weighted(subOperations);
    const fields = subFields(make(random, options));
    if (near !== undefined && random.chance(0.8)) fields.path = random.pick([near, near, `${near}/x`, `${near}/x/y`]);
    return { op, ...fields };
  });
  if (random.chance(0.02)) return { ops, unfinished: true };
  return { ops };
}

const multiRead = (random) => ({
  ops: random.list(random.int(0, 5), () => {
    const { op, make } = random.weighted(subReads);
    return { op, ...make(random) };
  }),
});

/** Where watches are set Apache takes null for a path, or stumbles over it half way: no client sends that. */
const noNull = { nulls: false };
const somePaths = (random) => random.list(random.int(0, 4), () => word.anyPath(random, noNull));
const setWatches = (random) => ({
  relativeZxid: word.zxid(random),
  // A later list that is missing stops Apache half way.
  data: random.chance(0.03) ? null : somePaths(random),
  exist: somePaths(random),
  child: somePaths(random),
});
const setWatches2 = (random) => ({
  ...setWatches(random),
  persistent: somePaths(random),
  persistentRecursive: somePaths(random),
});
/** Few enough that watches meet those who look for them. */
const watchedPath = (random, options) =>
  random.chance(0.6) ? random.pick(["/", "/a", "/b", "/c", "/a/x"]) : word.anyPath(random, options);
const addWatch = (random) => ({
  path: watchedPath(random, noNull),
  mode: random.chance(0.9) ? random.int(0, 1) : random.pick([2, -1, 99]),
});
const watchType = (random) => ({
  path: watchedPath(random),
  type: random.chance(0.9) ? random.int(1, 5) : random.pick([0, 6, -1]),
});
const getEphemerals = (random) => ({
  prefixPath: random.chance(0.5) ? random.pick(["", "/", " ", null, "/a", "/a/x"]) : word.anyPath(random),
});
const reconfig = (random) => ({
  joining: random.pick([null, "server.2=127.0.0.1:1:2;3"]),
  leaving: random.pick([null, "1"]),
  newMembers: random.pick([null, "", "server.1=127.0.0.1:1:2;3"]),
  curConfigId: random.pick([-1, 0, 7]),
});

/** Requests that are answered in order, so that many may be under way. */
const inOrder = [
  [14, "create", create],
  [6, "create2", create],
  [3, "createContainer", createContainer],
  [4, "createTTL", createTTL],
  [9, "delete", deleteFields],
  [9, "setData", setData],
  [5, "setACL", setACL],
  [6, "exists", read],
  [7, "getData", read],
  [4, "getChildren", read],
  [5, "getChildren2", read],
  [3, "getACL", pathOnly],
  [1, "sync", pathOnly],
  [1.5, "getEphemerals", getEphemerals],
  [2, "getAllChildrenNumber", pathOnly],
  [0.7, "whoAmI", nothing],
  [0.7, "ping", nothing],
  [12, "multi", multi],
  [4, "multiRead", multiRead],
  [3, "addWatch", addWatch],
  [1.5, "checkWatches", watchType],
  [2.5, "removeWatches", watchType],
  [1.5, "setWatches", setWatches],
  [2, "setWatches2", setWatches2],
  [0.4, "reconfig", reconfig],
].map(([weight, name, make]) => [weight, { name, make }]);

function call(random, options) {
  const { name, make } = random.weighted(inOrder);
  return { name, fields: make(random, options) };
}

// ---- operations: lists of one or a few steps

const oneCall = (random, slot) => [{ kind: "call", slot, ...call(random) }];

/**
 * Several requests in one write. Two things depend on timing in Apache's server and stay out: what a quota says while
 * writes are under way, and the ACL that writes behind a setACL are checked against.
 */
function burst(random, slot) {
  const calls = random.list(random.int(2, 12), () => call(random, { quota: false }));
  const last = calls.length - 1;
  const timeless = calls.map((each, i) =>
    each.name === "setACL" && i < last ? { name: "getACL", fields: { path: each.fields.path } } : each,
  );
  return [{ kind: "burst", slot, calls: timeless }];
}

/** A request whose record is cut short, has bytes behind it, or is written over. */
function damaged(random, slot) {
  const step = { kind: "call", slot, mayClose: true, ...call(random) };
  const other = call(random);
  return [
    random.weighted([
      [5, { ...step, cut: random.int(1, random.chance(0.5) ? 4 : 40) }],
      [2, { ...step, extra: random.pick(["00", "ffffffff", "0000000100"]) }],
      [5, { ...step, patch: { at: random.int(0, random.chance(0.5) ? 4 : 30), hex: random.pick(badBytes) } }],
      [1, { ...step, as: other.name, fields: other.fields }],
      [1, { ...step, xid: random.pick([0, -3, -5, 2147483647, -2147483648, 1]) }],
    ]),
  ];
}

const badBytes = ["ff", "80", "ffffffff", "fffffffe", "7fffffff", "00100001", "80000000", "00000000", "00000001", "c3"];

const unknownOps = [0, 10, 13, 23, 50, 99, 108, 1000, -1, -2, -12, 2147483647];
const unknown = (random, slot) => [
  {
    kind: "call",
    slot,
    name: random.pick(unknownOps),
    as: "check",
    fields: check(random),
    mayClose: true,
    closes: true,
  },
];

const auth = (random, slot) => [
  { kind: "call", slot, name: "auth", fields: random.pick(word.credentials), mayClose: true },
];
const badAuth = (random, slot) => [
  { kind: "call", slot, name: "auth", fields: random.pick(word.badCredentials), mayClose: true, closes: true },
];

const sasl = (random, slot) => [
  {
    kind: "call",
    slot,
    name: "sasl",
    fields: { token: random.pick([null, { hex: "" }, { hex: "00ff" }]) },
    mayClose: true,
    closes: true,
  },
];

const badFrames = [
  "ffffffff",
  "80000000",
  "7fffffff",
  "00100000",
  "00000000",
  "0000000100",
  "000000040000000100",
  "00000006000000010000",
];
const bytes = (random, slot) => [{ kind: "bytes", slot, hex: random.pick(badFrames) }];

const renewal = (random) => ({
  zxid: random.pick(["seen", "zero"]),
  keep: random.chance(0.4),
  old: random.chance(0.3),
  readOnly: random.chance(0.3),
});

const timeOut = (random) => (random.chance(0.3) ? random.pick([60_001, 100_000, 2_147_483_647]) : 60_000);

/** Connections: new sessions, resumed ones, taken from another connection, refused, and tried again after that. */
function connect(random, slot) {
  const base = { kind: "connect", slot, ...renewal(random), timeOut: timeOut(random) };
  const wrong = random.pick([null, { hex: "" }, { hex: "00".repeat(16) }, { hex: "01".repeat(16) }, { hex: "0102" }]);
  const own = { ...base, session: "own" };
  return random.weighted([
    [3, [{ ...base, session: "new" }]],
    [6, [own]],
    [3, [{ ...base, session: { of: random.int(0, slots - 1) } }]],
    [1, [{ ...base, session: "unknown", passwd: random.chance(0.5) ? "right" : wrong }]],
    [2, [{ ...own, passwd: wrong }, own]],
    [1, [{ ...own, zxid: "ahead" }, own]],
    [1, [{ kind: "call", slot, name: "closeSession" }, own]],
  ]);
}

const drop = (_random, slot) => [{ kind: "drop", slot }];
const closeSession = (_random, slot) => [{ kind: "call", slot, name: "closeSession" }];
const expire = (random, slot) => [{ kind: "expire", slot, path: `/dying-${random.int(0, 9)}` }];

const quotaRoots = ["/q", "/q", "/q/x"];

/** The nodes that make a quota, in the order in which the shell makes them, sometimes incomplete; then its removal. */
function quota(random, slot) {
  const root = `/zookeeper/quota${random.pick(quotaRoots)}`;
  const write = (name, fields) => ({ kind: "call", slot, name, fields });
  const limits = { path: `${root}/zookeeper_limits`, data: random.pick(word.limits) };
  const stats = { path: `${root}/zookeeper_stats`, data: "count=0,bytes=0" };
  return random.weighted([
    [
      6,
      [
        write("create", { path: "/q", data: word.data(random) }),
        write("create", { path: "/zookeeper/quota/q" }),
        write("create", { path: root }),
        write("create", limits),
        write("create", stats),
      ],
    ],
    [3, [write("setData", limits)]],
    [1, [write("delete", { path: limits.path }), write("delete", { path: stats.path })]],
    [1, [write("delete", { path: random.pick([limits, stats]).path })]],
    [4, [write("getData", { path: stats.path, watch: random.chance(0.3) })]],
    [4, [write("create", { path: `${random.pick(["/q", "/q/x"])}/n-`, flags: 2, data: word.data(random) })]],
    [2, [write("setData", { path: random.pick(["/q", "/q/x"]), data: word.data(random) })]],
  ]);
}

/** A watch that is looked for, taken away, and looked for again, with something else in between. */
function watched(random, slot) {
  const path = watchedPath(random, noNull);
  const [name, fields, type] = random.pick([
    ["addWatch", { mode: 0 }, 4],
    ["addWatch", { mode: 1 }, 5],
    ["getData", { watch: true }, 2],
    ["getChildren", { watch: true }, 1],
    ["exists", { watch: true }, 2],
  ]);
  const ask = (asked, typeOf) => ({ kind: "call", slot, name: asked, fields: { path, type: typeOf } });
  const steps = [
    { kind: "call", slot, name, fields: { path, ...fields } },
    ask("checkWatches", random.chance(0.7) ? type : random.int(1, 5)),
    ...(random.chance(0.5) ? oneCall(random, random.int(0, slots - 1)) : []),
    ask("removeWatches", random.chance(0.7) ? type : random.int(1, 5)),
    ask("checkWatches", 3),
  ];
  return steps.filter(() => random.chance(0.85));
}

const everything = [
  [100, oneCall],
  [2, watched],
  [9, burst],
  [7, damaged],
  [0.7, unknown],
  [5, auth],
  [0.7, badAuth],
  [0.3, sasl],
  [0.5, bytes],
  [3.5, connect],
  [0.7, drop],
  [1, closeSession],
  [0.06, expire],
  [5, quota],
];

/** What an operation counts for: the requests of a burst are operations of their own. */
export const weightOf = (step) => (step.kind === "burst" ? step.calls.length : 1);

/**
 * @param {{seed: number, ops: number}} options at least `ops` operations
 * @returns {import("./player.mjs").Operation[]}
 */
export function generate({ seed, ops }) {
  const random = new SeededRandom(seed);
  const steps = [];
  for (let count = 0; count < ops; ) {
    const slot = random.int(0, slots - 1);
    const made = random.weighted(everything)(random, slot);
    steps.push(...made);
    for (const step of made) count += weightOf(step);
  }
  return steps;
}
