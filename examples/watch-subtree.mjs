// Watching a subtree: a copy of it in memory that follows every change, and is built anew when something was missed.
import { connect, NoNodeError } from "@vivarium/client";
import { runIfMain } from "./lib/run-if-main.mjs";

/**
 * A map from path to text that `changed` is told about; closed by closing what it returns.
 * @param {import("@vivarium/client").ZooKeeper} zk
 */
export async function mirror(zk, root, changed) {
  const copy = new Map();
  const watch = await zk.addWatch(root, { recursive: true });

  const load = async (path) => {
    try {
      const { data } = await zk.getData(path);
      copy.set(path, data?.toString() ?? "");
    } catch (error) {
      // Deleted since: its own event follows.
      if (!(error instanceof NoNodeError)) throw error;
    }
  };
  const loadAll = async () => {
    copy.clear();
    await Promise.all((await zk.listSubtree(root)).map(load));
    changed(copy, "loaded");
  };

  await loadAll();
  const following = (async () => {
    for await (const event of watch) {
      if (event.type === "gap") await loadAll();
      else if (event.type === "deleted") copy.delete(event.path);
      else await load(event.path);
      changed(copy, `${event.type} ${event.path}`);
    }
  })();
  return { copy, following, close: () => watch.close() };
}

export async function watchSubtree(servers, print = console.log) {
  const zk = await connect(servers);
  try {
    await zk.ensurePath("/shop/fruit");
    let settled = () => {};
    const upToDate = new Promise((resolve) => {
      settled = resolve;
    });
    const mirrored = await mirror(zk, "/shop", (copy, why) => {
      print(`${why}: ${[...copy.keys()].sort().join(" ")}`);
      if (copy.get("/shop/fruit/apple") === "5" && !copy.has("/shop/fruit/pear")) settled();
    });
    await zk.create("/shop/fruit/pear", "1");
    await zk.create("/shop/fruit/apple", "3");
    await zk.delete("/shop/fruit/pear");
    await zk.setData("/shop/fruit/apple", "5");
    await upToDate;
    await mirrored.close();
    await mirrored.following;
    return [...mirrored.copy.keys()].sort();
  } finally {
    await zk.deleteSubtree("/shop");
    await zk.close();
  }
}

await runIfMain(import.meta.url, watchSubtree);
