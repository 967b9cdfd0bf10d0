/** Three servers that are one ensemble, on one machine. Memory is looked at after the load: what they hold to carry it. */
import { megabytes, microseconds, opsPerSecond } from "@vivarium/load";
import { loadServers } from "../load-server.ts";
import { everyTurn, type Part } from "../part.ts";
import { residentMegabytes, settle } from "../server-view.ts";
import { recordStall } from "../with-server.ts";

const crowd = { connections: 30, window: 20, sizeBytes: 1024 };
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

export const ensemble: Part = {
  name: "ensemble",
  about: "three servers: reads, writes and 2:1 with 30 connections × 20 in flight, memory of one",
  roles: ["ours", "theirs"],
  turns: everyTurn,
  async run(stage) {
    const { record } = stage;
    stage.doing("starting three servers");
    const { servers, end } = await stage.contender.startEnsemble();
    const load = (doing: string, readPercent: number) => loadServers(stage, doing, servers, { ...crowd, readPercent });
    try {
      for (const server of servers) await server.longestStall();
      await load("warming up", 50);
      record(opsPerSecond("ensemble.reads", "three servers: reads", (await load("reads", 100)).ops_s));
      const writes = await load("writes", 0);
      record(opsPerSecond("ensemble.writes", "three servers: writes", writes.ops_s));
      record(microseconds("ensemble.writes.p99", "three servers: writes, 99th percentile", writes.write_p99_us));
      record(opsPerSecond("ensemble.mixed", "three servers: 2 reads : 1 write", (await load("2:1", 67)).ops_s));
      await settle();
      const resident = mean(servers.map(({ pid }) => residentMegabytes(pid)));
      record(megabytes("ensemble.memory", "three servers: memory of one, mean", resident));
      await recordStall(stage, servers);
    } finally {
      await end();
    }
  },
};
