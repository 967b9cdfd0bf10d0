// The code under test: workers that make themselves known while they live.
import { CreateMode } from "@vivarium/client";

/**
 * Registers a worker below /workers for as long as its session lives. `protected`: if the answer is lost, the node is
 * looked for instead of made twice.
 * @param {import("@vivarium/client").ZooKeeper} zk
 * @param {string} name
 */
export async function register(zk, name) {
  const { path } = await zk.create(`/workers/${name}-`, null, {
    mode: CreateMode.EPHEMERAL_SEQUENTIAL,
    protected: true,
  });
  return path;
}

/**
 * The names of the workers that live, sorted.
 * @param {import("@vivarium/client").ZooKeeper} zk
 */
export async function workers(zk) {
  const { children } = await zk.getChildren("/workers");
  return children.map((child) => child.replace(/^_c_.{36}-/, "").replace(/-\d{10}$/, "")).sort();
}
