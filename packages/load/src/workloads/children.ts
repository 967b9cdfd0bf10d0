/** Listing the children of nodes that have few and many: what one list costs, and whether the cost grows in step. */
import { OpCode } from "@vivarium/protocol";
import { bodies, childPaths, dataOf } from "../bodies.ts";
import { createMany, makeNode } from "../bulk.ts";
import { repeated } from "../traffic.ts";
import { type Figure, microseconds, p50, type Workload } from "../workload.ts";
import { driveOnce } from "./traffic.ts";

export const children: Workload = {
  name: "children",
  about: "getChildren of 10 children and more, one list at a time",
  async run(arena) {
    const figures: Figure[] = [];
    for (let count = 10; count <= arena.settings.children; count *= 10) {
      const parent = await makeNode(arena.control, `${arena.root}/of-${count}`);
      const paths = childPaths(parent, count);
      await createMany(arena.control, count, (index) => paths[index] as string, { data: dataOf(0) });
      const title = `getChildren of ${count.toLocaleString("en-US")} children`;
      const traffic = repeated("getChildren", OpCode.getChildren, bodies.read(parent));
      const { all } = await driveOnce(arena, title, traffic, { connections: 1, window: 1 });
      figures.push(microseconds(`children.${count}`, `${title}, median`, p50(all)));
    }
    return figures;
  },
};
