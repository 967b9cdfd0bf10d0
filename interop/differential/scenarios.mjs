// Written by hand: what a random list cannot wait for, or what would set the zxids of the two servers apart.

const call = (slot, name, fields, more = {}) => ({ kind: "call", slot, name, fields, ...more });

/**
 * The server's own deletion of containers and TTL nodes; a node is watched before it becomes one to be deleted. On a
 * busy machine Apache's timer catches up with several rounds at once, which ask twice for one deletion and take a zxid
 * each: hence the retries.
 */
const reaper = {
  name: "reaper",
  retries: 2,
  properties: { "znode.container.checkIntervalMs": 200 },
  steps: [
    call(0, "createContainer", { path: "/never-used", flags: 4 }),
    call(0, "createContainer", { path: "/c", flags: 4 }),
    call(0, "createContainer", { path: "/c/d", flags: 4 }),
    call(0, "create", { path: "/c/d/child" }),
    {
      kind: "deleted",
      slot: 2,
      path: "/c",
      by: [{ kind: "deleted", slot: 1, path: "/c/d", by: [call(0, "delete", { path: "/c/d/child" })] }],
    },
    call(0, "createTTL", { path: "/ttl", flags: 5, ttl: 600 }),
    { kind: "deleted", slot: 1, path: "/ttl", by: [] },
    call(0, "createTTL", { path: "/parent", flags: 5, ttl: 300 }),
    call(0, "create", { path: "/parent/child" }),
    { kind: "deleted", slot: 1, path: "/parent", by: [call(0, "delete", { path: "/parent/child" })] },
    call(0, "createTTL", { path: "/stays", flags: 5, ttl: 3_600_000 }),
    call(0, "createContainer", { path: "/kept", flags: 4 }),
    call(0, "create", { path: "/kept/child" }),
    call(0, "getChildren2", { path: "/" }),
  ],
};

/** What a session's end does to everything that hangs on it, with several watchers. */
const endings = {
  name: "endings",
  steps: [
    call(0, "addWatch", { path: "/", mode: 1 }),
    call(1, "getChildren", { path: "/", watch: true }),
    ...["/e1", "/e2", "/e3"].map((path) => call(2, "create", { path, flags: 1 })),
    ...["/e1", "/e2"].map((path) => call(3, "getData", { path, watch: true })),
    call(2, "closeSession"),
    { kind: "connect", slot: 2, session: "own" },
    { kind: "expire", slot: 3, path: "/dying-1" },
    { kind: "expire", slot: 1, path: "/dying-2" },
    call(0, "getChildren2", { path: "/" }),
  ],
};

export const scenarios = [reaper, endings];

/** Sent last, each by a connection of its own: Apache's server carries these out, and from here on the zxids differ. */
export const epilogue = [
  call("epilogue 1", "deleteContainer", { path: "/none" }, { mayClose: true, closes: true }),
  call("epilogue 2", "createSession", { timeOut: 60_000 }, { xid: 0, mayClose: true, closes: true }),
];
