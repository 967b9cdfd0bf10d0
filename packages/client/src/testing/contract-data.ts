/** Contract: nodes, errors, transactions, access control. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  acl,
  BadArgumentsError,
  BadVersionError,
  CodecError,
  CREATOR_ALL_ACL,
  CreateMode,
  digestAcl,
  fourLetterWord,
  InvalidAclError,
  json,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  OPEN_ACL_UNSAFE,
  READ_ACL_UNSAFE,
  REQUEST_CHANNEL,
  ReplyTooLargeError,
  type RequestError,
  text,
  UnimplementedError,
} from "../index.ts";
import type { ContractCase } from "./contract.ts";

export const dataCases: ContractCase[] = [
  {
    name: "nodes are created, read, changed and deleted",
    run: async ({ zk }) => {
      const { path, stat } = await zk.create("/a", "one");
      assert.equal(path, "/a");
      assert.deepEqual([stat.version, stat.dataLength, stat.numChildren, stat.ephemeralOwner], [0, 3, 0, 0n]);
      assert.equal((await zk.getData("/a")).data?.toString(), "one");
      const changed = await zk.setData("/a", Buffer.from([1, 2]), { version: 0 });
      assert.equal(changed.version, 1);
      assert.ok(changed.mzxid > stat.mzxid);
      assert.deepEqual((await zk.getData("/a")).data, Buffer.from([1, 2]));
      assert.equal((await zk.exists("/a"))?.version, 1);
      await zk.delete("/a", { version: 1 });
      assert.equal(await zk.exists("/a"), null);
    },
  },
  {
    name: "null, empty and large data come back as they were",
    run: async ({ zk }) => {
      const large = Buffer.alloc(900_000, 7);
      await zk.create("/null", null);
      await zk.create("/empty", new Uint8Array(0));
      await zk.create("/large", large);
      assert.equal((await zk.getData("/null")).data, null);
      assert.deepEqual((await zk.getData("/empty")).data, Buffer.alloc(0));
      assert.ok((await zk.getData("/large")).data?.equals(large));
    },
  },
  {
    name: "names in any script survive",
    run: async ({ zk }) => {
      for (const name of ["ä", "名前", "with space", "a".repeat(300)]) {
        assert.equal((await zk.create(`/${name}`, name)).path, `/${name}`);
        assert.equal((await zk.getData(`/${name}`, { codec: text })).data, name);
      }
      assert.equal((await zk.getChildren("/")).children.length, 4);
    },
  },
  {
    name: "each refusal is an error of its own class, with code, path and op",
    run: async ({ zk }) => {
      await zk.create("/a");
      await zk.create("/a/b");
      await zk.create("/e", null, { mode: CreateMode.EPHEMERAL });
      const refusals: [Promise<unknown>, typeof RequestError, number, string, string][] = [
        [zk.getData("/no"), NoNodeError, -101, "getData", "/no"],
        [zk.create("/a"), NodeExistsError, -110, "create", "/a"],
        [zk.create("/no/x"), NoNodeError, -101, "create", "/no/x"],
        [zk.create("/e/x"), NoChildrenForEphemeralsError, -108, "create", "/e/x"],
        [zk.setData("/a", "", { version: 5 }), BadVersionError, -103, "setData", "/a"],
        [zk.delete("/a/b", { version: 5 }), BadVersionError, -103, "delete", "/a/b"],
        [zk.delete("/a"), NotEmptyError, -111, "delete", "/a"],
        [zk.setACL("/a", OPEN_ACL_UNSAFE, { version: 5 }), BadVersionError, -103, "setACL", "/a"],
        [zk.create("/i", null, { acl: [acl("nonsense", "x")] }), InvalidAclError, -114, "create", "/i"],
        [zk.create("/i", null, { acl: CREATOR_ALL_ACL }), InvalidAclError, -114, "create", "/i"],
      ];
      const outcomes = await Promise.allSettled(refusals.map(([call]) => call));
      for (const [index, outcome] of outcomes.entries()) {
        const [, Class, code, op, path] = refusals[index] as (typeof refusals)[number];
        const error = outcome.status === "rejected" ? outcome.reason : undefined;
        assert.ok(error instanceof Class, `${op} ${path}: ${error}`);
        assert.deepEqual(
          [error.name, error.code, error.op, error.path, error.mayHaveHappened],
          [Class.name, code, op, path, false],
        );
      }
    },
  },
  {
    name: "bad arguments are refused before they reach the wire",
    run: async ({ zk }) => {
      const before = zk.counters.sentBytes;
      const refused = [
        zk.getData("no-slash"),
        zk.getData("/ends/"),
        zk.create("/../x"),
        zk.getData("/nul\0"),
        zk.setData("/a", 5 as unknown as string),
        zk.setData("/a", "", { version: 1.5 }),
        zk.create("/a", null, { ttlMs: 5 }),
        zk.create("/a", Buffer.alloc(2_000_000)),
        zk.getData(undefined as unknown as string),
        zk.create("/a", 1n, { codec: json() }),
        zk.create("/a", 1n, { codec: json(), idempotent: true }),
        zk.create("/a", 5 as unknown as string, { protected: true }),
      ];
      await Promise.all(refused.map((call) => assert.rejects(call, BadArgumentsError)));
      assert.equal(zk.counters.sentBytes, before);
    },
  },
  {
    name: "an error's stack leads to the caller",
    run: async ({ zk }) => {
      const calls: Record<string, () => Promise<unknown>> = {
        read: () => zk.getData("/missing"),
        write: () => zk.setData("/missing", "x"),
        "with a codec": () => zk.getData("/missing", { codec: text }),
        "with a signal": () => zk.getData("/missing", { signal: new AbortController().signal, timeoutMs: 60_000 }),
        protected: () => zk.create("/missing/x", null, { protected: true }),
        idempotent: () => zk.setData("/missing", "x", { idempotent: true }),
        multi: () => zk.multi().delete("/missing").commit(),
        "of a view": () => zk.chroot("/missing").getChildren("/"),
        "one of many": () => Promise.all([zk.exists("/"), zk.getData("/missing")]),
      };
      const listener = (): void => undefined;
      for (const isTraced of [false, true]) {
        if (isTraced) subscribe(REQUEST_CHANNEL, listener);
        for (const [name, call] of Object.entries(calls)) {
          const caller = async (): Promise<unknown> => await call();
          const error = await caller().catch((reason: Error) => reason);
          assert.ok(error instanceof NoNodeError, name);
          assert.match(error.stack ?? "", /async caller/, `${name}${isTraced ? ", traced" : ""}`);
        }
      }
      unsubscribe(REQUEST_CHANNEL, listener);
    },
  },
  {
    name: "sequential names count up, and ephemeral nodes belong to the session",
    run: async ({ zk }) => {
      await zk.create("/q");
      const mode = CreateMode.EPHEMERAL_SEQUENTIAL;
      const first = await zk.create("/q/n-", null, { mode });
      const second = await zk.create("/q/", null, { mode });
      assert.deepEqual([first.path, second.path], ["/q/n-0000000000", "/q/0000000001"]);
      assert.equal(first.stat.ephemeralOwner, zk.session.id);
      assert.deepEqual((await zk.getEphemerals()).sort(), [second.path, first.path]);
      assert.deepEqual(await zk.getEphemerals("/q/n"), [first.path]);
    },
  },
  {
    name: "containers and TTL nodes are made",
    run: async ({ zk }) => {
      assert.equal((await zk.create("/c", null, { mode: CreateMode.CONTAINER })).stat.ephemeralOwner, 0n);
      try {
        const mode = CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL;
        assert.match((await zk.create("/t", null, { mode, ttlMs: 60_000 })).path, /^\/t\d{10}$/);
      } catch (error) {
        // zookeeper.extendedTypesEnabled is off.
        assert.ok(error instanceof UnimplementedError);
      }
    },
  },
  {
    name: "a multi happens as a whole, and its results follow its operations",
    run: async ({ zk }) => {
      await zk.create("/a", "0");
      const [created, checked, changed, sequential, deleted] = await zk
        .multi()
        .create("/m", "1")
        .check("/a", { version: 0 })
        .setData("/a", "1", { version: 0 })
        .create("/m/s-", null, { mode: CreateMode.PERSISTENT_SEQUENTIAL })
        .delete("/m/s-0000000000")
        .commit();
      assert.deepEqual([created.path, checked, changed.version, deleted], ["/m", undefined, 1, undefined]);
      assert.equal(sequential.path, "/m/s-0000000000");
      assert.equal(created.stat.czxid, changed.mzxid);
      assert.deepEqual(await zk.multi().commit(), []);
    },
  },
  {
    name: "a multi that fails changes nothing and names the operation at fault",
    run: async ({ zk }) => {
      await zk.create("/a");
      const failing = zk.multi().create("/m").setData("/a", "x", { version: 9 }).delete("/a").commit();
      await assert.rejects(failing, (error) => {
        assert.ok(error instanceof BadVersionError);
        assert.deepEqual([error.index, error.op, error.path], [1, "setData", "/a"]);
        return true;
      });
      assert.equal(await zk.exists("/m"), null);
    },
  },
  {
    name: "each read of a multiRead succeeds or fails on its own",
    run: async ({ zk }) => {
      await zk.create("/a", "1");
      await zk.create("/a/b");
      const [data, missing, children] = await zk.multiRead().getData("/a").getData("/no").getChildren("/a").commit();
      assert.equal(data.status === "fulfilled" && data.value.data?.toString(), "1");
      assert.ok(missing.status === "rejected" && missing.reason instanceof NoNodeError);
      assert.deepEqual(children, { status: "fulfilled", value: ["b"] });
    },
  },
  {
    name: "the operations of a multi and of a multiRead take codecs",
    run: async ({ zk }) => {
      const codec = json<{ port: number }>();
      await zk.multi().create("/a", { port: 1 }, { codec }).create("/b", "no JSON").commit();
      await zk.multi().setData("/a", { port: 2 }, { codec, version: 0 }).commit();
      const [good, bad] = await zk.multiRead().getData("/a", { codec }).getData("/b", { codec }).commit();
      assert.deepEqual(good.status === "fulfilled" && good.value.data, { port: 2 });
      assert.ok(bad.status === "rejected" && bad.reason instanceof CodecError && bad.reason.path === "/b");
      assert.throws(() => zk.multi().setData("/a", 1n, { codec: json() }), BadArgumentsError);
    },
  },
  {
    name: "digest identities open what they protect",
    run: async ({ zk, connect }) => {
      await zk.create("/s", "secret", { acl: [digestAcl("me", "pw")] });
      await assert.rejects(zk.getData("/s"), NoAuthError);
      await zk.addAuth("digest", "me:pw");
      assert.equal((await zk.getData("/s")).data?.toString(), "secret");
      assert.ok((await zk.whoAmI()).some(({ authScheme, user }) => authScheme === "digest" && user === "me"));
      const { acl: entries, stat } = await zk.getACL("/s");
      assert.deepEqual(entries, [digestAcl("me", "pw")]);
      assert.equal((await zk.setACL("/s", READ_ACL_UNSAFE, { version: stat.aversion })).aversion, 1);
      const other = await connect({ auth: [{ scheme: "digest", auth: "me:pw" }] });
      await other.create("/mine", null, { acl: CREATOR_ALL_ACL });
      assert.deepEqual((await other.getACL("/mine")).acl, [digestAcl("me", "pw")]);
      await other.delete("/mine");
    },
  },
  {
    name: "a chroot view shares the session and sees its own paths",
    run: async ({ zk }) => {
      await zk.ensurePath("/x/y");
      const view = zk.chroot("/x/y");
      assert.equal((await view.create("/z")).path, "/z");
      assert.deepEqual((await view.getChildren("/")).children, ["z"]);
      assert.ok(await zk.exists("/x/y/z"));
      assert.equal(view.session.id, zk.session.id);
      await view.create("/e", null, { mode: CreateMode.EPHEMERAL });
      await zk.create("/e", null, { mode: CreateMode.EPHEMERAL });
      assert.deepEqual(await view.getEphemerals(), ["/e"]);
      assert.deepEqual((await zk.getEphemerals()).sort(), ["/e", "/x/y/e"]);
      const [made] = await view.multi().create("/m").commit();
      assert.equal(made.path, "/m");
      await assert.rejects(view.getData("/no"), (error) => error instanceof NoNodeError && error.path === "/no");
    },
  },
  {
    name: "codecs encode, decode, and say what does not fit",
    run: async ({ zk }) => {
      const numbers = json<number[]>();
      await zk.create("/j", [1, 2], { codec: numbers });
      const { data } = await zk.getData("/j", { codec: numbers });
      assert.deepEqual(data, [1, 2]);
      await zk.setData("/j", "{");
      await assert.rejects(
        zk.getData("/j", { codec: numbers }),
        (error) => error instanceof CodecError && error.path === "/j",
      );
      await assert.rejects(zk.setData("/j", undefined as unknown as number[], { codec: numbers }), BadArgumentsError);
    },
  },
  {
    name: "subtrees are made, counted, listed and deleted",
    run: async ({ zk }) => {
      await zk.ensurePath("/t/a/b");
      await zk.ensurePath("/t/a/c");
      assert.equal(await zk.getAllChildrenNumber("/t"), 3);
      assert.deepEqual((await zk.listSubtree("/t")).sort(), ["/t", "/t/a", "/t/a/b", "/t/a/c"]);
      await zk.deleteSubtree("/t");
      await zk.deleteSubtree("/t");
      assert.equal(await zk.exists("/t"), null);
    },
  },
  {
    name: "an answer that is too large fails its call and nothing else",
    run: async ({ zk, connect }) => {
      await zk.create("/big", Buffer.alloc(100_000));
      await zk.create("/small", "s");
      const narrow = await connect({ maxReplyBytes: 50_000 });
      const big = narrow.getData("/big");
      const small = narrow.getData("/small");
      await assert.rejects(big, (error) => error instanceof ReplyTooLargeError && /maxReplyBytes/.test(error.message));
      assert.equal((await small).data?.toString(), "s");
    },
  },
  {
    name: "sync, getConfig, srvr and the wide directory answer",
    run: async ({ zk, server }) => {
      await zk.sync();
      assert.match(await fourLetterWord(server, "srvr"), /Mode: /);
      assert.ok((await zk.getConfig()).stat.czxid >= 0);
      await Promise.all(Array.from({ length: 2000 }, (_, i) => zk.create(`/n${i}`)));
      assert.equal((await zk.getChildren("/")).children.length, 2000);
    },
  },
];
