/** Writes of other kinds: multis, ephemeral nodes, and what a replicated database makes of them. */
import { dataOf } from "../bodies.ts";
import { createMany } from "../bulk.ts";
import { clickHouse, clickHouseNodes, ephemerals, multis } from "../traffic.ts";
import { microseconds, opsPerSecond, p99, type Workload } from "../workload.ts";
import { driveOnce, makeKeys } from "./traffic.ts";

const KEYS = 1000;
const VALUE_BYTES = 100;

export const multi: Workload = {
  name: "multi",
  about: "multis of ten setData of 100 B",
  async run(arena) {
    const paths = await makeKeys(arena, KEYS, VALUE_BYTES);
    const title = "multis of 10 setData";
    const { perSecond, all } = await driveOnce(arena, title, multis(paths, VALUE_BYTES));
    return [opsPerSecond("multi", title, perSecond), microseconds("multi.p99", `${title}: 99th percentile`, p99(all))];
  },
};

export const ephemeral: Workload = {
  name: "ephemerals",
  about: "creating ephemeral nodes and deleting them",
  async run(arena) {
    const title = "creates and deletes of ephemerals";
    const { perSecond, all } = await driveOnce(arena, title, ephemerals(arena.root));
    return [
      opsPerSecond("ephemerals", title, perSecond),
      microseconds("ephemerals.p99", `${title}: 99th percentile`, p99(all)),
    ];
  },
};

export const replicas: Workload = {
  name: "clickhouse",
  about: "what the replicas of a ClickHouse table ask for, 70 % multis",
  async run(arena) {
    const nodes = clickHouseNodes(arena.root, arena.settings.connections);
    await createMany(arena.control, nodes.length, (index) => nodes[index] as string, { data: dataOf(10) });
    const title = "a ClickHouse-like mix, 70 % multis";
    const { perSecond, all } = await driveOnce(arena, title, clickHouse(arena.root));
    return [
      opsPerSecond("clickhouse", title, perSecond),
      microseconds("clickhouse.p99", `${title}: 99th percentile`, p99(all)),
    ];
  },
};
