/** Section D: who leads, and how servers find each other. */
import { encodeElectionGreeting } from "@vivarium/protocol";
import { serverAddress } from "../ensemble/zoo-cfg.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

const ELECTION = "zab/fast-leader-election.ts";
const ELECTION_PORT = 3888;

export const scenarios: readonly Scenario[] = [
  {
    about: ["FLELostMessage"],
    title: "votes are lost again and again while servers look for a leader",
    async play(rules) {
      const stage = new Stage({ rules });
      stage.start(...stage.servers);
      for (let ms = 0; ms < 40; ms++) {
        await stage.pass(0.5);
        for (const a of stage.servers) for (const b of stage.servers) if (a.id < b.id) stage.reset(a, b);
      }
      await stage.until("somebody leads", () => stage.servers.some(({ role }) => role === "leader"), 5000);
      await stage.serving();
      await stage.agree();
    },
    mutants: [
      {
        broken: "nobody says anything twice",
        file: ELECTION,
        from: 'this.#outputs.push({ type: "reconnect" }); this.#tellAll();',
        to: "",
        fails: /somebody leads: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3769", "ZOOKEEPER-4787"],
    title: "somebody sends notifications that make no sense",
    async play(rules) {
      const stage = await Stage.open({ rules });
      const [s1, s2, s3] = stage.three;
      for (const length of [0, 1, 28, 40, 44, 500]) {
        const stranger = stage.rawClient(s1, ELECTION_PORT);
        stranger.sendBytes(encodeElectionGreeting({ serverId: 9, addresses: [{ host: "10.0.1.1", port: 1 }] }));
        stranger.sendFrame((writer) => writer.raw(new Uint8Array(length).fill(0x7f)));
      }
      await stage.pass(50);
      stage.kill(s3);
      await stage.serving(s1, s2);
      await stage.agree();
    },
    mutants: [
      {
        broken: "one of them ends the hearing",
        file: "server/peer/election-driver.ts",
        from: 'log.warn("dropped a notification that makes no sense"',
        to: 'this.#driver.stop(); log.warn("dropped a notification that makes no sense"',
        fails: /serve: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-2164"],
    title: "the server with the smallest id knows itself as 0.0.0.0, and comes back",
    async play(rules) {
      const hostOf = (id: number, inConfigOf: number): string => (id === inConfigOf ? "0.0.0.0" : serverAddress(id));
      const stage = await Stage.open({ rules, hostOf });
      const [s1, , s3] = stage.three;
      await stage.write(s3, "/before");
      stage.kill(s1);
      await stage.write(s3, "/meanwhile");
      stage.start(s1);
      await stage.until("it is back", () => s1.isServing, 10_000);
      await stage.agree();
    },
    mutants: [
      {
        broken: "it is dialled back at what it says",
        file: "server/quorum/election-transport.ts",
        from: "const addresses = greeting.addresses.filter(({ host }) => !isWildcard(host));",
        to: "const { addresses } = greeting;",
        also: [
          {
            file: "server/quorum/election-transport.ts",
            from: "const usable = addresses.filter(({ host }) => !isWildcard(host));",
            to: "const usable = addresses;",
          },
        ],
        fails: /it is back: not within|serve: not within/,
      },
    ],
  },
  {
    about: ["ZOOKEEPER-3756", "ZOOKEEPER-3720", "ZOOKEEPER-4220"],
    title: "a server comes back while another swallows everything",
    async play(rules) {
      const stage = await Stage.open({ rules, servers: 5 });
      const [s1, s2, s3] = stage.three;
      await stage.write(s3, "/before");
      stage.powerOff(s2);
      stage.kill(s1);
      stage.start(s1);
      await stage.until("it is back", () => s1.isServing, 3000);
      await stage.agree();
    },
    mutants: [
      {
        broken: "one dial waits for the other",
        file: "server/quorum/election-transport.ts",
        from: "if (peer.channel !== null || peer.dial !== null ||",
        to: "if (peer.channel !== null || [...this.#peers.values()].some(({ dial }) => dial !== null) ||",
        fails: /it is back: not within/,
      },
    ],
  },
  {
    about: ["testElectionFraud", "testLeaderElectionWithDisloyalVoter"],
    title: "who was elected has nobody behind it",
    async play(rules) {
      const stage = new Stage({ rules });
      const [s1, s2, s3] = stage.three;
      stage.start(s1, s2, s3);
      await stage.until("it is elected", () => stage.said(s3, "elected server=3 leader=3") > 0);
      stage.isolate(s3);
      await stage.serving(s1, s2);
      await stage.write(s2, "/of-others");
      stage.heal();
      await stage.until("it follows the others", () => s3.role === "follower", 10_000);
      await stage.agree();
    },
    mutants: [
      {
        broken: "it waits for ever",
        file: "zab/leader.ts",
        from: "this.#phaseDeadlineMs = waits ? this.#nowMs + initLimit * tickTimeMs : Number.POSITIVE_INFINITY;",
        to: "this.#phaseDeadlineMs = Number.POSITIVE_INFINITY;",
        fails: /it follows the others: not within/,
      },
    ],
  },
];
