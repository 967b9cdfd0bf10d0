/** Section F: sessions, their ephemerals, and watches. S3 leads at first. */
import assert from "node:assert/strict";
import { CREATOR_ALL_ACL, CreateMode } from "@vivarium/client";
import { CreateRequest, OPEN_ACL_UNSAFE, OpCode } from "@vivarium/protocol";
import type { RawClient } from "./raw-client.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

const NONE = -1;
const EPHEMERAL = 1;

export const scenarios: readonly Scenario[] = [
  {
    about: ["ZOOKEEPER-1367"],
    title: "a leader got a session by its own sync, and nobody takes the session up",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.kill(s2);
      const client = await stage.rawSession(s1, null, 2000);
      createEphemeral(client, "/ephemeral");
      await stage.until("it is created", () => client.replies.length > 0);
      stage.start(s2);
      await stage.serving(s2);
      stage.kill(s3);
      await stage.serving(s1, s2);
      assert.equal(stage.leader, s2);
      const isGone = (): boolean => s2.running.server.tree.nodes.findPath("/ephemeral") === NONE;
      await stage.until("the session has expired", isGone, 5000);
      await stage.agree();
    },
    mutants: [
      {
        broken: "a leader watches over the sessions that it sees begin",
        file: "server/peer/leader-term.ts",
        from: "server.adoptSessions();",
        to: "",
        fails: /the session has expired: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-1496"],
    title: "a session asks for an ephemeral while its end is being agreed on",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, , s3] = stage.three;
      const client = await stage.rawSession(s1, null, 800);
      for (const server of stage.servers) stage.slowDisk(server, 100, /log\./);
      await stage.until("it expires", () => stage.said(s3, "session expired") > 0, 5000);
      createEphemeral(client, "/ephemeral");
      await stage.pass(500);
      await stage.agree();
      assert.equal(await stage.read(s1, "/ephemeral"), null);
    },
    mutants: [
      {
        broken: "the session is good until its end is applied",
        file: "server/session-tracker.ts",
        from: "for (const session of due) session.closing = true;",
        to: "",
        also: [
          {
            file: "server/leader-path.ts",
            from: "if (write.type === OpCode.closeSession) this.#server.tracker.setClosing(write.sessionId);",
            to: "",
          },
        ],
        fails: /a closed session creates nothing/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-558"],
    title: "a client closes its session and waits",
    async play(rules) {
      const stage = await Stage.open({ rules });
      for (const server of stage.servers) {
        const client = await stage.rawSession(server);
        const xid = client.send(OpCode.closeSession);
        await stage.until("the connection is closed", () => client.isClosed, 1000);
        assert.equal(client.replyTo(xid)?.err, 0, "the answer came first");
      }
      await stage.agree();
    },
    mutants: [
      {
        broken: "the connection stays open",
        file: "server/reply-to-write.ts",
        from: 'if (request.type === OpCode.closeSession) connection.close("closed by its client");',
        to: "",
        fails: /the connection is closed: not within/,
      },
      {
        broken: "the connection is closed without an answer",
        file: "server/reply-to-write.ts",
        from: "connection.finishReply(at, { xid: request.xid, zxid, err });",
        to: `if (request.type === OpCode.closeSession) connection.out.length = at;
          else connection.finishReply(at, { xid: request.xid, zxid, err });`,
        fails: /the answer came first/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-1412"],
    title: "a client sets a watch, loses its connection, and misses the next change",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2] = stage.three;
      const writer = await stage.connect(s2);
      await stage.answer(writer.zk.create("/n", "old"));
      const { zk, machine } = await stage.connect(s1);
      await stage.pass(20);
      let events = 0;
      await stage.answer(zk.getData("/n", { watch: () => events++ }));
      const { network } = stage.world;
      network.cut(machine, s1.machine);
      network.reset(machine, s1.machine);
      await stage.answer(writer.zk.setData("/n", "new"));
      await stage.pass(20);
      network.heal(machine, s1.machine);
      await stage.until("the change is told", () => events > 0, 5000);
      await stage.agree();
    },
    mutants: [
      {
        broken: "answers carry the zxid of what is under way",
        file: "server/zookeeper-server.ts",
        from: "lastProcessedZxid: () => tree.lastProcessedZxid,",
        to: "lastProcessedZxid: () => tree.lastProcessedZxid + 1,",
        fails: /the change is told: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-4799"],
    title: "a watch waits for a node that its client may not read",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2] = stage.three;
      const stranger = await stage.connect(s1);
      let events = 0;
      await stage.answer(stranger.zk.exists("/secret", { watch: () => events++ }));
      const owner = await stage.connect(s2);
      await stage.answer(owner.zk.addAuth("digest", "me:secret"));
      await stage.answer(owner.zk.create("/secret", "", { acl: CREATOR_ALL_ACL }));
      await stage.pass(100);
      assert.equal(events, 0, "nobody hears of what he may not see");
      await stage.agree();
    },
    mutants: [
      {
        broken: "whoever watches is told",
        file: "server/zookeeper-server.ts",
        from: "return acl !== undefined && this.auth.checkACL(acl, Perms.READ, authInfo);",
        to: "return true;",
        fails: /nobody hears of what he may not see/,
      },
    ],
  },
  {
    about: ["ttl-nodes-with-extended-types-disabled"],
    title: "a leader does not know TTL nodes, and takes one for the ephemeral of a session that is gone",
    async play(rules) {
      const stage = new Stage({ rules, config: (id) => (id === 3 ? [] : ["extendedTypesEnabled=true"]) });
      const [s1, s2, s3] = stage.three;
      stage.start(s1, s2);
      await stage.serving(s1, s2);
      const { zk } = await stage.connect(s2);
      await stage.answer(zk.create("/ttl", "", { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 1_000_000 }));
      stage.start(s3);
      await stage.serving(s3);
      stage.kill(s1, s2);
      await stage.givesUp(s3);
      stage.start(s1);
      await stage.serving(s1, s3);
      assert.equal(stage.leader, s3);
      await stage.write(s1, "/after");
      const [one, other] = [s1, s3].map(({ running }) => running.server.tree.digest());
      assert.equal(one, other, "what it does about that, all do");
    },
    mutants: [
      {
        broken: "it deletes the node in its own tree",
        file: "server/peer/leader-term.ts",
        from: "server.closeOrphanedSessions();",
        to: "server.tree.removeOrphanedEphemerals();",
        fails: /what it does about that, all do|the tree differs|equal digest/,
      },
    ],
  },
];

function createEphemeral(client: RawClient, path: string): number {
  return client.send(OpCode.create, (writer) =>
    CreateRequest.write(writer, { path, data: null, acl: OPEN_ACL_UNSAFE, flags: EPHEMERAL }),
  );
}
