/** Section G, as far as it concerns memberships that are read at the start. */
import assert from "node:assert/strict";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";
import { membership, settingsOf } from "./stage-core.ts";

export const scenarios: readonly Scenario[] = [
  {
    about: ["observer-promoted-to-participant"],
    title: "an observer loses its power just when it has stored the epoch of its sync",
    async play(rules) {
      const stage = await Stage.open({ rules, observers: 1 });
      const [s1, s2, s3] = stage.three;
      const observer = stage.servers[3] as typeof s1;
      await stage.write(s3, "/before");
      stage.kill(observer);
      await stage.write(s3, "/missed");
      stage.kill(s1, s2, s3);
      stage.start(s1, s2, s3);
      await stage.serving(s1, s2, s3);
      stage.crashWhenStored(observer, /currentEpoch/);
      stage.slowDisk(observer, 200, /log\./);
      stage.start(observer);
      await stage.until("it dies", () => observer.isDown);
      // Whoever makes it a voter now gives it the vote of an epoch whose beginning it must have.
      assert.notDeepEqual(await stage.filesWith(observer, "/missed"), [], "its files have what its epoch began with");
      await stage.agree();
    },
    mutants: [{ without: "epochAfterData", fails: /its files have what its epoch began with/ }],
  },
  {
    about: ["ZOOKEEPER-3829", "ZOOKEEPER-3830", "ZOOKEEPER-3814", "ZOOKEEPER-3842", "ZOOKEEPER-2819"],
    title: "a fourth server comes, and one after the other gets the membership that it has",
    async play(rules) {
      const stage = new Stage({ rules, servers: 4 });
      const [s1, s2, s3, s4] = stage.servers as [Server, Server, Server, Server];
      for (const server of [s1, s2, s3]) server.configText = zooCfg(server, [1, 2, 3]);
      stage.start(s1, s2, s3);
      await stage.serving(s1, s2, s3);
      await stage.write(s3, "/of-three");
      stage.start(s4);
      await stage.serving(s4);
      for (const server of [s1, s2, s3]) {
        stage.kill(server);
        server.configText = zooCfg(server, [1, 2, 3, 4]);
        stage.start(server);
        await stage.serving(server);
        await stage.write(server, `/through-${server.name}`);
      }
      await stage.write(s4, "/of-four");
      stage.kill(s3, s4);
      await stage.pass(3000);
      assert.ok(!s1.isServing && !s2.isServing, "two of four are no quorum");
      await stage.agree();
    },
    mutants: [
      {
        broken: "the membership of a server's first start goes on to count",
        file: "server/peer/ensemble-view.ts",
        from: "quorums: new Quorums(quorumVerifier(versioned)),",
        to: `quorums: new Quorums(quorumVerifier(
          (globalThis.firstMemberships ??= new Map()).get(id) ?? globalThis.firstMemberships.set(id, versioned).get(id),
        )),`,
        fails: /two of four are no quorum/,
      },
    ],
  },
];

type Server = Stage["leader"];

const zooCfg = ({ id }: Server, ids: readonly number[]): string =>
  [...settingsOf(id), ...membership(ids, () => false)].join("\n");
