/** Section C: a snapshot is written while the tree changes; replay must make of it what it would have become. */
import assert from "node:assert/strict";
import { type ACL, OpCode } from "@vivarium/protocol";
import { NONE } from "@vivarium/tree";
import { type CreateType, FuzzySnapshot } from "./fuzzy-snapshot.ts";
import type { Scenario } from "./scenario.ts";

const ZNODES = "tree/znodes.ts";
const WALK = "tree/snapshot-walk.ts";
const SAME_TREE = /the same (tree|digest) after a restart/;
const PRIVATE: ACL[] = [{ perms: 31, id: { scheme: "digest", id: "me:secret" } }];
const OTHER: ACL[] = [{ perms: 1, id: { scheme: "ip", id: "10.0.0.1" } }];

/** Of kinds that a fuzzy snapshot may hold before their create is replayed. */
const KINDS: readonly CreateType[] = [OpCode.create, OpCode.createContainer, OpCode.createTTL];

export const scenarios: readonly Scenario[] = [
  {
    about: ["ZOOKEEPER-1046", "create2-container-ttl-fix-up"],
    title: "children are in the snapshot, and their creates not in their parent",
    play() {
      for (const type of KINDS) {
        const it = new FuzzySnapshot();
        it.create("/p");
        it.begin();
        it.take("/p");
        it.create("/p/n1", { type });
        it.create("/p/n2", { type });
        it.delete("/p/n1");
        const tree = it.mustReload();
        assert.equal(tree.nodes.cversion(tree.nodes.findPath("/p")), 2, "the next sequential number is fresh");
      }
    },
    mutants: [
      {
        broken: "the parent of what is there already stays as it is",
        file: ZNODES,
        from: "this.#childCreated(parent, body.parentCVersion, zxid); return { type, err: ErrorCode.NODEEXISTS, path, node: existing };",
        to: "return { type, err: ErrorCode.NODEEXISTS, path, node: existing };",
        fails: SAME_TREE,
      },
      {
        broken: "only plain creates are given that care",
        file: ZNODES,
        from: "this.#childCreated(parent, body.parentCVersion, zxid); return { type, err: ErrorCode.NODEEXISTS, path, node: existing };",
        to: `if (type === 1) this.#childCreated(parent, body.parentCVersion, zxid);
          return { type, err: ErrorCode.NODEEXISTS, path, node: existing };`,
        fails: SAME_TREE,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-1573"],
    title: "a create is replayed whose parent was deleted later",
    play() {
      const it = new FuzzySnapshot();
      it.create("/p");
      it.begin();
      it.create("/p/n");
      it.delete("/p/n");
      it.delete("/p");
      it.mustReload();
    },
    mutants: [
      {
        broken: "that ends the loading",
        file: ZNODES,
        from: "if (parent === NONE) return { type, err: ErrorCode.NONODE, path, node: NONE };",
        to: 'if (parent === NONE) throw new Error("no parent");',
        fails: /no parent/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3125"],
    title: "a parent in the snapshot knows of later creates than those that are replayed",
    play() {
      const it = new FuzzySnapshot();
      it.create("/p");
      it.create("/p/n1");
      it.begin();
      it.create("/p/n2");
      it.delete("/p/n1");
      it.mustReload();
    },
    mutants: [
      {
        broken: "its pzxid goes back, and a delete of what is gone does not bring it forward",
        file: ZNODES,
        from: "if (cversion > before) this.nodes.setChildrenChanged(parent, cversion, zxid, digest);",
        to: "this.nodes.setChildrenChanged(parent, cversion, zxid, digest);",
        also: [
          {
            file: ZNODES,
            from: "if (zxid > nodes.pzxid(parent))",
            to: "if (nodes.find(this.#path, 0, pathEnd) !== -1 && zxid > nodes.pzxid(parent))",
          },
        ],
        fails: SAME_TREE,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3249"],
    title: "a delete is replayed of a child that the snapshot does not have, below a parent that it has from before",
    play() {
      const it = new FuzzySnapshot();
      it.create("/p");
      it.create("/p/n");
      it.begin();
      it.take("/p");
      it.delete("/p/n");
      it.mustReload();
    },
    mutants: [
      {
        broken: "the parent's pzxid stays as it is",
        file: ZNODES,
        from: "if (zxid > nodes.pzxid(parent))",
        to: "if (node !== NONE && zxid > nodes.pzxid(parent))",
        fails: SAME_TREE,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3145"],
    title: "a session's end is replayed whose ephemerals the snapshot does not have",
    play() {
      const it = new FuzzySnapshot();
      it.create("/p");
      it.create("/p/ephemeral", { owner: 7n });
      it.begin();
      it.take("/p");
      it.write({ type: OpCode.closeSession, paths2Delete: ["/p/ephemeral"] }, 7n);
      it.mustReload();
    },
    mutants: [
      {
        broken: "only what the session is found to own is deleted",
        file: "tree/data-tree.ts",
        from: "for (const path of paths) this.deleteNode(path, zxid);",
        to: "",
        fails: SAME_TREE,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3127", "ZOOKEEPER-3144"],
    title: "a snapshot is begun by who is told of the first part of a multi",
    play() {
      const it = new FuzzySnapshot();
      const begin = (): void => {
        it.begin();
        it.finish();
      };
      it.tree.watches.addData("/a", { id: 1, process: begin });
      it.write({ type: OpCode.multi, txns: [it.creation("/a"), it.creation("/b")] });
      it.mustReload();
    },
    mutants: [
      {
        broken: "the tree stands at a transaction before all of it is done",
        file: "tree/data-tree.ts",
        from: "const result = this.#applyBody(txn.body, header);",
        to: `if (header.zxid > this.lastProcessedZxid) this.lastProcessedZxid = header.zxid;
          const result = this.#applyBody(txn.body, header);`,
        fails: SAME_TREE,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3306", "ZOOKEEPER-4846", "ZOOKEEPER-4689"],
    title: "nodes with new ACLs come and go while a snapshot is written",
    play() {
      const it = new FuzzySnapshot();
      it.create("/old", { acl: PRIVATE });
      it.begin();
      it.create("/old/new", { acl: OTHER });
      it.write({ type: OpCode.setACL, path: "/old", acl: OTHER, version: 1 });
      it.create("/short-lived", { acl: [...PRIVATE, ...OTHER] });
      it.delete("/short-lived");
      const tree = it.mustReload();
      assert.equal(tree.acls.size, it.tree.acls.size, "as many ACLs as before");
    },
    mutants: [
      {
        broken: "a number that nodes of the snapshot have already is given to another ACL",
        file: "tree/acl-table.ts",
        from: "use(id) { if (id > this.#lastId) this.#lastId = id;",
        to: "use(id) {",
        also: [
          { file: WALK, from: "if (aclId > this.#lastAclId)", to: "if (false)" },
          { file: WALK, from: "this.#formerAcls.get(id) ?? nodes.aclId(id)", to: "nodes.aclId(id)" },
        ],
        fails: SAME_TREE,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-2808"],
    title: "one of two nodes that share an ACL is deleted after a restart",
    play() {
      const it = new FuzzySnapshot();
      it.create("/a", { acl: PRIVATE });
      it.create("/b", { acl: PRIVATE });
      it.begin();
      const tree = it.mustReload();
      const header = { clientId: 1n, cxid: 1, zxid: 9, time: 9, type: OpCode.delete };
      tree.apply({ header, body: { type: OpCode.delete, path: "/a" }, digest: null });
      const node = tree.nodes.findPath("/b");
      assert.notEqual(node, NONE);
      assert.deepEqual(tree.acls.get(tree.nodes.aclId(node)), PRIVATE);
    },
    mutants: [
      {
        broken: "an ACL counts as used once, however many nodes share it",
        file: "tree/acl-table.ts",
        from: "if (entry !== undefined) entry.uses++;",
        to: "if (entry !== undefined) entry.uses = 1;",
        fails: /Expected values to be strictly deep-equal/,
      },
    ],
  },
];
